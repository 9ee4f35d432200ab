// SPDX-License-Identifier: Apache-2.0
#include "adapter/native.h"

#include "adapter/file.h"
#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DECLARATION_MAX = 64 << 10 };

static const char schema_text[] =
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"name\":{\"type\":\"string\"},\"library\":{\"type\":\"string\"},"
    "\"sha256\":{\"type\":\"string\"},\"symbol\":{\"type\":\"string\"},"
    "\"returns\":{\"enum\":[\"bool\",\"int32\",\"int64\",\"double\",\"string\",\"json\"]},"
    "\"arguments\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{"
    "\"bool\":{},\"int32\":{},\"int64\":{},\"double\":{},\"string\":{},\"json\":{}},"
    "\"additionalProperties\":false}}},"
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

/* ---- libraries ---- */

static int open_library(const json_t *function, const char *adapter, struct natives *natives,
                        struct error *err)
{
    struct native_library *library = &natives->libraries[natives->count];
    int fd = -1;
    if (natives->count == NATIVE_LIBRARIES)
        return error_set(err, ERR_INVALID, "library: expected at most %d different ones, found %s",
                         NATIVE_LIBRARIES, text_of(function, "library"));
    int result = file_open_checked(text_of(function, "library"), text_of(function, "sha256"), &fd,
                                   library->digest, err);
    if (result < 0)
        return result;
    if ((result = file_seal(&fd, adapter, library->digest, err)) < 0) {
        close(fd);
        return result;
    }
    library->file = str_copy(text_of(function, "library"));
    natives->fds[natives->count++] = fd;
    return OK;
}

/* A library is opened once, however many of its functions are declared. */
static int find_library(const json_t *function, const char *adapter, struct natives *natives,
                        size_t *ret_index, struct error *err)
{
    size_t index = 0;
    while (index < natives->count &&
           !str_equal(natives->libraries[index].file, text_of(function, "library")))
        index++;
    *ret_index = index;
    return index < natives->count ? file_check_digest(natives->libraries[index].digest,
                                                      text_of(function, "sha256"), err)
                                  : open_library(function, adapter, natives, err);
}

/* ---- functions ---- */

static bool is_pointer(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && text[0] == '/';
}

static const char *const type_names[NATIVE_TYPES] = {"bool",   "int32",  "int64",
                                                     "double", "string", "json"};

const char *native_type_name(enum native_type type)
{
    return type_names[type];
}

enum native_type native_type_of(const char *name)
{
    enum native_type type = NATIVE_BOOL;
    while (type < NATIVE_TYPES && !str_equal(name, type_names[type]))
        type++;
    return type;
}

bool native_type_fits(enum native_type type, const json_t *value)
{
    json_int_t number = json_integer_value(value);
    switch (type) {
    case NATIVE_BOOL:
        return json_is_boolean(value);
    case NATIVE_INT32:
        return json_is_integer(value) && number >= INT32_MIN && number <= INT32_MAX;
    case NATIVE_INT64:
        return json_is_integer(value);
    case NATIVE_DOUBLE:
        return json_is_number(value);
    case NATIVE_STRING: /* a C string ends at the first NUL */
        return json_is_string(value) &&
               strlen(json_string_value(value)) == json_string_length(value);
    case NATIVE_JSON:
        return true;
    case NATIVE_TYPES:
        break;
    }
    return false;
}

/* {int32: /spec/replicas} or {int32: 5}: what begins with a slash stands in the workload. */
static int declare_argument(json_t *argument, json_t *declared, struct error *err)
{
    const char *type = json_object_iter_key(json_object_iter(argument));
    json_t *value = json_object_get(argument, type ? type : "");
    if (json_object_size(argument) != 1)
        return error_set(
            err, ERR_INVALID,
            "expected one type with a pointer or a value, such as json: /status, found "
            "%zu members",
            json_object_size(argument));
    if (!is_pointer(value) && !native_type_fits(native_type_of(type), value))
        return error_set(
            err, ERR_INVALID,
            "expected a pointer such as /status/ready, or a value of type %s, found %s", type,
            json_type_name(value));
    return json_array_append_new(declared, json_pack("{s:s, s:O}", "type", type,
                                                     is_pointer(value) ? "from" : "value", value));
}

static int declare_arguments(const json_t *function, json_t *declared, struct error *err)
{
    size_t i;
    json_t *argument;
    json_array_foreach (json_object_get(function, "arguments"), i, argument)
        if (declare_argument(argument, declared, err) < 0) {
            error_prefix(err, "arguments[%zu]", i);
            return err->code;
        }
    return OK;
}

