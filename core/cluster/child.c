// SPDX-License-Identifier: Apache-2.0
#include "cluster/child.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT_LIMIT = 1 << 20, ERR_KEPT = 400, LOOK_MS = 20 };

/* One of the two pipes. */
struct output {
    struct child *child;
    int fd; /* -1: closed */
    struct fd_watch *watch;
    struct text text;
};

struct child {
    struct loop *loop;
    pid_t pid;  /* 0: never started */
    int pid_fd; /* -1 where the kernel has none (before 5.3) */
    struct fd_watch *exit_watch;
    struct timer look; /* stands in for it */
    struct output out, err;
    struct timer timer;
    char *trouble;
    child_fn *on_end;
    void *data;
};

static void output_done(struct output *output)
{
    fd_unwatch(output->watch);
    if (output->fd >= 0)
        close(output->fd);
    text_done(&output->text);
}

/* The program leads a process group of its own, so its children go with it. */
static void child_kill(struct child *child)
{
    if (child->pid)
        kill(-child->pid, SIGKILL);
}

void child_free(struct child *child)
{
    if (!child)
        return;
    if (child->pid) {
        child_kill(child);
        waitpid(child->pid, NULL, 0);
    }
    timer_stop(child->loop, &child->timer);
    timer_stop(child->loop, &child->look);
    fd_unwatch(child->exit_watch);
    if (child->pid_fd >= 0)
        close(child->pid_fd);
    output_done(&child->out);
    output_done(&child->err);
    free(child->trouble);
    free(child);
}

static void child_trouble(struct child *child, char *words)
{
    if (child->trouble)
        free(words);
    else
        child->trouble = words;
}

/* Reads what is there. Of standard error only the end is kept. */
static void output_read(struct output *output)
{
    char piece[4096];
    ssize_t count;
    while ((count = read(output->fd, piece, sizeof piece)) > 0) {
        text_add(&output->text, piece, (size_t)count);
        if (output == &output->child->err && output->text.len > ERR_KEPT)
            text_drop(&output->text, output->text.len - ERR_KEPT);
        if (output->text.len <= OUT_LIMIT)
            continue;
        child_trouble(output->child, str_format("printed more than %d bytes", OUT_LIMIT));
        child_kill(output->child);
        break;
    }
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        fd_watch_change(output->watch, 0);
}

static void on_output(void *data, short revents)
{
    output_read(data);
}

/* Line ends become spaces, so that it fits into a sentence. */
static const char *one_line(struct text *text)
{
    for (size_t i = 0; i < text->len; i++)
        if ((unsigned char)text->at[i] < ' ')
            text->at[i] = ' ';
    while (text->len && text->at[text->len - 1] == ' ')
        text->at[--text->len] = '\0';
    return text->at ? text->at : "";
}

static void child_finish(struct child *child)
{
    struct child_end end = {
        .trouble = child->trouble,
        .out = child->out.text.at ? child->out.text.at : "",
        .out_length = child->out.text.len,
        .err = one_line(&child->err.text),
    };
    child->on_end(child->data, &end);
    child_free(child);
}

/* Finishes it if it has ended. */
static bool child_collect(struct child *child)
{
    int status = 0;
    if (waitpid(child->pid, &status, WNOHANG) != child->pid)
        return false;
    /* Something it left behind may hold the pipes open: what is in them now is what counts. */
    output_read(&child->out);
    output_read(&child->err);
    child->pid = 0;
    if (WIFSIGNALED(status))
        child_trouble(child, str_format("was ended by signal %d", WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        child_trouble(child, str_format("ended with status %d", WEXITSTATUS(status)));
    child_finish(child);
    return true;
}

static void on_exit_ready(void *data, short revents)
{
    child_collect(data);
}

static void on_look(void *data)
{
    struct child *child = data;
    if (!child_collect(child))
        timer_start(child->loop, &child->look, LOOK_MS, on_look, child);
}

static void child_await_exit(struct child *child)
{
    child->pid_fd = pidfd_open(child->pid, 0);
    if (child->pid_fd < 0) {
        timer_start(child->loop, &child->look, LOOK_MS, on_look, child);
        return;
    }
    fcntl(child->pid_fd, F_SETFD, FD_CLOEXEC);
    child->exit_watch = fd_watch(child->loop, child->pid_fd, POLLIN, on_exit_ready, child);
}

static void on_limit(void *data)
{
    struct child *child = data;
    child_trouble(child, str_copy("took too long and was stopped"));
    child_kill(child);
}

static void on_failed_start(void *data)
{
    child_finish(data);
}

static bool is_set_in(char *const *strings, const char *string)
{
    size_t name = strcspn(string, "=") + 1;
    for (; strings && *strings; strings++)
        if (strncmp(*strings, string, name) == 0)
            return true;
    return false;
}

/* Ours and theirs, which go before ours of the same name. Only the array is the caller's. */
static char **environment_join(char *const *theirs)
{
    size_t count = 0, made = 0;
    while (environ[count])
        count++;
    for (size_t i = 0; theirs && theirs[i]; i++)
        count++;
    char **all = mem_alloc((count + 1) * sizeof(char *));
    for (size_t i = 0; environ[i]; i++)
        if (!is_set_in(theirs, environ[i]))
            all[made++] = environ[i];
    for (size_t i = 0; theirs && theirs[i]; i++)
        all[made++] = theirs[i];
    return all;
}

/* Returns 0 or an errno. */
static int child_spawn(struct child *child, const struct child_spec *spec, int out, int err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, 1);
    posix_spawn_file_actions_adddup2(&actions, err, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    char **environment AUTO_FREE = environment_join(spec->environment);
    int code = posix_spawnp(&child->pid, spec->command[0], &actions, &attributes, spec->command,
                            environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (code)
        child->pid = 0;
    return code;
}

static int output_open(struct output *output, int *ret_write_end)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    output->fd = ends[0];
    *ret_write_end = ends[1];
    output->watch = fd_watch(output->child->loop, ends[0], POLLIN, on_output, output);
    return 0;
}

static int child_begin(struct child *child, const struct child_spec *spec)
{
    int out = -1, err = -1;
    int code = output_open(&child->out, &out);
    if (!code)
        code = output_open(&child->err, &err);
    if (!code)
        code = child_spawn(child, spec, out, err);
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return code;
}

struct child *child_start(struct loop *loop, const struct child_spec *spec, child_fn *on_end,
                          void *data)
{
    struct child *child = mem_alloc(sizeof *child);
    child->loop = loop;
    child->pid_fd = child->out.fd = child->err.fd = -1;
    child->out.child = child->err.child = child;
    child->on_end = on_end;
    child->data = data;
    int code = child_begin(child, spec);
    if (code) {
        child_trouble(child, str_format("could not be started: %s", strerror(code)));
        timer_start(loop, &child->timer, 0, on_failed_start, child);
    } else {
        timer_start_outside(loop, &child->timer, spec->limit_ms, on_limit, child);
        child_await_exit(child);
    }
    return child;
}
