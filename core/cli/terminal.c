// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "base/alloc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other screen, and no cursor; and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"

enum { COLUMNS_UNKNOWN = 80, ROWS_UNKNOWN = 24 };

struct terminal {
    struct terminal_events events;
    void *data;
    struct screen_look look;
    struct termios before;
    bool keys;   /* standard input is a terminal; `before` is how it was */
    bool inside; /* the other screen is shown */
    char *shown; /* NULL: what is there isn't known */
    struct fd_watch *input;
};

static void write_all(const char *bytes, size_t count)
{
    while (count) {
        ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0 && errno != EINTR)
            return; /* the terminal has gone; SIGHUP tells */
        bytes += written > 0 ? written : 0;
        count -= written > 0 ? (size_t)written : 0;
    }
}

bool terminal_there(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}

const struct screen_look *terminal_look(const struct terminal *terminal)
{
    return &terminal->look;
}

/* $COLUMNS doesn't count: it is what the shell was told before the window was drawn larger. */
static void measure(struct terminal *terminal)
{
    const char *no_colour = getenv("NO_COLOR");
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    terminal->look = (struct screen_look){
        .columns = size.ws_col ? size.ws_col : COLUMNS_UNKNOWN,
        .rows = size.ws_row ? size.ws_row : ROWS_UNKNOWN,
        .colour = !no_colour || !*no_colour,
    };
}

static void enter(struct terminal *terminal)
{
    struct termios raw = terminal->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    if (terminal->keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    write_all(ENTER, strlen(ENTER));
    terminal->inside = true;
    str_replace(&terminal->shown, NULL);
}

static void leave(struct terminal *terminal)
{
    if (!terminal->inside)
        return;
    write_all(LEAVE, strlen(LEAVE));
    if (terminal->keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
    terminal->inside = false;
}

/* ---- what comes from outside ---- */

static void on_keys(void *data, short revents)
{
    struct terminal *terminal = data;
    char keys[64];
    ssize_t count = revents & POLLIN ? read(STDIN_FILENO, keys, sizeof keys) : 0;
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0 || memchr(keys, 'q', (size_t)count))
        terminal->events.on_end(terminal->data);
}

static void on_end_signal(void *data, int signal)
{
    struct terminal *terminal = data;
    (void)signal;
    terminal->events.on_end(terminal->data);
}

static void on_resize_signal(void *data, int signal)
{
    struct terminal *terminal = data;
    (void)signal;
    measure(terminal);
    str_replace(&terminal->shown, NULL);
    terminal->events.on_resize(terminal->data);
}

static void on_stop_signal(void *data, int signal)
{
    (void)signal;
    leave(data);
    raise(SIGSTOP);
}

/* The shell may have set the terminal its own way meanwhile, also when it wasn't ^Z that stopped
 * us. */
static void on_continue_signal(void *data, int signal)
{
    enter(data);
    on_resize_signal(data, signal);
}

static int signals_take(struct loop *loop, struct terminal *terminal, struct error *err)
{
    static const struct {
        int signal;
        signal_fn *on_signal;
    } all[] = {{SIGINT, on_end_signal},      {SIGTERM, on_end_signal},
               {SIGHUP, on_end_signal},      {SIGQUIT, on_end_signal},
               {SIGWINCH, on_resize_signal}, {SIGTSTP, on_stop_signal},
               {SIGCONT, on_continue_signal}};
    int code = OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && code == OK; i++)
        code = loop_on_signal(loop, all[i].signal, all[i].on_signal, terminal, err);
    return code;
}

/* ---- from the beginning to the end ---- */

int terminal_open(struct loop *loop, const struct terminal_events *events, void *data,
                  struct terminal **ret_terminal, struct error *err)
{
    struct terminal *terminal = mem_alloc(sizeof *terminal);
    terminal->events = *events;
    terminal->data = data;
    int code = signals_take(loop, terminal, err);
    if (code < 0) {
        free(terminal);
        return code;
    }
    terminal->keys = tcgetattr(STDIN_FILENO, &terminal->before) == 0;
    if (terminal->keys)
        terminal->input = fd_watch(loop, STDIN_FILENO, POLLIN, on_keys, terminal);
    measure(terminal);
    enter(terminal);
    *ret_terminal = terminal;
    return OK;
}

void terminal_show(struct terminal *terminal, const char *lines)
{
    struct text bytes AUTO(text_done) = {0};
    screen_draw(terminal->shown, lines, &terminal->look, &bytes);
    write_all(bytes.at, bytes.len);
    str_replace(&terminal->shown, lines);
}

void terminal_close(struct terminal *terminal, const char *lines)
{
    struct text bytes AUTO(text_done) = {0};
    fd_unwatch(terminal->input);
    leave(terminal);
    screen_print(lines, &terminal->look, &bytes);
    write_all(bytes.at, bytes.len);
    free(terminal->shown);
    free(terminal);
}
