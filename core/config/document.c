// SPDX-License-Identifier: Apache-2.0
#include "config/document.h"

#include "base/alloc.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    DEPTH_MAX = 32,    /* aliases can make a document that holds itself */
    NODES_MAX = 10000, /* … or one that doubles at every step */
};

static bool one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

int document_check_tags(const struct document *document, struct error *err)
{
    static const char *const implied[] = {YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG, NULL};
    for (const yaml_node_t *node = document->yaml.nodes.start; node < document->yaml.nodes.top;
         node++)
        if (!one_of((const char *)node->tag, implied))
            return document_refuse(document, node, err, "expected no tag, found %.80s",
                                   (const char *)node->tag);
    return OK;
}

void document_done(struct document *document)
{
    yaml_document_delete(&document->yaml);
    free(document->file);
    document->file = NULL;
}

yaml_node_t *document_root(struct document *document)
{
    return yaml_document_get_root_node(&document->yaml);
}

yaml_node_t *document_node(struct document *document, int item)
{
    return yaml_document_get_node(&document->yaml, item);
}

int document_refuse(const struct document *document, const yaml_node_t *node, struct error *err,
                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text AUTO_FREE = str_format_v(format, args);
    va_end(args);
    return error_set(err, ERR_INVALID, "%s:%zu:%zu: %s", document->file, node->start_mark.line + 1,
                     node->start_mark.column + 1, text);
}

static const char *scalar_text(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

char *document_describe(const yaml_node_t *node)
{
    json_t *scalar = document_scalar(node);
    json_type type = scalar ? json_typeof(scalar) : JSON_NULL;
    json_decref(scalar);
    if (node->type == YAML_MAPPING_NODE)
        return str_copy("a mapping");
    if (node->type == YAML_SEQUENCE_NODE)
        return str_copy("a list");
    if (type == JSON_STRING)
        return str_format("the text \"%.80s\"", scalar_text(node));
    if (type == JSON_INTEGER || type == JSON_REAL)
        return str_format("the number %.80s", scalar_text(node));
    return *scalar_text(node) ? str_format("%.80s", scalar_text(node)) : str_copy("nothing");
}

/* 12, -12, 0o14, 0xc; ERANGE is a number that JSON's integers can't hold. */
static bool integer_read(const char *text, json_int_t *ret_value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;
    if (digits == text && text[0] == '0' && (text[1] == 'o' || text[1] == 'x')) {
        base = text[1] == 'o' ? 8 : 16;
        digits = text += 2;
    }
    if (!isxdigit((unsigned char)*digits))
        return false;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, base);
    if (*end || errno)
        return false;
    *ret_value = value;
    return true;
}

static bool real_read(const char *text, double *ret_value)
{
    char *end;
    if (!strpbrk(text, "0123456789") || strspn(text, "+-.0123456789eE") != strlen(text) ||
        !strchr("+-.0123456789", *text))
        return false;
    *ret_value = strtod(text, &end);
    return *end == '\0' && isfinite(*ret_value);
}

/* A plain scalar by the core schema of YAML 1.2; NULL for what JSON can't say. */
static json_t *plain_scalar(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const beyond[] = {".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf",
                                         "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
                                         ".NaN",  ".NAN",  NULL};
    json_int_t integer;
    double real;
    if (one_of(text, nulls))
        return json_null();
    if (one_of(text, trues) || one_of(text, falses))
        return json_boolean(one_of(text, trues));
    if (one_of(text, beyond))
        return NULL;
    if (integer_read(text, &integer))
        return json_integer(integer);
    return real_read(text, &real) ? json_real(real) : json_string(text);
}

json_t *document_scalar(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE)
        return NULL;
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return plain_scalar(scalar_text(node));
    return json_stringn(scalar_text(node), node->data.scalar.length);
}

/* A conversion that is under way. */
struct conversion {
    struct document *document;
    struct error *err;
    int depth, nodes;
};

static int convert(struct conversion *conversion, yaml_node_t *node, json_t **ret_json);

static int convert_pair(struct conversion *conversion, const yaml_node_pair_t *pair, json_t *object)
{
    yaml_node_t *key = document_node(conversion->document, pair->key);
    json_t *value;
    if (key->type != YAML_SCALAR_NODE)
        return document_refuse(conversion->document, key, conversion->err,
                               "expected a text as key, found another");
    if (json_object_get(object, scalar_text(key)))
        return document_refuse(conversion->document, key, conversion->err, "duplicate key \"%s\"",
                               scalar_text(key));
    int result = convert(conversion, document_node(conversion->document, pair->value), &value);
    if (result == OK && json_object_set_new(object, scalar_text(key), value) < 0)
        result = document_refuse(conversion->document, key, conversion->err,
                                 "expected UTF-8, found a key that isn't");
    return result;
}

static int convert_mapping(struct conversion *conversion, yaml_node_t *node, json_t **ret_json)
{
    json_t *object = json_object();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        int result = convert_pair(conversion, pair, object);
        if (result < 0) {
            json_decref(object);
            return result;
        }
    }
    *ret_json = object;
    return OK;
}

static int convert_list(struct conversion *conversion, yaml_node_t *node, json_t **ret_json)
{
    json_t *array = json_array(), *item;
    for (yaml_node_item_t *at = node->data.sequence.items.start; at < node->data.sequence.items.top;
         at++) {
        int result = convert(conversion, document_node(conversion->document, *at), &item);
        if (result < 0) {
            json_decref(array);
            return result;
        }
        json_array_append_new(array, item);
    }
    *ret_json = array;
    return OK;
}

static int convert_scalar(struct conversion *conversion, yaml_node_t *node, json_t **ret_json)
{
    json_t *scalar = document_scalar(node);
    if (!scalar)
        return document_refuse(conversion->document, node, conversion->err,
                               "expected a value that JSON has, found %.80s", scalar_text(node));
    *ret_json = scalar;
    return OK;
}

static int convert_checked(struct conversion *conversion, yaml_node_t *node, json_t **ret_json)
{
    if (conversion->depth > DEPTH_MAX || conversion->nodes > NODES_MAX)
        return document_refuse(conversion->document, node, conversion->err,
                               "expected at most %d levels and %d values, found more", DEPTH_MAX,
                               NODES_MAX);
    if (node->type == YAML_MAPPING_NODE)
        return convert_mapping(conversion, node, ret_json);
    if (node->type == YAML_SEQUENCE_NODE)
        return convert_list(conversion, node, ret_json);
    return convert_scalar(conversion, node, ret_json);
}

static int convert(struct conversion *conversion, yaml_node_t *node, json_t **ret_json)
{
    conversion->depth++;
    conversion->nodes++;
    int result = convert_checked(conversion, node, ret_json);
    conversion->depth--;
    return result;
}

int document_json(struct document *document, yaml_node_t *node, json_t **ret_json,
                  struct error *err)
{
    struct conversion conversion = {.document = document, .err = err};
    return convert(&conversion, node, ret_json);
}
