// SPDX-License-Identifier: Apache-2.0
#include "oam/helper_start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both ends of everything that leads to the helper. Index 0 is ours except in `report`, which the
 * helper writes to when it can't become the program. */
struct ends {
    int in[2], out[2], err[2], report[2];
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
    pair_close(ends->report);
}

static int ends_open(struct ends *ends)
{
    *ends = (struct ends){{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends->in) < 0 ||
        pipe2(ends->out, O_CLOEXEC) < 0 || pipe2(ends->err, O_CLOEXEC) < 0 ||
        pipe2(ends->report, O_CLOEXEC) < 0)
        return -1;
    fcntl(ends->in[0], F_SETFL, O_NONBLOCK);
    fcntl(ends->out[0], F_SETFL, O_NONBLOCK);
    fcntl(ends->err[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void limit(__rlimit_resource_t resource, uint64_t value)
{
    setrlimit(resource, &(struct rlimit){value, value});
}

/* Runs in the new process, between fork and exec, where only simple system calls are safe. The
 * helper leads a group of its own, so that it can be killed with all that it starts, and Ctrl-C at
 * a terminal isn't for it. */
static void child_confine(pid_t parent, uint64_t memory_limit)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_DATA, memory_limit);
}

static _Noreturn void child_become(const char *program, const struct ends *ends)
{
    /* Without stacks the reason of a crash is one line. */
    char traceback[] = "GOTRACEBACK=none";
    char *environment[] = {traceback, NULL};
    char name[] = "sluice-cue";
    char *arguments[] = {name, NULL};
    dup2(ends->in[1], STDIN_FILENO);
    dup2(ends->out[1], STDOUT_FILENO);
    dup2(ends->err[1], STDERR_FILENO);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(program, arguments, environment);
    int reason = errno;
    ssize_t written = write(ends->report[1], &reason, sizeof reason);
    _exit(written == sizeof reason ? 127 : 126);
}

/* Returns when the process has become the program, or couldn't: then the reason, an errno. */
static int exec_result(struct ends *ends)
{
    int reason = 0;
    ssize_t count;
    close(ends->report[1]);
    ends->report[1] = -1;
    do
        count = read(ends->report[0], &reason, sizeof reason);
    while (count < 0 && errno == EINTR);
    return count == sizeof reason ? reason : 0;
}

static int start_failed(const char *program, int reason, struct error *err)
{
    return error_set(err, ERR_RETRY, "the renderer %s couldn't be started: %s", program,
                     strerror(reason));
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
    int pidfd = -1, reason = 0;
    pid_t parent = getpid();
    pid_t pid = ends_open(&ends) < 0 ? -1 : fork();
    if (pid == 0) {
        child_confine(parent, memory_limit);
        child_become(program, &ends);
    }
    if (pid < 0)
        reason = errno;
    else if (!(reason = exec_result(&ends)) && (pidfd = pidfd_open(pid, 0)) < 0)
        reason = errno;
    if (!reason)
        ends_take(&ends, pid, pidfd, ret_process);
    ends_close(&ends);
    if (reason && pid > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    return reason ? start_failed(program, reason, err) : OK;
}
