// SPDX-License-Identifier: Apache-2.0
#include "cluster/yaml_json.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 64 };

/* An alias is the same node again, so a node is converted once and shared: neither an alias within
 * itself nor a pyramid of aliases can make this run away. */
struct conversion {
    yaml_document_t *document;
    json_t **made; /* by node number, from 1 */
    int depth;
};

static json_t *node_convert(struct conversion *all, int number);

static bool is_one_of(const char *text, const char *a, const char *b, const char *c)
{
    return str_equal(text, a) || str_equal(text, b) || str_equal(text, c);
}

static json_t *plain_convert(const char *text)
{
    if (!*text || str_equal(text, "~") || is_one_of(text, "null", "Null", "NULL"))
        return json_null();
    if (is_one_of(text, "true", "True", "TRUE"))
        return json_true();
    if (is_one_of(text, "false", "False", "FALSE"))
        return json_false();
    size_t length = strlen(text);
    if (length < 18 && strspn(text, "0123456789") == length && (*text != '0' || length == 1))
        return json_integer(strtoll(text, NULL, 10));
    return json_string(text);
}

static json_t *scalar_convert(const yaml_node_t *node)
{
    const char *text = (const char *)node->data.scalar.value;
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        return plain_convert(text);
    return json_string(text); /* NULL when it isn't UTF-8 */
}

static json_t *sequence_convert(struct conversion *all, const yaml_node_t *node)
{
    json_t *array = json_array();
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         item < node->data.sequence.items.top; item++) {
        json_t *value = node_convert(all, *item);
        if (!value || json_array_append_new(array, value) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *mapping_convert(struct conversion *all, const yaml_node_t *node)
{
    json_t *object = json_object();
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(all->document, pair->key);
        json_t *value = node_convert(all, pair->value);
        if (!value || key->type != YAML_SCALAR_NODE ||
            json_object_set_new(object, (const char *)key->data.scalar.value, value) < 0) {
            if (value && key->type != YAML_SCALAR_NODE)
                json_decref(value);
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *node_convert(struct conversion *all, int number)
{
    if (all->made[number])
        return json_incref(all->made[number]);
    if (all->depth == DEPTH_MAX)
        return NULL;
    const yaml_node_t *node = yaml_document_get_node(all->document, number);
    all->depth++;
    json_t *json = NULL;
    if (node->type == YAML_SCALAR_NODE)
        json = scalar_convert(node);
    else if (node->type == YAML_SEQUENCE_NODE)
        json = sequence_convert(all, node);
    else if (node->type == YAML_MAPPING_NODE)
        json = mapping_convert(all, node);
    all->depth--;
    all->made[number] = json_incref(json);
    return json;
}

static json_t *document_convert(yaml_document_t *document)
{
    if (!yaml_document_get_root_node(document))
        return json_null();
    size_t nodes = (size_t)(document->nodes.top - document->nodes.start);
    struct conversion all = {.document = document};
    all.made = mem_alloc((nodes + 1) * sizeof(json_t *));
    json_t *json = node_convert(&all, 1);
    for (size_t i = 0; i <= nodes; i++)
        json_decref(all.made[i]);
    free(all.made);
    return json;
}

int yaml_to_json(const char *file, const char *text, size_t length, json_t **ret_json,
                 struct error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return error_set(err, ERR_RETRY, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    int code = OK;
    if (!yaml_parser_load(&parser, &document)) {
        code =
            error_set(err, ERR_INVALID, "%s:%zu:%zu: %s", file, parser.problem_mark.line + 1,
                      parser.problem_mark.column + 1, parser.problem ? parser.problem : "not YAML");
    } else {
        json_t *json = document_convert(&document);
        if (json)
            *ret_json = json;
        else
            code = error_set(err, ERR_INVALID,
                             "%s: not a plain YAML document: keys must be strings, text UTF-8, "
                             "nesting at most %d deep",
                             file, DEPTH_MAX);
        yaml_document_delete(&document);
    }
    yaml_parser_delete(&parser);
    return code;
}
