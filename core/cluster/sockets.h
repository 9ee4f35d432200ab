// SPDX-License-Identifier: Apache-2.0
/*
 * The connections of a cluster, to find those on which nothing comes any more.
 *
 * The kernel gives up a connection whose other end has vanished. It can't notice one whose other
 * end still acknowledges but doesn't answer: a frozen server, a proxy that has lost what is behind
 * it. curl would go on putting requests on it. So when something has been waited for in vain and
 * nothing else has come on a connection meanwhile either, that connection is shut down, and all
 * that runs over it begins anew on another one. Private to core/cluster.
 */
#ifndef CLUSTER_SOCKETS_H
#define CLUSTER_SOCKETS_H

#include <stddef.h>
#include <stdint.h>

struct sockets {
    struct socket_seen *at;
    size_t count;
};

/* `struct sockets s = {0};` has none. A socket is added when it is opened, and forgotten by itself
 * after it was closed. */
void sockets_add(struct sockets *sockets, int fd);
void sockets_done(struct sockets *sockets);

/* Shuts down the connections on which nothing has arrived for that long. */
void sockets_drop_silent(struct sockets *sockets, int64_t silent_ms);

#endif
