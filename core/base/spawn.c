// SPDX-License-Identifier: Apache-2.0
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FDS_MAX = 8 };

static void limit(__rlimit_resource_t resource, uint64_t value)
{
    setrlimit(resource, &(struct rlimit){value, value});
}

/* Runs in the new process, between fork and exec, where only simple system calls are safe. */
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
    if (memory_limit)
        limit(RLIMIT_DATA, memory_limit);
}

/* Through copies above them all, because a number that is wanted may be taken by another of them.
 */
static int child_place(const struct spawn_spec *spec, int report)
{
    int copies[FDS_MAX + 1];
    for (size_t i = 0; i < spec->fd_count; i++)
        copies[i] = fcntl(spec->fds[i], F_DUPFD, FDS_MAX + 1);
    int report_copy = fcntl(report, F_DUPFD, FDS_MAX + 1);
    for (size_t i = 0; i < spec->fd_count; i++)
        dup2(copies[i], (int)i);
    close_range((unsigned)spec->fd_count, ~0U, CLOSE_RANGE_CLOEXEC);
    return report_copy;
}

static _Noreturn void child_become(const struct spawn_spec *spec, int report)
{
    report = child_place(spec, report);
    execve(spec->program, spec->arguments, spec->environment);
    int reason = errno;
    ssize_t written = write(report, &reason, sizeof reason);
    _exit(written == sizeof reason ? 127 : 126);
}

/* Returns when the process has become the program, or couldn't: then the reason, an errno. */
static int exec_result(int report)
{
    int reason = 0;
    ssize_t count;
    do
        count = read(report, &reason, sizeof reason);
    while (count < 0 && errno == EINTR);
    return count == sizeof reason ? reason : 0;
}

static int start_failed(const struct spawn_spec *spec, int reason, struct error *err)
{
    return error_set(err, ERR_RETRY, "%s couldn't be started: %s", spec->program, strerror(reason));
}

int spawn(const struct spawn_spec *spec, pid_t *ret_pid, struct error *err)
{
    int report[2];
    pid_t parent = getpid();
    if (pipe2(report, O_CLOEXEC) < 0)
        return start_failed(spec, errno, err);
    pid_t pid = fork();
    int reason = pid < 0 ? errno : 0;
    if (pid == 0) {
        child_confine(parent, spec->memory_limit);
        child_become(spec, report[1]);
    }
    close(report[1]);
    if (pid > 0 && (reason = exec_result(report[0])) != 0)
        spawn_end(pid);
    close(report[0]);
    if (reason)
        return start_failed(spec, reason, err);
    *ret_pid = pid;
    return OK;
}

int spawn_end(pid_t pid)
{
    int status = 0;
    kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}
