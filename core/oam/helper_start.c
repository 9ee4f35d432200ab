// SPDX-License-Identifier: Apache-2.0
#include "oam/helper_start.h"

#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Both ends of everything that leads to the helper. Index 0 is ours. */
struct ends {
    int in[2], out[2], err[2];
};

static void pair_close(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

static void ends_close(struct ends *ends)
{
    pair_close(ends->in);
    pair_close(ends->out);
    pair_close(ends->err);
}

static int start_failed(const char *program, struct error *err)
{
    return error_set(err, ERR_RETRY, "%s couldn't be started: %s", program, strerror(errno));
}

static int ends_open(struct ends *ends, const char *program, struct error *err)
{
    *ends = (struct ends){{-1, -1}, {-1, -1}, {-1, -1}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->in) < 0 ||
        pipe2(ends->out, O_CLOEXEC) < 0 || pipe2(ends->err, O_CLOEXEC) < 0)
        return start_failed(program, err);
    fcntl(ends->in[0], F_SETFL, O_NONBLOCK);
    fcntl(ends->out[0], F_SETFL, O_NONBLOCK);
    fcntl(ends->err[0], F_SETFL, O_NONBLOCK);
    return OK;
}

static int spawn_between(const struct ends *ends, const char *program, uint64_t memory_limit,
                         pid_t *ret_pid, struct error *err)
{
    char name[] = "sluice-cue";
    char traceback[] = "GOTRACEBACK=none"; /* without stacks the reason of a crash is one line */
    char *const arguments[] = {name, NULL};
    char *const environment[] = {traceback, NULL};
    const int fds[] = {ends->in[1], ends->out[1], ends->err[1]};
    const struct spawn_spec spec = {
        .program = program,
        .arguments = arguments,
        .environment = environment,
        .fds = fds,
        .fd_count = 3,
        .memory_limit = memory_limit,
    };
    return spawn(&spec, ret_pid, err);
}

static int open_pidfd(const char *program, pid_t pid, int *ret_pidfd, struct error *err)
{
    *ret_pidfd = pidfd_open(pid, 0);
    int result = *ret_pidfd < 0 ? start_failed(program, err) : OK;
    if (result < 0)
        spawn_end(pid);
    return result;
}

/* Hands our ends over; what is left in `ends` is the helper's. */
static void ends_take(struct ends *ends, pid_t pid, int pidfd, struct helper_process *process)
{
    *process = (struct helper_process){pid, pidfd, ends->in[0], ends->out[0], ends->err[0]};
    ends->in[0] = ends->out[0] = ends->err[0] = -1;
}

int helper_process_start(const char *program, uint64_t memory_limit,
                         struct helper_process *ret_process, struct error *err)
{
    struct ends ends;
    struct error why = {0};
    pid_t pid = 0;
    int pidfd = -1;
    int result = ends_open(&ends, program, &why);
    if (result == OK)
        result = spawn_between(&ends, program, memory_limit, &pid, &why);
    if (result == OK)
        result = open_pidfd(program, pid, &pidfd, &why);
    if (result == OK)
        ends_take(&ends, pid, pidfd, ret_process);
    ends_close(&ends);
    return result == OK ? OK : error_set(err, result, "the renderer %s", why.text);
}