static int check_name(const json_t *config, size_t index, struct error *err)
{
    const char *name = text_of(json_array_get(config, index), "name");
    if (!*name)
        return error_set(err, ERR_INVALID, "name: expected a text that isn't empty");
    for (size_t i = 0; i < index; i++)
        if (str_equal(text_of(json_array_get(config, i), "name"), name))
            return error_set(err, ERR_INVALID, "name: expected every name once, found \"%s\" twice",
                             name);
    return OK;
}

static int declare(const json_t *config, size_t index, const char *adapter, struct natives *natives,
                   json_t *declared, struct error *err)
{
    const json_t *function = json_array_get(config, index);
    json_t *arguments = json_array();
    size_t library = 0;
    int result = check_name(config, index, err);
    if (result == OK)
        result = declare_arguments(function, arguments, err);
    if (result == OK)
        result = find_library(function, adapter, natives, &library, err);
    json_array_append_new(declared,
                          json_pack("{s:s, s:s, s:s, s:o, s:I}", "name", text_of(function, "name"),
                                    "symbol", text_of(function, "symbol"), "returns",
                                    text_of(function, "returns"), "arguments", arguments, "library",
                                    (json_int_t)library));
    return result;
}

/* Its process is given them as an argument, and Linux takes no longer one than 128 KiB. */
static int check_size(const char *declaration, struct error *err)
{
    size_t size = declaration ? strlen(declaration) : 0;
    return size <= DECLARATION_MAX
               ? OK
               : error_set(err, ERR_INVALID,
                           "native: expected declarations of at most %d bytes, found %zu",
                           DECLARATION_MAX, size);
}

int natives_open(const json_t *config, const char *adapter, struct natives *ret_natives,
                 struct error *err)
{
    json_t *declared AUTO_JSON = json_array();
    *ret_natives = (struct natives){0};
    if (!config)
        return OK;
    int result = check_form(config, err);
    for (size_t i = 0; result == OK && i < json_array_size(config); i++) {
        result = declare(config, i, adapter, ret_natives, declared, err);
        if (result < 0)
            error_prefix(err, "native[%zu]", i);
    }
    ret_natives->config = json_deep_copy(config);
    ret_natives->declaration = json_array_size(declared) ? json_text(declared) : NULL;
    return result < 0 ? result : check_size(ret_natives->declaration, err);
}

void natives_done(struct natives *natives)
{
    for (size_t i = 0; i < natives->count; i++) {
        free(natives->libraries[i].file);
        close(natives->fds[i]);
    }
    free(natives->declaration);
    json_decref(natives->config);
    *natives = (struct natives){0};
}

bool natives_fit(const struct natives *natives, const json_t *config)
{
    return natives->config && config ? json_equal(natives->config, config)
                                     : !natives->config == !config;
}

bool natives_fresh(const struct natives *natives)
{
    char digest[HASH_HEX_SIZE];
    for (size_t i = 0; i < natives->count; i++)
        if (file_digest(natives->libraries[i].file, digest, NULL) < 0 ||
            strcmp(digest, natives->libraries[i].digest) != 0)
            return false;
    return true;
}

/* ---- telling ---- */

static json_t *reads_of(const json_t *function)
{
    json_t *reads = json_array(), *argument;
    const char *type;
    json_t *value;
    size_t i;
    json_array_foreach (json_object_get(function, "arguments"), i, argument)
        json_object_foreach (argument, type, value)
            if (is_pointer(value))
                json_array_append(reads, value);
    return reads;
}

json_t *natives_told(const struct natives *natives)
{
    json_t *told = natives->config ? json_object() : NULL, *function;
    size_t i;
    json_array_foreach (natives->config, i, function)
        json_object_set_new(told, text_of(function, "name"),
                            json_pack("{s:s, s:o}", "returns", text_of(function, "returns"),
                                      "reads", reads_of(function)));
    return told;
}

static const char *digest_of(const struct natives *natives, const char *file)
{
    for (size_t i = 0; i < natives->count; i++)
        if (str_equal(natives->libraries[i].file, file))
            return natives->libraries[i].digest;
    return "";
}

json_t *natives_about(const struct natives *natives)
{
    json_t *about = json_array(), *function;
    size_t i;
    json_array_foreach (natives->config, i, function) {
        const char *file = text_of(function, "library");
        json_array_append_new(about,
                              json_pack("{s:s, s:s, s:s, s:s}", "name", text_of(function, "name"),
                                        "file", file, "sha256", digest_of(natives, file), "symbol",
                                        text_of(function, "symbol")));
    }
    return about;
}
