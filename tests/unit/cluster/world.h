// SPDX-License-Identifier: Apache-2.0
/* What most tests of this folder start from: a loop, a fake API server, and a cluster opened
 * through a kubeconfig that names it. */
#ifndef TEST_WORLD_H
#define TEST_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cluster/cluster.h"
#include "fake_api.h"

struct world {
    struct loop *loop;
    struct fake_api *api;
    struct cluster *cluster;
    char *folder;        /* a temporary one, gone at the end */
    fake_fn *on_request; /* may be changed at any time */
    void *data;          /* given to it */
};

/* `user` is the YAML of the user in the kubeconfig, such as "{token: abc}". */
struct world *world_new(const char *user, const struct cluster_options *options);
void world_free(struct world *world);

/* Writes a file into the folder; returns its path, which the caller frees. */
char *world_file(const struct world *world, const char *name, const char *text);

/* Turns the loop until `until` says yes; fails the test after ten seconds. */
#define world_until(world, until, data) world_turn(world, until, data, __FILE__, __LINE__)
void world_turn(struct world *world, bool (*until)(void *data), void *data, const char *file,
                int line);

/* Turns the loop for a while, to show that something does not happen. */
void world_rest(struct world *world, int64_t ms);

/* A temporary folder, and its end with everything in it. The caller frees the path. */
char *folder_new(void);
void folder_remove(const char *folder);
char *folder_file(const char *folder, const char *name, const char *text);

#endif
