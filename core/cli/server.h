// SPDX-License-Identifier: Apache-2.0
/* Asking a running controller over HTTP, where its config's serve.listen says that it answers. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "base/error.h"
#include "base/text.h"
#include "cli/cli.h"

#include <jansson.h>

#define SERVER_DEFAULT "127.0.0.1:8474"

/* --server ADDRESS */
extern const struct flag flag_server;

/* What stands at a path such as "/adapters". `server` is "HOST:PORT" or a URL; a port that isn't
 * given is that of SERVER_DEFAULT. Proxies aren't asked. Takes ten seconds at most. The caller owns
 * *ret_answer. ERR_INVALID: this is no address; ERR_RETRY: nobody answers there; ERR_MISSING: who
 * answers isn't a controller. The words name what was tried. */
int server_get(const char *server, const char *path, json_t **ret_answer, struct error *err);

/* The same where the answer is any text, which is added to *ret_body. */
int server_text(const char *server, const char *path, struct text *ret_body, struct error *err);

#endif
