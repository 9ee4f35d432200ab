// SPDX-License-Identifier: Apache-2.0
#include "loop/file_watch.h"

#include "base/alloc.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder, and the name in it that is of interest. */
struct place {
    int number; /* inotify's; -1: none */
    char *folder, *name;
};

struct file_watch {
    int fd;
    struct fd_watch *ready;
    char *path;
    struct place near; /* of the path as it was given … */
    struct place far;  /* … and where its links lead */
    void (*on_change)(void *data);
    void *data;
};

static void place_init(struct place *place, const char *path)
{
    char *one AUTO_FREE = str_copy(path), *two AUTO_FREE = str_copy(path);
    place->number = -1;
    place->folder = str_copy(dirname(one));
    place->name = str_copy(basename(two));
}

static void place_done(struct place *place)
{
    free(place->folder);
    free(place->name);
    place->folder = place->name = NULL;
}

static void place_watch(struct file_watch *watch, struct place *place)
{
    place->number = inotify_add_watch(watch->fd, place->folder,
                                      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR);
}

/* The links may lead elsewhere than before. */
static void follow_links(struct file_watch *watch)
{
    char *end AUTO_FREE = realpath(watch->path, NULL);
    struct place far = {.number = -1};
    if (!end)
        return;
    place_init(&far, end);
    place_watch(watch, &far);
    if (watch->far.number >= 0 && watch->far.number != far.number &&
        watch->far.number != watch->near.number)
        inotify_rm_watch(watch->fd, watch->far.number);
    place_done(&watch->far);
    watch->far = far;
}

static bool is_link(const struct place *place, const char *name)
{
    struct stat stat;
    char *path AUTO_FREE = str_format("%s/%s", place->folder, name);
    return lstat(path, &stat) == 0 && S_ISLNK(stat.st_mode);
}

/* A file that has only been created is still empty; a link is complete at once. */
static bool concerns(const struct place *place, const struct inotify_event *event)
{
    if (event->wd != place->number || !event->len)
        return false;
    if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO) && strcmp(event->name, place->name) == 0)
        return true;
    return event->mask & (IN_MOVED_TO | IN_CREATE) && is_link(place, event->name);
}

/* Reads what inotify has to say; is the file among it? When events were lost, it may be. */
static bool read_events(const struct file_watch *watch)
{
    _Alignas(struct inotify_event) char buffer[16 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    bool found = false;
    ssize_t got;
    while ((got = read(watch->fd, buffer, sizeof buffer)) > 0)
        for (const char *at = buffer; at < buffer + got;) {
            const struct inotify_event *event = (const void *)at;
            found = found || event->mask & IN_Q_OVERFLOW || concerns(&watch->near, event) ||
                    (watch->far.name && concerns(&watch->far, event));
            at += sizeof *event + event->len;
        }
    return found;
}

static void on_ready(void *data, short revents)
{
    struct file_watch *watch = data;
    (void)revents;
    if (!read_events(watch))
        return;
    follow_links(watch);
    watch->on_change(watch->data);
}

static int open_inotify(struct file_watch *watch, struct loop *loop, struct error *err)
{
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0)
        return error_set(err, ERR_RETRY, "inotify: %s", strerror(errno));
    place_init(&watch->near, watch->path);
    place_watch(watch, &watch->near);
    if (watch->near.number < 0) {
        int code = errno == ENOENT ? ERR_MISSING : errno == ENOSPC ? ERR_RETRY : ERR_DENIED;
        return error_set(err, code, "%s can't be watched: %s", watch->near.folder, strerror(errno));
    }
    follow_links(watch);
    watch->ready = fd_watch(loop, watch->fd, POLLIN, on_ready, watch);
    return watch->ready ? OK : error_set(err, ERR_RETRY, "epoll: %s", strerror(errno));
}

int file_watch_open(struct loop *loop, const char *path, void (*on_change)(void *data), void *data,
                    struct file_watch **ret_watch, struct error *err)
{
    struct file_watch *watch = mem_alloc(sizeof *watch);
    watch->path = str_copy(path);
    watch->far.number = -1;
    watch->on_change = on_change;
    watch->data = data;
    int code = open_inotify(watch, loop, err);
    if (code < 0)
        file_watch_close(watch);
    else
        *ret_watch = watch;
    return code;
}

void file_watch_close(struct file_watch *watch)
{
    if (!watch)
        return;
    fd_unwatch(watch->ready);
    if (watch->fd >= 0)
        close(watch->fd);
    place_done(&watch->near);
    place_done(&watch->far);
    free(watch->path);
    free(watch);
}
