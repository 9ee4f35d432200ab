// SPDX-License-Identifier: Apache-2.0
/*
 * One YAML file in memory, and errors that say where in it: "sluice.yaml:7:3: …". Scalars are read
 * by YAML 1.2's core rules. Tags are refused, duplicate keys too.
 *
 * One thread at a time. Nodes are borrowed from the document.
 */
#ifndef CONFIG_DOCUMENT_H
#define CONFIG_DOCUMENT_H

#include "base/error.h"

#include <jansson.h>
#include <stdio.h>
#include <yaml.h>

struct document {
    char *file;
    yaml_document_t yaml;
};

/* Reads a file of at most 1 MiB with at most one document. The caller releases it with
 * document_done(). ERR_MISSING, ERR_DENIED, ERR_LIMIT or ERR_INVALID. */
int document_open(const char *file, struct document *ret_document, struct error *err);
void document_done(struct document *document);

/* Documents one after the other, from a file or, for "-", from standard input. */
struct document_stream {
    char *file;
    FILE *from; /* NULL: a text */
    yaml_parser_t parser;
};

/* ERR_MISSING, ERR_DENIED, ERR_LIMIT (a file of more than 1 MiB) or ERR_INVALID (no file). */
int document_stream_open(const char *file, struct document_stream *ret_stream, struct error *err);

/* The same from a text, which is borrowed; `name` stands for the file's. */
void document_stream_of(const char *name, const char *text, struct document_stream *ret_stream);
void document_stream_close(struct document_stream *stream);

/* The next one, which the caller releases with document_done(); it may be used after the stream is
 * closed. ERR_MISSING, without words: there are no more. After ERR_INVALID nothing follows. */
int document_stream_next(struct document_stream *stream, struct document *ret_document,
                         struct error *err);

/* ERR_INVALID when a node has a tag: it would have to be obeyed, and none has a meaning here.
 * document_open() has done it. */
int document_check_tags(const struct document *document, struct error *err);

/* NULL when the file is empty. */
yaml_node_t *document_root(struct document *document);

/* A node by the number under which its parent holds it. */
yaml_node_t *document_node(struct document *document, int item);

/* Records what is wrong with a node, with its place in front. Returns ERR_INVALID. */
int document_refuse(const struct document *document, const yaml_node_t *node, struct error *err,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What the node is, for words: "a mapping", "a list", "the text \"x\"", "the number 3", … cut to
 * a readable length. The caller frees it. */
char *document_describe(const yaml_node_t *node);

/* The node as JSON. The caller owns it. ERR_INVALID: a tag, a duplicate key, a key that is no
 * text, a value that JSON doesn't have, nesting beyond reason. */
int document_json(struct document *document, yaml_node_t *node, json_t **ret_json,
                  struct error *err);

/* The scalar as JSON; NULL if it is none or JSON has no such value. The caller owns it. */
json_t *document_scalar(const yaml_node_t *node);

#endif
