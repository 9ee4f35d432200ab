// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/1.1 for the sandbox: requests with bodies, and answers that may go on for hours. One handler
 * answers everything, at once. One thread, the loop's.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "base/error.h"
#include "base/text.h"
#include "loop/loop.h"

#include <stdbool.h>

struct http;
struct stream;

/* Borrowed by the handler while it runs. */
struct request {
    const char *method;
    const char *path; /* unescaped, without the query */
    const char *body; /* "" when there is none */
    size_t body_length;
    bool too_large; /* the body was, and has been dropped */
    void *connection;
};

/* NULL when it isn't there. Borrowed. */
const char *request_query(const struct request *request, const char *name);
const char *request_header(const struct request *request, const char *name);

/* An answer that goes on. `read` adds what there is now; the stream ends when it returns false.
 * `close` is called once, whoever ends it. */
struct stream_source {
    bool (*read)(void *data, struct text *out);
    void (*close)(void *data);
    void *data;
};

struct answer {
    unsigned status;
    const char *type;     /* static; application/json unless changed */
    struct text body;     /* released by the server */
    struct text warnings; /* one a line; so are they */
    struct stream *stream;
};

/* Makes the answer a stream. Whoever has more to say wakes it, and `read` is called when the client
 * can take it. The stream is borrowed until `close`. */
struct stream *answer_stream(struct answer *answer, struct stream_source source);
void stream_wake(struct stream *stream);

typedef void http_fn(void *data, const struct request *request, struct answer *answer);

/* The caller owns *ret_http. Errors as those of listener_new(). */
int http_new(struct loop *loop, const char *listen, http_fn *handle, void *data,
             struct http **ret_http, struct error *err);

/* Ends all streams. NULL is fine. */
void http_free(struct http *http);

int http_port(const struct http *http);

#endif
