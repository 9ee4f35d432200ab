// SPDX-License-Identifier: Apache-2.0
#include "cluster/file_text.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 20 };

void file_text_set_path(struct file_text *file, const char *path)
{
    str_replace(&file->path, path);
    file_text_refresh(file);
}

void file_text_refresh(struct file_text *file)
{
    file->seen = (struct stat){0};
}

void file_text_set_take(struct file_text *file, char *text, size_t length)
{
    file_text_done(file);
    file->text = text;
    file->length = length;
}

void file_text_done(struct file_text *file)
{
    free(file->path);
    free(file->text);
    *file = (struct file_text){0};
}

bool file_text_given(const struct file_text *file)
{
    return file->path || file->text;
}

int file_read(const char *path, char **ret_text, size_t *ret_length, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, ERR_MISSING, "%s: %s", path, strerror(errno));
    struct text content AUTO(text_done) = {0};
    char piece[4096];
    ssize_t count;
    while ((count = read(fd, piece, sizeof piece)) > 0 && content.len <= FILE_LIMIT)
        text_add(&content, piece, (size_t)count);
    int code = OK;
    if (count < 0)
        code = error_set(err, ERR_MISSING, "%s: %s", path, strerror(errno));
    else if (content.len > FILE_LIMIT)
        code = error_set(err, ERR_LIMIT, "%s is larger than %d bytes", path, FILE_LIMIT);
    close(fd);
    if (code < 0)
        return code;
    *ret_length = content.len;
    *ret_text = text_steal(&content);
    return OK;
}

bool file_is_there(const char *path)
{
    struct stat now;
    return stat(path, &now) == 0;
}

static bool file_changed(const struct stat *a, const struct stat *b)
{
    return a->st_ino != b->st_ino || a->st_dev != b->st_dev || a->st_size != b->st_size ||
           a->st_mtim.tv_sec != b->st_mtim.tv_sec || a->st_mtim.tv_nsec != b->st_mtim.tv_nsec;
}

static int file_text_update(struct file_text *file, struct error *err)
{
    struct stat now;
    if (stat(file->path, &now) < 0)
        return error_set(err, ERR_MISSING, "%s: %s", file->path, strerror(errno));
    if (file->text && !file_changed(&now, &file->seen))
        return OK;
    char *text;
    size_t length;
    int code = file_read(file->path, &text, &length, err);
    if (code < 0)
        return code;
    free(file->text);
    file->text = text;
    file->length = length;
    file->seen = now;
    return OK;
}

int file_text_get(struct file_text *file, const char **ret_text, size_t *ret_length,
                  struct error *err)
{
    if (file->path) {
        int code = file_text_update(file, err);
        if (code < 0 && !file->text)
            return code;
    }
    if (!file->text)
        return error_set(err, ERR_MISSING, "there is no such text");
    *ret_text = file->text;
    *ret_length = file->length;
    return OK;
}
