// SPDX-License-Identifier: Apache-2.0
/* From a file to documents. */
#include "config/document.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20 };

static int parser_refuse(const struct document_stream *stream, struct error *err)
{
    const yaml_parser_t *parser = &stream->parser;
    return error_set(err, ERR_INVALID, "%s:%zu:%zu: %s%s%s", stream->file,
                     parser->problem_mark.line + 1, parser->problem_mark.column + 1,
                     parser->problem ? parser->problem : "not YAML", parser->context ? " " : "",
                     parser->context ? parser->context : "");
}

static int check_size(const char *file, FILE *from, struct error *err)
{
    struct stat stat;
    if (fstat(fileno(from), &stat) < 0 || !S_ISREG(stat.st_mode))
        return error_set(err, ERR_INVALID, "%s: expected a regular file", file);
    if (stat.st_size > FILE_MAX)
        return error_set(err, ERR_LIMIT, "%s: expected at most %d bytes, found %lld", file,
                         FILE_MAX, (long long)stat.st_size);
    return OK;
}

static int open_file(const char *file, FILE **ret_from, struct error *err)
{
    FILE *from = fopen(file, "re");
    if (!from)
        return error_set(err, errno == ENOENT ? ERR_MISSING : ERR_DENIED, "%s: %s", file,
                         strerror(errno));
    int code = check_size(file, from, err);
    if (code < 0)
        fclose(from);
    else
        *ret_from = from;
    return code;
}

int document_stream_open(const char *file, struct document_stream *ret_stream, struct error *err)
{
    FILE *from = stdin;
    int code = strcmp(file, "-") == 0 ? OK : open_file(file, &from, err);
    if (code < 0)
        return code;
    *ret_stream =
        (struct document_stream){.file = str_copy(from == stdin ? "<stdin>" : file), .from = from};
    if (!yaml_parser_initialize(&ret_stream->parser))
        abort(); /* out of memory, and nothing else */
    yaml_parser_set_input_file(&ret_stream->parser, from);
    return OK;
}

void document_stream_of(const char *name, const char *text, struct document_stream *ret_stream)
{
    *ret_stream = (struct document_stream){.file = str_copy(name)};
    if (!yaml_parser_initialize(&ret_stream->parser))
        abort();
    yaml_parser_set_input_string(&ret_stream->parser, (const unsigned char *)text, strlen(text));
}

void document_stream_close(struct document_stream *stream)
{
    yaml_parser_delete(&stream->parser);
    if (stream->from && stream->from != stdin)
        fclose(stream->from);
    free(stream->file);
}

int document_stream_next(struct document_stream *stream, struct document *ret_document,
                         struct error *err)
{
    struct document document;
    if (!yaml_parser_load(&stream->parser, &document.yaml))
        return parser_refuse(stream, err);
    if (!yaml_document_get_root_node(&document.yaml)) {
        yaml_document_delete(&document.yaml);
        return ERR_MISSING;
    }
    document.file = str_copy(stream->file);
    *ret_document = document;
    return OK;
}

/* A second document would be accepted and ignored. */
static int check_end(struct document_stream *stream, struct error *err)
{
    struct document next;
    int code = document_stream_next(stream, &next, err);
    if (code != OK)
        return code == ERR_MISSING ? OK : code;
    const yaml_node_t *root = document_root(&next);
    document_refuse(&next, root, err, "expected one document, found a second");
    document_done(&next);
    return ERR_INVALID;
}

/* An empty file is an empty document. */
static int only_document(struct document_stream *stream, struct document *document,
                         struct error *err)
{
    *document = (struct document){0};
    int code = document_stream_next(stream, document, err);
    if (code == ERR_MISSING) {
        document->file = str_copy(stream->file);
        return OK;
    }
    if (code < 0)
        return code;
    code = check_end(stream, err);
    if (code == OK)
        code = document_check_tags(document, err);
    if (code < 0)
        document_done(document);
    return code;
}

int document_open(const char *file, struct document *ret_document, struct error *err)
{
    struct document_stream stream;
    struct document document;
    int code = document_stream_open(file, &stream, err);
    if (code < 0)
        return code;
    code = only_document(&stream, &document, err);
    document_stream_close(&stream);
    if (code == OK)
        *ret_document = document;
    return code;
}
