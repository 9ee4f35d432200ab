// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP/1.1 for the sandbox: requests with bodies, and answers that may go on for hours. One thread,
 * the loop's.
 */
#ifndef SANDBOX_HTTP_H
#define SANDBOX_HTTP_H

#include "base/error.h"
#include "loop/loop.h"
#include "request.h"

struct http;

/* The caller owns *ret_http. Errors as those of listener_new(). */
int http_new(struct loop *loop, const char *listen, request_fn *handle, void *data,
             struct http **ret_http, struct error *err);

/* Ends all streams. NULL is fine. */
void http_free(struct http *http);

int http_port(const struct http *http);

#endif
