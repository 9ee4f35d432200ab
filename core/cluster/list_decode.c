// SPDX-License-Identifier: Apache-2.0
#include "cluster/list_decode.h"

#include "base/alloc.h"
#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LIMIT = 256, ASIDE_LIMIT = 64 * 1024 };

/* Where in the document the next byte belongs. */
enum place {
    BEFORE,      /* the opening brace comes */
    FIRST_KEY,   /* a key, or the closing brace of an empty object */
    KEY,         /* a key, after a comma */
    IN_KEY,      /* inside a key's quotes */
    COLON,       /* after a key */
    VALUE_START, /* after a colon */
    IN_VALUE,    /* a value beside the items */
    AFTER_VALUE, /* a comma or the closing brace */
    FIRST_ITEM,  /* an item, or the closing bracket of no items */
    ITEM_START,  /* an item, after a comma */
    IN_ITEM,
    AFTER_ITEM, /* a comma or the closing bracket */
    BEHIND,     /* the document is complete */
};

struct list_decode {
    size_t limit;
    list_item_fn *on_item;
    void *data;
    enum place place;

    /* Inside a value or an item. */
    size_t depth;
    bool in_string, escaped;
    bool bare; /* a number, true, false or null: ends where something else begins */

    struct text key, part; /* the key; what earlier chunks held of the present value */
    char *version, *more, *api_version, *kind;
};

struct list_decode *list_decode_new(size_t limit, list_item_fn *on_item, void *data)
{
    struct list_decode *decode = mem_alloc(sizeof *decode);
    decode->limit = limit;
    decode->on_item = on_item;
    decode->data = data;
    return decode;
}

