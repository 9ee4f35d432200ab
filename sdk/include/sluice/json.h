/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for adapters that read and write JSON with jansson. Everything is static inline: an
 * adapter that uses this header links jansson itself, and nothing of jansson crosses the border.
 *
 * json_t follows jansson's rules: what a function returns is borrowed unless its comment says
 * otherwise; functions ending in _take own what they are given. One thread at a time.
 */
#ifndef SLUICE_JSON_H
#define SLUICE_JSON_H

#include <sluice/adapter.h>

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call and what it was asked; passed down by pointer. */
struct sluice_request {
    const sluice_host *host;
    sluice_call *call;
    json_t *json; /* the request; owned */
};

static inline sluice_text sluice_text_of(const char *string)
{
    sluice_text text = {string, strlen(string)};
    return text;
}

/* Says why, and returns `result` so that it can be written `return sluice_fail(…)`. */
__attribute__((format(printf, 4, 5))) static inline int32_t
sluice_fail(const struct sluice_request *request, int32_t result, const char *pointer,
            const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    request->host->fail(request->call, sluice_text_of(pointer), sluice_text_of(text));
    return result;
}

/* Reads the request; release it with sluice_request_close(). */
static inline int32_t sluice_request_open(struct sluice_request *request, const sluice_host *host,
                                          sluice_call *call, sluice_text text)
{
    json_error_t where;
    request->host = host;
    request->call = call;
    request->json = json_loadb(text.at, (size_t)text.length, JSON_REJECT_DUPLICATES, &where);
    if (!request->json)
        return sluice_fail(request, SLUICE_BUG, "", "the request is not JSON: line %d: %s",
                           where.line, where.text);
    return SLUICE_OK;
}

static inline void sluice_request_close(struct sluice_request *request)
{
    json_decref(request->json);
    request->json = NULL;
}

/* Runs `body` on the request that was read. */
static inline int32_t sluice_with_request(const sluice_host *host, sluice_call *call,
                                          sluice_text text,
                                          int32_t (*body)(const struct sluice_request *request))
{
    struct sluice_request request;
    int32_t result = sluice_request_open(&request, host, call, text);
    if (result == SLUICE_OK)
        result = body(&request);
    sluice_request_close(&request);
    return result;
}

/* Emits one JSON value; owns it. */
static inline int32_t sluice_emit_take(const struct sluice_request *request, uint32_t kind,
                                       json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text)
        return sluice_fail(request, SLUICE_BUG, "", "what is to be emitted can't be written");
    int32_t result = request->host->emit(request->call, kind, sluice_text_of(text));
    free(text);
    return result;
}

