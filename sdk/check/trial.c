// SPDX-License-Identifier: Apache-2.0
#include "trial.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE = 4 }; /* how much longer than its own time it may take in all */

/* A machine that is busy with other things doesn't make a body slow, so its own time is what
 * counts; but one that sleeps for ever uses none. */
static void limit(unsigned seconds)
{
    struct itimerval own_time = {.it_value.tv_sec = (time_t)seconds};
    signal(SIGPROF, SIG_DFL);
    signal(SIGALRM, SIG_DFL);
    setitimer(ITIMER_PROF, &own_time, NULL);
    alarm(seconds * PATIENCE);
}

static void child(int fd, int (*body)(void *, struct error *), void *user, unsigned seconds)
{
    struct error err = {0};
    limit(seconds);
    err.code = body(user, &err);
    ssize_t written = write(fd, &err, sizeof err);
    _exit(written == (ssize_t)sizeof err ? 0 : 1);
}

static int ended_badly(int status, struct error *err)
{
    int by = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (by == SIGPROF || by == SIGALRM)
        return error_set(err, ERR_BUG, "it took too long and was ended");
    if (by)
        return error_set(err, ERR_BUG, "it crashed: %s", strsignal(by));
    return error_set(err, ERR_BUG, "it ended the process with status %d", WEXITSTATUS(status));
}

/* A struct error is smaller than a pipe's buffer, so the child never waits for us. */
static int outcome(int fd, pid_t pid, struct error *err)
{
    int status = 0;
    struct error told;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (read(fd, &told, sizeof told) != (ssize_t)sizeof told)
        return ended_badly(status, err);
    if (told.code < 0 && err)
        *err = told;
    return told.code;
}

int trial_run(int (*body)(void *user, struct error *err), void *user, unsigned seconds,
              struct error *err)
{
    int fds[2];
    if (pipe(fds) < 0)
        return error_set(err, ERR_RETRY, "no pipe: %s", strerror(errno));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        child(fds[1], body, user, seconds);
    close(fds[1]);
    int result = pid > 0 ? outcome(fds[0], pid, err)
                         : error_set(err, ERR_RETRY, "no process: %s", strerror(errno));
    close(fds[0]);
    return result;
}

void *trial_shared(unsigned long size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    return memory;
}

const char *trial_guarded(const char *text, unsigned long length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (length + page - 1) / page * page;
    char *memory =
        mmap(NULL, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    char *copy = memory + pages - length;
    memcpy(copy, text, length);
    mprotect(memory, pages, PROT_READ);
    mprotect(memory + pages, page, PROT_NONE);
    return copy;
}
