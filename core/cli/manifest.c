// SPDX-License-Identifier: Apache-2.0
#include "cli/manifest.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A member of a mapping: its value, and its key, which is where it begins. */
struct entry {
    yaml_node_t *key, *value;
};

static bool scalar_is(const yaml_node_t *node, const char *text, size_t length)
{
    return node->type == YAML_SCALAR_NODE && node->data.scalar.length == length &&
           memcmp(node->data.scalar.value, text, length) == 0;
}

static struct entry mapping_find(struct document *document, const yaml_node_t *node,
                                 const char *name, size_t length)
{
    if (!node || node->type != YAML_MAPPING_NODE)
        return (struct entry){NULL, NULL};
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         pair < node->data.mapping.pairs.top; pair++) {
        yaml_node_t *key = document_node(document, pair->key);
        if (scalar_is(key, name, length))
            return (struct entry){key, document_node(document, pair->value)};
    }
    return (struct entry){NULL, NULL};
}

static struct entry list_nth(struct document *document, const yaml_node_t *node, size_t index)
{
    struct entry entry = {NULL, NULL};
    if (!node || node->type != YAML_SEQUENCE_NODE)
        return entry;
    yaml_node_item_t *item = node->data.sequence.items.start + index;
    if (item < node->data.sequence.items.top)
        entry.key = entry.value = document_node(document, *item);
    return entry;
}

/* One step of a path: "name" or "[3]". Moves *path behind it. */
static struct entry step(struct document *document, const yaml_node_t *node, const char **path)
{
    const char *at = *path + (**path == '.');
    if (*at == '[') {
        char *end;
        size_t index = strtoul(at + 1, &end, 10);
        *path = end + (*end == ']');
        return list_nth(document, node, index);
    }
    size_t length = strcspn(at, ".[");
    *path = at + length;
    return mapping_find(document, node, at, length);
}

char *manifest_place(struct manifest *manifest, const char *path)
{
    yaml_node_t *node = document_root(&manifest->document);
    yaml_mark_t mark = node->start_mark;
    while (*path) {
        struct entry entry = step(&manifest->document, node, &path);
        if (!entry.key)
            break;
        mark = entry.key->start_mark;
        node = entry.value;
    }
    return str_format("%s:%zu:%zu", manifest->document.file, mark.line + 1, mark.column + 1);
}

static const char *text_of(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

static void manifest_take(struct manifests *all, const struct document *document)
{
    all->items = mem_grow(all->items, (all->count + 1) * sizeof *all->items);
    struct manifest *manifest = &all->items[all->count++];
    *manifest = (struct manifest){.document = *document};
    struct document *own = &manifest->document;
    const yaml_node_t *root = document_root(own);
    struct entry metadata = mapping_find(own, root, "metadata", strlen("metadata"));
    manifest->api_version =
        text_of(mapping_find(own, root, "apiVersion", strlen("apiVersion")).value);
    manifest->kind = text_of(mapping_find(own, root, "kind", strlen("kind")).value);
    manifest->name = text_of(mapping_find(own, metadata.value, "name", strlen("name")).value);
}

/* What follows the last "---" of many a file. */
static bool is_nothing(struct document *document)
{
    const yaml_node_t *root = document_root(document);
    return root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0;
}

int manifests_read(const char *file, struct manifests *ret_manifests, struct error *err)
{
    struct document_stream stream;
    struct document document;
    *ret_manifests = (struct manifests){0};
    int code = document_stream_open(file, &stream, err);
    if (code < 0)
        return code;
    while ((code = document_stream_next(&stream, &document, err)) == OK)
        if (is_nothing(&document))
            document_done(&document);
        else
            manifest_take(ret_manifests, &document);
    document_stream_close(&stream);
    return code == ERR_MISSING ? OK : code;
}

static void found_add(struct text *to, const struct manifests *manifests)
{
    const struct manifest *first = manifests->items;
    if (!manifests->count)
        text_puts(to, "nothing");
    else if (*first->kind)
        text_addf(to, "%s (%s)", first->kind,
                  *first->api_version ? first->api_version
                                      : "no "
                                        "apiVersion");
    else
        text_puts(to, "something that has no kind");
    if (manifests->count > 1)
        text_addf(to, " and %zu more", manifests->count - 1);
}

char *manifests_unfit(const char *file, const struct manifests *manifests, const char *expected)
{
    struct text words = {0};
    text_addf(&words, "%s: expected %s, found ", str_equal(file, "-") ? "<stdin>" : file, expected);
    found_add(&words, manifests);
    return text_steal(&words);
}

void manifests_done(struct manifests *manifests)
{
    for (size_t i = 0; i < manifests->count; i++)
        document_done(&manifests->items[i].document);
    free(manifests->items);
    *manifests = (struct manifests){0};
}

int manifest_object(struct manifest *manifest, json_t **ret_object, struct error *err)
{
    struct document *document = &manifest->document;
    int code = document_check_tags(document, err);
    return code < 0 ? code : document_json(document, document_root(document), ret_object, err);
}