/* Reads one step of a JSON pointer into `step` (with ~1 and ~0 undone) and returns what follows. */
static inline const char *sluice_pointer_step(const char *pointer, char *step, size_t size)
{
    size_t length = 0;
    for (pointer++; *pointer && *pointer != '/'; pointer++) {
        char c = *pointer;
        if (c == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            c = *++pointer == '1' ? '/' : '~';
        if (length + 1 < size)
            step[length++] = c;
    }
    step[length] = '\0';
    return pointer;
}

/* What stands at a JSON pointer such as "/spec/replicas"; NULL if some step isn't there or is
 * null. Steps through objects only. */
static inline json_t *sluice_at(json_t *root, const char *pointer)
{
    char step[256];
    json_t *at = root;
    while (at && *pointer == '/') {
        pointer = sluice_pointer_step(pointer, step, sizeof step);
        at = json_object_get(at, step);
    }
    return json_is_null(at) ? NULL : at;
}

static inline int64_t sluice_int(json_t *root, const char *pointer, int64_t fallback)
{
    json_t *value = sluice_at(root, pointer);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

static inline bool sluice_bool(json_t *root, const char *pointer, bool fallback)
{
    json_t *value = sluice_at(root, pointer);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

/* "" for absent. */
static inline const char *sluice_string(json_t *root, const char *pointer)
{
    const char *value = json_string_value(sluice_at(root, pointer));
    return value ? value : "";
}

/* Puts a value at a pointer, making the objects on the way. Owns the value. Does nothing with a
 * text that is no pointer to a member, such as "". */
static inline void sluice_put_take(json_t *root, const char *pointer, json_t *value)
{
    char step[256];
    if (*pointer != '/') {
        json_decref(value);
        return;
    }
    pointer = sluice_pointer_step(pointer, step, sizeof step);
    while (*pointer) {
        json_t *child = json_object_get(root, step);
        if (!json_is_object(child)) {
            child = json_object();
            json_object_set_new(root, step, child);
        }
        root = child;
        pointer = sluice_pointer_step(pointer, step, sizeof step);
    }
    json_object_set_new(root, step, value);
}

/* The annotation of that name; "" for absent. */
static inline const char *sluice_annotation(json_t *object, const char *name)
{
    const char *value =
        json_string_value(json_object_get(sluice_at(object, "/metadata/annotations"), name));
    return value ? value : "";
}

/* Takes away what stands at a pointer, if that is a member of something. */
static inline void sluice_remove(json_t *root, const char *pointer)
{
    char step[256];
    if (*pointer != '/')
        return;
    pointer = sluice_pointer_step(pointer, step, sizeof step);
    while (*pointer && root) {
        root = json_object_get(root, step);
        pointer = sluice_pointer_step(pointer, step, sizeof step);
    }
    json_object_del(root, step);
}

/* The path with one more step, escaped; NULL when memory is out. The caller frees it. */
static inline char *sluice_pointer_join(const char *path, const char *step)
{
    size_t length = strlen(path);
    char *joined = (char *)malloc(length + 2 * strlen(step) + 2);
    if (!joined)
        return NULL;
    memcpy(joined, path, length);
    joined[length++] = '/';
    for (; *step; step++) {
        bool escape = *step == '~' || *step == '/';
        if (escape)
            joined[length++] = '~';
        joined[length++] = escape ? (*step == '/' ? '1' : '0') : *step;
    }
    joined[length] = '\0';
    return joined;
}

/* Appends the operation of a JSON patch for one value that differs: NULL is absent. What was
 * there is tested. Absence can't be tested: the caller tests the resource version instead. */
static inline void sluice_diff_value(json_t *patch, const char *path, json_t *before, json_t *after)
{
    if (before)
        json_array_append_new(
            patch, json_pack("{s:s, s:s, s:O}", "op", "test", "path", path, "value", before));
    if (!after)
        json_array_append_new(patch, json_pack("{s:s, s:s}", "op", "remove", "path", path));
    else
        json_array_append_new(patch, json_pack("{s:s, s:s, s:O}", "op", before ? "replace" : "add",
                                               "path", path, "value", after));
}

/* Appends the operations that turn `before` into `after`, object by object. Sets *ret_added when
 * one of them adds a member; otherwise it stays as the caller has set it. */
static inline void sluice_diff(json_t *patch, const char *path, json_t *before, json_t *after,
                               bool *ret_added)
{
    const char *key;
    json_t *value;
    if (before && after && json_equal(before, after))
        return;
    if (!json_is_object(before) || !json_is_object(after)) {
        *ret_added = *ret_added || !before;
        sluice_diff_value(patch, path, before, after);
        return;
    }
    json_object_foreach (before, key, value) {
        char *inner = sluice_pointer_join(path, key);
        if (inner)
            sluice_diff(patch, inner, value, json_object_get(after, key), ret_added);
        free(inner);
    }
    json_object_foreach (after, key, value) {
        char *inner = json_object_get(before, key) ? NULL : sluice_pointer_join(path, key);
        if (inner)
            sluice_diff(patch, inner, NULL, value, ret_added);
        free(inner);
    }
}

/* Puts a test in front of a patch. */
static inline void sluice_patch_test(json_t *patch, json_t *before, const char *path)
{
    json_array_insert_new(
        patch, 0,
        json_pack("{s:s, s:s, s:O}", "op", "test", "path", path, "value", sluice_at(before, path)));
}

/* Emits a JSON patch of the workload that makes `before` into `after`; nothing when they are
 * equal. It tests all that it replaces, and what stands at the pointers in `relies_on` (ends in
 * NULL; may be NULL). The parent of whatever is added must be kept whole by the manifest, so that
 * it is certain whether it is there. */
static inline int32_t sluice_emit_changes(const struct sluice_request *request, json_t *before,
                                          json_t *after, const char *const *relies_on)
{
    bool absent = false;
    json_t *patch = json_array();
    sluice_diff(patch, "", before, after, &absent);
    if (json_array_size(patch) == 0) {
        json_decref(patch);
        return SLUICE_OK;
    }
    for (; relies_on && *relies_on; relies_on++) {
        if (sluice_at(before, *relies_on))
            sluice_patch_test(patch, before, *relies_on);
        else
            absent = true;
    }
    if (absent && sluice_at(before, "/metadata/resourceVersion"))
        sluice_patch_test(patch, before, "/metadata/resourceVersion");
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "json", "body", patch));
}

#endif