void list_decode_free(struct list_decode *decode)
{
    if (!decode)
        return;
    text_done(&decode->key);
    text_done(&decode->part);
    free(decode->version);
    free(decode->more);
    free(decode->api_version);
    free(decode->kind);
    free(decode);
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

const char *list_decode_version(const struct list_decode *decode)
{
    return or_empty(decode->version);
}

const char *list_decode_continue(const struct list_decode *decode)
{
    return or_empty(decode->more);
}

const char *list_decode_api_version(const struct list_decode *decode)
{
    return or_empty(decode->api_version);
}

const char *list_decode_kind(const struct list_decode *decode)
{
    return or_empty(decode->kind);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool key_is(const struct list_decode *decode, const char *name)
{
    return str_equal(decode->key.at, name);
}

/* A value whose content matters; the others are skipped. */
static bool is_wanted(const struct list_decode *decode)
{
    return key_is(decode, "metadata") || key_is(decode, "apiVersion") || key_is(decode, "kind");
}

static void value_keep(struct list_decode *decode, const json_t *value)
{
    if (key_is(decode, "apiVersion"))
        str_replace(&decode->api_version, json_string_value(value));
    if (key_is(decode, "kind"))
        str_replace(&decode->kind, json_string_value(value));
    if (!key_is(decode, "metadata"))
        return;
    str_replace(&decode->version, json_string_value(json_object_get(value, "resourceVersion")));
    str_replace(&decode->more, json_string_value(json_object_get(value, "continue")));
}

static int bad_list(struct error *err, const char *what)
{
    return error_set(err, ERR_INVALID, "this is not a Kubernetes list: %s", what);
}

/* What is kept or handed on must not be larger than this. */
static int check_size(const struct list_decode *decode, size_t count, struct error *err)
{
    bool item = decode->place == IN_ITEM;
    size_t limit = item ? decode->limit : ASIDE_LIMIT;
    if (count <= limit)
        return OK;
    return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes",
                     item ? "an item" : decode->key.at, limit);
}

/* A whole value or item stands in `bytes`. */
static int whole(struct list_decode *decode, const char *bytes, size_t count, struct error *err)
{
    bool item = decode->place == IN_ITEM;
    bool wanted = item || is_wanted(decode);
    int code = wanted ? check_size(decode, count, err) : OK;
    decode->place = item ? AFTER_ITEM : AFTER_VALUE;
    if (code < 0 || !wanted)
        return code;
    if (item)
        return decode->on_item(decode->data, bytes, count);
    json_t *value = json_loadb(bytes, count, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (!value)
        return bad_list(err, "a value beside the items is not JSON");
    value_keep(decode, value);
    json_decref(value);
    return OK;
}

/* Keeps what this chunk holds of a value that goes on in the next one. */
static int keep_part(struct list_decode *decode, const char *bytes, size_t count, struct error *err)
{
    if (decode->place == IN_VALUE && !is_wanted(decode))
        return OK;
    int code = check_size(decode, decode->part.len + count, err);
    if (code == OK)
        text_add(&decode->part, bytes, count);
    return code;
}

/* Steps over one byte of a string. */
static void string_step(struct list_decode *decode, char c)
{
    if (decode->escaped)
        decode->escaped = false;
    else if (c == '\\')
        decode->escaped = true;
    else if (c == '"')
        decode->in_string = false;
}

/* Steps over one byte of a value. True when the value ends before this byte (*ret_with = 0) or with
 * it (1). */
static bool value_step(struct list_decode *decode, char c, size_t *ret_with)
{
    *ret_with = 1;
    if (decode->in_string) {
        string_step(decode, c);
        return !decode->in_string && decode->depth == 0;
    }
    if (decode->bare) {
        *ret_with = 0;
        return c == ',' || c == '}' || c == ']' || is_space(c);
    }
    if (c == '"')
        decode->in_string = true;
    else if (c == '{' || c == '[')
        decode->depth++;
    else if (c == '}' || c == ']')
        return --decode->depth == 0;
    return false;
}

/* Steps through a value up to its end or the end of the chunk; *ret_used bytes belong to it. */
static int value_feed(struct list_decode *decode, const char *bytes, size_t count, size_t *ret_used,
                      struct error *err)
{
    size_t i = 0, with = 0;
    bool ended = false;
    while (i < count && !ended) {
        ended = value_step(decode, bytes[i], &with);
        i += ended ? with : 1;
    }
    *ret_used = i;
    if (!ended)
        return keep_part(decode, bytes, i, err);
    if (!decode->part.len)
        return whole(decode, bytes, i, err);
    int code = keep_part(decode, bytes, i, err);
    if (code < 0)
        return code;
    struct text part AUTO(text_done) = decode->part;
    decode->part = (struct text){0};
    return whole(decode, part.at, part.len, err);
}

/* The first byte of a value decides how its end is found. */
static int value_begin(struct list_decode *decode, char c, struct error *err)
{
    if (c == ',' || c == ':' || c == '}' || c == ']')
        return bad_list(err, "a value is missing");
    decode->depth = 0;
    decode->in_string = decode->escaped = false;
    decode->bare = c != '"' && c != '{' && c != '[';
    decode->place = IN_VALUE;
    return OK;
}

static int key_step(struct list_decode *decode, char c, struct error *err)
{
    string_step(decode, c);
    if (!decode->in_string) {
        decode->place = COLON;
        return OK;
    }
    if (decode->key.len >= KEY_LIMIT)
        return bad_list(err, "a key is too long");
    text_add(&decode->key, &c, 1);
    return OK;
}

/* Goes on to `next` when the byte is the expected one. */
static int expect(struct list_decode *decode, char c, char expected, enum place next,
                  struct error *err)
{
    if (c != expected)
        return error_set(err, ERR_INVALID,
                         "this is not a Kubernetes list: found '%c' where '%c' should be", c,
                         expected);
    decode->place = next;
    return OK;
}

static int key_begin(struct list_decode *decode, char c, struct error *err)
{
    text_clear(&decode->key);
    text_add(&decode->key, "", 0);
    decode->in_string = true;
    decode->escaped = false;
    return expect(decode, c, '"', IN_KEY, err);
}

static int item_begin(struct list_decode *decode, char c, struct error *err)
{
    if (c != '{')
        return bad_list(err, "an item is not an object");
    value_begin(decode, c, err);
    decode->place = IN_ITEM;
    return OK;
}

/* One byte between the values; white space has been skipped. */
static int step(struct list_decode *decode, char c, struct error *err)
{
    switch (decode->place) {
    case BEFORE:
        return expect(decode, c, '{', FIRST_KEY, err);
    case FIRST_KEY:
        return c == '}' ? expect(decode, c, '}', BEHIND, err) : key_begin(decode, c, err);
    case KEY:
        return key_begin(decode, c, err);
    case COLON:
        return expect(decode, c, ':', VALUE_START, err);
    case VALUE_START:
        if (c == '[' && key_is(decode, "items"))
            return expect(decode, c, '[', FIRST_ITEM, err);
        return value_begin(decode, c, err);
    case AFTER_VALUE:
        return c == '}' ? expect(decode, c, '}', BEHIND, err) : expect(decode, c, ',', KEY, err);
    case FIRST_ITEM:
        return c == ']' ? expect(decode, c, ']', AFTER_VALUE, err) : item_begin(decode, c, err);
    case ITEM_START:
        return item_begin(decode, c, err);
    case AFTER_ITEM:
        return c == ']' ? expect(decode, c, ']', AFTER_VALUE, err)
                        : expect(decode, c, ',', ITEM_START, err);
    case BEHIND:
        return bad_list(err, "something follows its end");
    case IN_KEY:
    case IN_VALUE:
    case IN_ITEM:
    default:
        return error_set(err, ERR_BUG, "list_decode: step inside a value");
    }
}

static bool is_inside(const struct list_decode *decode)
{
    return decode->place == IN_VALUE || decode->place == IN_ITEM;
}

int list_decode_feed(struct list_decode *decode, const char *bytes, size_t count, struct error *err)
{
    int code = OK;
    size_t i = 0;
    while (i < count && code == OK) {
        char c = bytes[i];
        size_t used = 1;
        if (decode->place == IN_KEY)
            code = key_step(decode, c, err);
        else if (!is_inside(decode) && !is_space(c))
            code = step(decode, c, err);
        /* The byte that begins a value belongs to it. */
        if (code == OK && is_inside(decode))
            code = value_feed(decode, bytes + i, count - i, &used, err);
        i += used;
    }
    return code;
}

int list_decode_end(struct list_decode *decode, struct error *err)
{
    return decode->place == BEHIND ? OK : bad_list(err, "it ends too early");
}
