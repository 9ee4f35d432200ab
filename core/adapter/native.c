// SPDX-License-Identifier: Apache-2.0
#include "adapter/native.h"

#include "adapter/file.h"
#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char schema_text[] =
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"name\":{\"type\":\"string\"},\"library\":{\"type\":\"string\"},"
    "\"sha256\":{\"type\":\"string\"},\"symbol\":{\"type\":\"string\"},"
    "\"returns\":{\"enum\":[\"int32\",\"int64\",\"double\",\"string\",\"json\"]},"
    "\"arguments\":{\"type\":\"array\",\"items\":{\"enum\":"
    "[\"int32\",\"int64\",\"double\",\"string\",\"json\"]}}},"
    "\"required\":[\"name\",\"library\",\"symbol\",\"returns\"],"
    "\"additionalProperties\":false}}";

static int check_form(const json_t *config, struct error *err)
{
    json_t *schema AUTO_JSON = NULL;
    int result = json_parse(schema_text, strlen(schema_text), &schema, err);
    return result < 0 ? result : schema_validate(schema, config, "native", err);
}

static const char *text_of(const json_t *function, const char *member)
{
    return json_string_value(json_object_get(function, member));
}

/* The function before this one that has a member in common; -1: none. */
static int earlier(const json_t *config, size_t index, const char *member)
{
    for (size_t i = 0; i < index; i++)
        if (str_equal(text_of(json_array_get(config, i), member),
                      text_of(json_array_get(config, index), member)))
            return (int)i;
    return -1;
}

static int open_library(const json_t *function, const char *adapter, struct natives *natives,
                        struct error *err)
{
    char digest[HASH_HEX_SIZE];
    int fd = -1;
    if (natives->fd_count == NATIVE_LIBRARIES)
        return error_set(err, ERR_INVALID, "library: expected at most %d different ones",
                         NATIVE_LIBRARIES);
    int result = file_open_checked(text_of(function, "library"), text_of(function, "sha256"), &fd,
                                   digest, err);
    if (result < 0)
        return result;
    if ((result = file_seal(&fd, adapter, digest, err)) < 0) {
        close(fd);
        return result;
    }
    natives->fds[natives->fd_count++] = fd;
    return OK;
}

/* A library is opened once, however many of its functions are declared. */
static int declare(const json_t *config, size_t index, const char *adapter, struct natives *natives,
                   json_t *declared, struct error *err)
{
    const json_t *function = json_array_get(config, index);
    const json_t *arguments = json_object_get(function, "arguments");
    int same = earlier(config, index, "library");
    if (earlier(config, index, "name") >= 0)
        return error_set(err, ERR_INVALID, "name: expected a name of its own, found \"%s\" twice",
                         text_of(function, "name"));
    int result = same < 0 ? open_library(function, adapter, natives, err) : OK;
    if (result < 0)
        return result;
    json_int_t file = same < 0 ? (json_int_t)natives->fd_count - 1
                               : json_int_at(json_array_get(declared, (size_t)same), "/file", 0);
    json_array_append_new(
        declared,
        json_pack("{s:s, s:s, s:s, s:o, s:I}", "name", text_of(function, "name"), "symbol",
                  text_of(function, "symbol"), "returns", text_of(function, "returns"), "arguments",
                  arguments ? json_deep_copy(arguments) : json_array(), "file", file));
    return OK;
}

int natives_open(const json_t *config, const char *adapter, struct natives *ret_natives,
                 struct error *err)
{
    struct natives natives = {0};
    json_t *declared AUTO_JSON = json_array();
    int result = config ? check_form(config, err) : OK;
    for (size_t i = 0; result == OK && i < json_array_size(config); i++) {
        result = declare(config, i, adapter, &natives, declared, err);
        if (result < 0)
            error_prefix(err, "native[%zu]", i);
    }
    if (result < 0) {
        natives_done(&natives);
        return result;
    }
    natives.declaration = json_array_size(declared) ? json_text(declared) : NULL;
    *ret_natives = natives;
    return OK;
}

void natives_done(struct natives *natives)
{
    for (size_t i = 0; i < natives->fd_count; i++)
        close(natives->fds[i]);
    free(natives->declaration);
    *natives = (struct natives){0};
}
