// SPDX-License-Identifier: Apache-2.0
/*
 * A scripted HTTP/1.1 server for what a real API server doesn't do on demand: half lines, lost
 * connections, 410, 429, 500. It runs on the test's own loop, so nothing happens behind the test's
 * back: a handler of the test gets each request and decides what comes of it, now or later.
 */
#ifndef TEST_FAKE_API_H
#define TEST_FAKE_API_H

#include "loop/loop.h"

#include <stdbool.h>
#include <stddef.h>

struct fake_api;
struct fake_connection;

struct fake_request {
    const char *method, *target;        /* the target with its query */
    const char *body;                   /* "" without one */
    const char *head;                   /* all of it, for fake_header() */
    struct fake_connection *connection; /* stays valid as long as the server, even when closed */
};

typedef void fake_fn(void *data, const struct fake_request *request);

/* Listens on a free port of 127.0.0.1. */
struct fake_api *fake_api_new(struct loop *loop, fake_fn *on_request, void *data);
void fake_api_free(struct fake_api *api);
int fake_api_port(const struct fake_api *api);

/* Closes everything, also the port; and opens the same port again. */
void fake_api_stop(struct fake_api *api);
void fake_api_start(struct fake_api *api);

/* How many requests had `part` in "METHOD target"; and the last one that had, or NULL. */
size_t fake_api_count(const struct fake_api *api, const char *part);
const char *fake_api_last(const struct fake_api *api, const char *part);

/* The value of a header, up to the end of the line; the caller frees it. NULL: not there. */
char *fake_header(const struct fake_request *request, const char *name);

/* A whole answer. `headers`: further lines, each with "\r\n" at its end, or "". */
void fake_answer(struct fake_connection *connection, int status, const char *headers,
                 const char *body);

/* A chunked answer with status 200, piece by piece. fake_send() after the other side has closed
 * the connection is ignored. */
void fake_begin(struct fake_connection *connection);
void fake_send(struct fake_connection *connection, const char *text);
void fake_end(struct fake_connection *connection);

/* Any bytes. */
void fake_raw(struct fake_connection *connection, const char *text);

/* Closes the connection as it stands. */
void fake_cut(struct fake_connection *connection);
bool fake_is_open(const struct fake_connection *connection);

#endif
