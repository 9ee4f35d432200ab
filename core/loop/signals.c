// SPDX-License-Identifier: Apache-2.0
#include "base/alloc.h"
#include "loop/loop_private.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct signal_source {
    int signal;
    signal_fn *on_signal;
    void *data;
};

void signals_init(struct loop *loop)
{
    loop->signals.fd = -1;
    sigemptyset(&loop->signals.set);
}

void signals_done(struct loop *loop)
{
    fd_unwatch(loop->signals.watch);
    if (loop->signals.fd >= 0)
        close(loop->signals.fd);
    free(loop->signals.sources);
}

static void on_signal_ready(void *data, short revents)
{
    struct loop *loop = data;
    struct signalfd_siginfo info;
    while (read(loop->signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
        for (size_t i = 0; i < loop->signals.count; i++) {
            struct signal_source source = loop->signals.sources[i];
            if (source.signal == (int)info.ssi_signo)
                source.on_signal(source.data, source.signal);
        }
    }
}

static int signals_open(struct loop *loop, struct error *err)
{
    struct signals *signals = &loop->signals;
    int fd = signalfd(signals->fd, &signals->set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_set(err, ERR_RETRY, "signalfd: %s", strerror(errno));
    signals->fd = fd;
    if (!signals->watch)
        signals->watch = fd_watch(loop, fd, POLLIN, on_signal_ready, loop);
    if (!signals->watch)
        return error_set(err, ERR_RETRY, "epoll: %s", strerror(errno));
    return OK;
}

int loop_on_signal(struct loop *loop, int signal, signal_fn *on_signal, void *data,
                   struct error *err)
{
    struct signals *signals = &loop->signals;
    if (sigaddset(&signals->set, signal) < 0)
        return error_set(err, ERR_BUG, "there is no signal %d", signal);
    int code = signals_open(loop, err);
    if (code < 0)
        return code;
    pthread_sigmask(SIG_BLOCK, &signals->set, NULL);
    signals->sources = mem_grow(signals->sources, (signals->count + 1) * sizeof *signals->sources);
    signals->sources[signals->count++] =
        (struct signal_source){.signal = signal, .on_signal = on_signal, .data = data};
    return OK;
}
