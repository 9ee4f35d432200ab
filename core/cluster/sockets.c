// SPDX-License-Identifier: Apache-2.0
#include "cluster/sockets.h"

#include "base/alloc.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The kernel's cookie tells a socket from a later one with the same descriptor. */
struct socket_seen {
    int fd;
    uint64_t cookie;
};

static uint64_t socket_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static void sockets_forget_closed(struct sockets *sockets)
{
    size_t kept = 0;
    for (size_t i = 0; i < sockets->count; i++)
        if (socket_cookie(sockets->at[i].fd) == sockets->at[i].cookie)
            sockets->at[kept++] = sockets->at[i];
    sockets->count = kept;
}

void sockets_add(struct sockets *sockets, int fd)
{
    uint64_t cookie = socket_cookie(fd);
    sockets_forget_closed(sockets);
    if (!cookie)
        return;
    sockets->at = mem_grow(sockets->at, (sockets->count + 1) * sizeof *sockets->at);
    sockets->at[sockets->count++] = (struct socket_seen){.fd = fd, .cookie = cookie};
}

void sockets_done(struct sockets *sockets)
{
    free(sockets->at);
    *sockets = (struct sockets){0};
}

static bool is_silent(int fd, int64_t silent_ms)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_state == TCP_ESTABLISHED && info.tcpi_last_data_recv >= silent_ms;
}

void sockets_drop_silent(struct sockets *sockets, int64_t silent_ms)
{
    sockets_forget_closed(sockets);
    for (size_t i = 0; i < sockets->count; i++)
        if (is_silent(sockets->at[i].fd, silent_ms))
            shutdown(sockets->at[i].fd, SHUT_RDWR);
}
