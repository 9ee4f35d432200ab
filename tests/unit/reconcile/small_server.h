// SPDX-License-Identifier: Apache-2.0
/*
 * An API server of a few lines: objects by their paths, versions that grow, one watch, merge
 * patches with preconditions. And faults on demand: a request can be refused, carried out without
 * an answer, or left alone.
 */
#ifndef TEST_SMALL_SERVER_H
#define TEST_SMALL_SERVER_H

#include "world.h"

/* What happens to the next requests that have `part` in "METHOD path". */
struct fault {
    const char *part; /* NULL: none */
    int times;
    int status;   /* the answer; 0: none is given */
    bool carried; /* it is carried out nevertheless */
};

struct small_server {
    struct world *world;
    json_t *objects; /* path -> object */
    int version;
    const char *watched; /* the one collection (of all namespaces) that is listed and watched */
    struct fake_connection *stream;
    struct fault fault;
    json_t *events; /* "Type Reason: message", in order */
};

/* `watched` stays the caller's. */
void small_server_init(struct small_server *server, const char *watched);
void small_server_done(struct small_server *server);

/* As users and other controllers do: put an object (with a new version), or take it away. */
void small_put_take(struct small_server *server, const char *path, json_t *object);
void small_remove(struct small_server *server, const char *path);

/* The object as it is, or NULL. Borrowed. */
json_t *small_get(const struct small_server *server, const char *path);

/* How many requests had `part` in "METHOD path". */
size_t small_count(const struct small_server *server, const char *part);

#endif
