// SPDX-License-Identifier: Apache-2.0
#include "cli/fleet.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS_MOST = 64 };

struct worker {
    pid_t pid;
    int fd; /* a line of JSON for each wave; -1: it has ended */
    struct text line;
};

struct crew {
    const struct fleet_spec *spec;
    struct fleet *fleet;
    struct worker workers[WORKERS_MOST];
    int from, to;   /* the waves that are being played */
    int64_t memory; /* of the processes that play them */
};

/* ── A process that plays ─────────────────────────────────────────────────────────────────── */

static int wave_size(const struct fleet_spec *spec, int wave)
{
    int left = spec->copies - wave * spec->wave;
    return left < spec->wave ? left : spec->wave;
}

static void write_line(int fd, const json_t *json)
{
    FILE *stream = fdopen(dup(fd), "w");
    char *text AUTO_FREE = json_text(json);
    if (!stream)
        _exit(EXIT_FAILURE);
    fprintf(stream, "%s\n", text);
    if (fclose(stream) != 0)
        _exit(EXIT_FAILURE);
}

/* Every so-many-th wave. */
static void play_waves(const struct crew *crew, int worker, int fd)
{
    const struct fleet_spec *spec = crew->spec;
    for (int wave = crew->from + worker; wave < crew->to; wave += crew->fleet->workers) {
        json_t *report AUTO_JSON = fleet_wave(spec, wave * spec->wave + 1, wave_size(spec, wave));
        json_object_set_new(report, "copies", json_integer(wave_size(spec, wave)));
        write_line(fd, report);
    }
}

static int worker_start(struct crew *crew, int index, struct error *err)
{
    struct worker *worker = &crew->workers[index];
    int fds[2];
    if (pipe(fds) < 0)
        return error_set(err, ERR_RETRY, "no pipe: %s", strerror(errno));
    fflush(NULL);
    worker->pid = fork();
    if (worker->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(fds[0]);
        play_waves(crew, index, fds[1]);
        _exit(EXIT_SUCCESS);
    }
    close(fds[1]);
    worker->fd = fds[0];
    return worker->pid < 0 ? error_set(err, ERR_RETRY, "no process: %s", strerror(errno)) : OK;
}

static void worker_end(struct crew *crew, struct worker *worker)
{
    struct rusage usage = {0};
    if (worker->fd >= 0)
        close(worker->fd);
    worker->fd = -1;
    if (worker->pid > 0) {
        kill(worker->pid, SIGKILL);
        wait4(worker->pid, NULL, 0, &usage);
    }
    worker->pid = 0;
    crew->memory += usage.ru_maxrss * 1024;
    crew->fleet->cpu_seconds +=
        (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
        (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    text_done(&worker->line);
}

/* ── The crew ─────────────────────────────────────────────────────────────────────────────── */

static void show_progress(const struct crew *crew)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%d of %d copies\033[K", crew->fleet->played, crew->spec->copies);
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static int take_line(struct crew *crew, const char *line, size_t length, struct error *err)
{
    json_t *report AUTO_JSON = NULL;
    int code = json_parse(line, length, &report, err);
    if (code == OK)
        code = fleet_add_wave(crew->fleet, report, err);
    show_progress(crew);
    return code;
}

/* A wave that came to the limit of time counts, and the others are played too. */
static int take_lines(struct crew *crew, struct worker *worker, struct error *err)
{
    int code = OK;
    char *end;
    while ((code == OK || code == ERR_LIMIT) && worker->line.len &&
           (end = memchr(worker->line.at, '\n', worker->line.len))) {
        size_t length = (size_t)(end - worker->line.at);
        int taken = take_line(crew, worker->line.at, length, err);
        code = taken < 0 ? taken : code;
        text_drop(&worker->line, length + 1);
    }
    return code;
}

static int read_worker(struct crew *crew, struct worker *worker, struct error *err)
{
    char piece[64 << 10];
    ssize_t count = read(worker->fd, piece, sizeof piece);
    if (count > 0) {
        text_add(&worker->line, piece, (size_t)count);
        return take_lines(crew, worker, err);
    }
    worker_end(crew, worker);
    return OK;
}

static size_t list_fds(struct crew *crew, struct pollfd fds[WORKERS_MOST],
                       struct worker *of[WORKERS_MOST])
{
    size_t count = 0;
    for (int i = 0; i < crew->fleet->workers; i++)
        if (crew->workers[i].fd >= 0) {
            of[count] = &crew->workers[i];
            fds[count++] = (struct pollfd){.fd = crew->workers[i].fd, .events = POLLIN};
        }
    return count;
}

static int read_all(struct crew *crew, struct error *err)
{
    struct pollfd fds[WORKERS_MOST];
    struct worker *of[WORKERS_MOST];
    size_t count;
    int worst = OK;
    while ((count = list_fds(crew, fds, of)) > 0) {
        if (poll(fds, count, -1) < 0 && errno != EINTR)
            return error_set(err, ERR_RETRY, "poll: %s", strerror(errno));
        for (size_t i = 0; i < count; i++) {
            int code = fds[i].revents ? read_worker(crew, of[i], err) : OK;
            if (code < 0 && code != ERR_LIMIT)
                return code;
            worst = code < 0 ? code : worst;
        }
    }
    if (crew->fleet->played < crew->to * crew->spec->wave &&
        crew->fleet->played < crew->spec->copies)
        return error_set(err, ERR_BUG, "a process that played copies has ended early");
    return worst;
}

static int play_until(struct crew *crew, int to, struct error *err)
{
    int code = OK, workers = crew->fleet->workers;
    crew->from = crew->to;
    crew->to = to;
    crew->memory = 0;
    for (int i = 0; i < workers; i++)
        crew->workers[i].fd = -1;
    for (int i = 0; i < workers && code == OK; i++)
        code = worker_start(crew, i, err);
    if (code == OK)
        code = read_all(crew, err);
    for (int i = 0; i < workers; i++)
        worker_end(crew, &crew->workers[i]);
    if (crew->memory > crew->fleet->memory)
        crew->fleet->memory = crew->memory;
    return code;
}

static int play(struct crew *crew, struct error *err)
{
    int waves = (crew->spec->copies + crew->spec->wave - 1) / crew->spec->wave;
    bool sampled = waves > FLEET_SAMPLE && !crew->spec->every;
    int code = play_until(crew, sampled ? FLEET_SAMPLE : waves, err);
    if (!sampled || (code < 0 && code != ERR_LIMIT))
        return code;
    if (!fleet_is_alike(crew->fleet))
        return play_until(crew, waves, err);
    fleet_count_rest(crew->fleet, crew->spec->copies);
    return code;
}

static int worker_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors < 1)
        return 1;
    return processors < WORKERS_MOST ? (int)processors : WORKERS_MOST;
}

int fleet_play(const struct fleet_spec *spec, struct fleet *ret_fleet, struct error *err)
{
    struct fleet *fleet = ret_fleet;
    struct crew crew = {.spec = spec, .fleet = fleet};
    int64_t began_us = clock_monotonic_us();
    *fleet = (struct fleet){.workers = worker_count()};
    int code = play(&crew, err);
    end_progress();
    fleet->waves = crew.to;
    fleet->seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    return code;
}
