// SPDX-License-Identifier: Apache-2.0
/* Requests and answers, whoever brings them: over HTTP (http.h), or from within the process
 * (inside.h). One handler answers everything, at once. */
#ifndef SANDBOX_REQUEST_H
#define SANDBOX_REQUEST_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How to find what came with a request. NULL when it isn't there; borrowed. */
struct request_words {
    const char *(*query)(const void *from, const char *name);
    const char *(*header)(const void *from, const char *name);
};

/* Borrowed by the handler while it runs. */
struct request {
    const char *method;
    const char *path; /* unescaped, without the query */
    const char *body; /* "" when there is none */
    size_t body_length;
    bool too_large; /* the body was, and has been dropped */
    const struct request_words *words;
    const void *from;
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

struct stream;

/* How an answer may end before its end, if that is wanted. */
enum answer_cut { ANSWER_WHOLE, ANSWER_LOST, ANSWER_TORN }; /* nothing of it comes; half of it */

struct answer {
    unsigned status;
    const char *type;     /* static; application/json unless changed */
    struct text body;     /* released by whoever brings it */
    struct text warnings; /* one a line; so are they */
    struct stream *stream;
    int64_t delay_ms;      /* it is brought so much later */
    int64_t retry_after_s; /* what it says about that; 0: nothing */
    enum answer_cut cut;
};

/* Releases what nobody is going to bring. */
void answer_drop(struct answer *answer);

/* Makes the answer a stream. Whoever has more to say wakes it, and `read` is called when the client
 * can take it. The stream is borrowed until `close`. */
struct stream *answer_stream(struct answer *answer, struct stream_source source);
void stream_wake(struct stream *stream);

/* When `read` returns false, that isn't its end: the connection is cut. */
void stream_break(struct stream *stream);

/* For those who bring answers: what wakes the stream; what it says now, false at its end; its end.
 */
void stream_on_wake(struct stream *stream, void (*wake)(void *data), void *data);
bool stream_read(struct stream *stream, struct text *out);
bool stream_is_broken(const struct stream *stream);
void stream_free(struct stream *stream);

typedef void request_fn(void *data, const struct request *request, struct answer *answer);

#endif
