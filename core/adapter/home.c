// SPDX-License-Identifier: Apache-2.0
#include "adapter/home.h"

#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE_SIZE = 64 << 10, KEPT_SIZE = 256 << 10 };

/* AddressSanitizer reserves terabytes, which count as data. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static int home_spawn(struct home *home, const struct home_spec *spec, int theirs, int nowhere,
                      struct error *err)
{
    char name[] = "sluice-adapter-host";
    const struct natives none = {0}, *natives = spec->natives ? spec->natives : &none;
    char *arguments[] = {name, (char *)(uintptr_t)spec->object, natives->declaration, NULL};
    char *environment[] = {NULL};
    int fds[3 + NATIVE_LIBRARIES] = {theirs, spec->file, nowhere};
    memcpy(fds + 3, natives->fds, sizeof natives->fds);
    const struct spawn_spec start = {
        .program = spec->program,
        .arguments = arguments,
        .environment = environment,
        .fds = fds,
        .fd_count = 3 + natives->count,
        .memory_limit = SANITIZED ? 0 : spec->memory,
    };
    return spawn(&start, &home->pid, err);
}

int home_open(struct home *home, const struct home_spec *spec, struct error *err)
{
    int pair[2];
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int result = OK;
    if (nowhere < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        result =
            error_set(err, ERR_RETRY, "%s couldn't be started: %s", spec->program, strerror(errno));
    if (result == OK) {
        home->fd = pair[0];
        result = home_spawn(home, spec, pair[1], nowhere, err);
        close(pair[1]);
        if (result < 0)
            close(pair[0]);
    }
    if (nowhere >= 0)
        close(nowhere);
    return result;
}

static void say_how(int status, struct error *ret_how)
{
    if (WIFEXITED(status))
        error_set(ret_how, ERR_BUG, "its process ended with status %d", WEXITSTATUS(status));
    else if (WTERMSIG(status) == SIGSYS)
        error_set(ret_how, ERR_BUG,
                  "it asked the system for what an adapter may not have, and its process was ended "
                  "for that (signal %d, %s)",
                  SIGSYS, strsignal(SIGSYS));
    else
        error_set(ret_how, ERR_BUG, "its process was ended by signal %d (%s)", WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
}

void home_close(struct home *home, struct error *ret_how)
{
    if (!home->pid)
        return;
    say_how(spawn_end(home->pid), ret_how);
    close(home->fd);
    text_done(&home->out);
    text_done(&home->in);
    *home = (struct home){0};
}

bool home_restless(const struct home *home)
{
    char byte;
    return home->in.len || recv(home->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
           errno != EAGAIN;
}

/* How much the socket has taken, 0 when it takes nothing now. One whose other end was closed takes
 * all: reading tells. */
static size_t send_parts(int fd, struct iovec *parts, size_t count)
{
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    size_t whole = 0;
    ssize_t sent;
    for (size_t i = 0; i < count; i++)
        whole += parts[i].iov_len;
    do
        sent = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent < 0)
        return errno == EAGAIN ? 0 : whole;
    return (size_t)sent;
}

void home_send(struct home *home, uint32_t what, const char *bytes, size_t length)
{
    struct frame_header header = {.length = (uint32_t)length, .what = what};
    struct iovec parts[] = {{&header, sizeof header}, {(char *)(uintptr_t)bytes, length}};
    size_t sent = send_parts(home->fd, parts, 2);
    if (sent < sizeof header) {
        text_add(&home->out, (char *)&header + sent, sizeof header - sent);
        sent = sizeof header;
    }
    text_add(&home->out, bytes + (sent - sizeof header), length - (sent - sizeof header));
}

static void send_rest(struct home *home)
{
    struct iovec rest = {home->out.at, home->out.len};
    if (!home->out.len)
        return;
    text_drop(&home->out, send_parts(home->fd, &rest, 1));
    if (!home->out.len)
        text_done(&home->out);
}

const char *home_frame(const struct home *home, size_t *ret_length)
{
    *ret_length = home->in.len - sizeof(struct frame_header);
    return home->in.at + sizeof(struct frame_header);
}

/* A large answer's memory isn't kept for the next. */
void home_drop(struct home *home)
{
    text_clear(&home->in);
    if (home->in.size > KEPT_SIZE)
        text_done(&home->in);
}

/* How many bytes are missing until there is a frame; a header alone tells how long it is. */
static int frame_missing(const struct home *home, enum frame_kind kind, size_t max,
                         size_t *ret_missing, struct error *err)
{
    struct frame_header header;
    if (home->in.len < sizeof header) {
        *ret_missing = sizeof header - home->in.len;
        return OK;
    }
    memcpy(&header, home->in.at, sizeof header);
    if (header.what != kind)
        return error_set(err, ERR_BUG, "its process said something that it wasn't asked for");
    if (header.length > max)
        return error_set(err, ERR_BUG, "its process answered with more than %zu bytes", max);
    *ret_missing = sizeof header + header.length - home->in.len;
    return OK;
}

/* Reads at most what belongs to the present frame, so that it never stands before another. */
static int read_some(struct home *home, size_t missing, bool *ret_dry, struct error *err)
{
    char piece[PIECE_SIZE];
    ssize_t count;
    do
        count =
            recv(home->fd, piece, missing < sizeof piece ? missing : sizeof piece, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    *ret_dry = count < 0 && errno == EAGAIN;
    if (count == 0 || (count < 0 && !*ret_dry))
        return error_set(err, ERR_GONE, "its process closed its socket");
    if (count > 0)
        text_add(&home->in, piece, (size_t)count);
    return OK;
}

int home_turn(struct home *home, enum frame_kind kind, size_t max, bool *ret_there,
              struct error *err)
{
    bool dry = false;
    size_t missing = 0;
    send_rest(home);
    int result = frame_missing(home, kind, max, &missing, err);
    while (result == OK && missing && !dry) {
        result = read_some(home, missing, &dry, err);
        if (result == OK)
            result = frame_missing(home, kind, max, &missing, err);
    }
    if (result == OK)
        *ret_there = !missing;
    return result;
}

short home_events(const struct home *home)
{
    return home->out.len ? POLLIN | POLLOUT : POLLIN;
}
