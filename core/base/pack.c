// SPDX-License-Identifier: Apache-2.0
#include "base/pack.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    WINDOW_BITS = -14,        /* 16 KiB are looked back at, and zlib's own head is left out */
    MEMORY_LEVEL = 6,         /* some 100 KiB to pack, in all */
    PATTERN_MOST = 12 * 1024, /* a longer one would be out of sight before it is needed */
    NEW_PART = 3, /* more than one byte in three is new: another pattern is worth its room */
};

/* Lives for as long as a pack or a text refers to it. */
struct pattern {
    size_t users;
    size_t length;
    char text[];
};

struct packed {
    struct pattern *pattern; /* NULL: it is packed by itself */
    size_t length, size;     /* of the text, and of what is kept of it */
    unsigned char bytes[];
};

static struct pattern *pattern_new(const char *text, size_t length)
{
    struct pattern *pattern = mem_alloc(sizeof *pattern + length);
    pattern->users = 1;
    pattern->length = length;
    memcpy(pattern->text, text, length);
    return pattern;
}

static void pattern_release(struct pattern *pattern)
{
    if (pattern && --pattern->users == 0)
        free(pattern);
}

void pack_done(struct pack *pack)
{
    pattern_release(pack->pattern);
    pack->pattern = NULL;
}

/* zlib fails when memory is out, or when it is given what it hasn't made. */
static void must(bool well)
{
    if (!well)
        abort();
}

/* zlib takes no const; it writes nothing there. */
static Bytef *bytes_of(const char *text)
{
    return (Bytef *)(uintptr_t)text;
}

/* What zlib asks for stays for the next text: given back and asked for again with each, pieces so
 * large would have the allocator tidy up all that is free each time. */
static z_stream *packing(void)
{
    static z_stream stream;
    if (stream.state)
        must(deflateReset(&stream) == Z_OK);
    else
        must(deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                          Z_DEFAULT_STRATEGY) == Z_OK);
    return &stream;
}

static z_stream *unpacking(void)
{
    static z_stream stream;
    must((stream.state ? inflateReset(&stream) : inflateInit2(&stream, WINDOW_BITS)) == Z_OK);
    return &stream;
}

static size_t deflated(const struct pattern *pattern, const char *text, size_t length,
                       unsigned char **ret_bytes)
{
    z_stream *stream = packing();
    if (pattern)
        must(deflateSetDictionary(stream, bytes_of(pattern->text), (uInt)pattern->length) == Z_OK);
    stream->next_in = bytes_of(text);
    stream->avail_in = (uInt)length;
    stream->avail_out = (uInt)deflateBound(stream, length);
    stream->next_out = *ret_bytes = mem_alloc(stream->avail_out);
    must(deflate(stream, Z_FINISH) == Z_STREAM_END);
    return stream->total_out;
}

/* In memory of its own: a large piece that is cut short would leave a hole behind it. */
static struct packed *packed_new(struct pattern *pattern, const char *text, size_t length)
{
    unsigned char *bytes AUTO_FREE = NULL;
    size_t size = deflated(pattern, text, length, &bytes);
    struct packed *packed = mem_alloc(sizeof *packed + size);
    packed->pattern = pattern;
    packed->length = length;
    packed->size = size;
    memcpy(packed->bytes, bytes, size);
    if (pattern)
        pattern->users++;
    return packed;
}

static bool is_new(const struct packed *packed)
{
    return packed->size > packed->length / NEW_PART && packed->length <= PATTERN_MOST;
}

struct packed *pack_text(struct pack *pack, const char *text, size_t length)
{
    struct packed *packed = packed_new(pack->pattern, text, length);
    if (!is_new(packed))
        return packed;
    packed_free(packed);
    pattern_release(pack->pattern);
    pack->pattern = pattern_new(text, length);
    return packed_new(pack->pattern, text, length);
}

void packed_free(struct packed *packed)
{
    if (!packed)
        return;
    pattern_release(packed->pattern);
    free(packed);
}

char *packed_text(const struct packed *packed, size_t *ret_length)
{
    const struct pattern *pattern = packed->pattern;
    char *text = mem_alloc(packed->length + 1);
    z_stream *stream = unpacking();
    if (pattern)
        must(inflateSetDictionary(stream, bytes_of(pattern->text), (uInt)pattern->length) == Z_OK);
    stream->next_in = (Bytef *)(uintptr_t)packed->bytes;
    stream->avail_in = (uInt)packed->size;
    stream->next_out = bytes_of(text);
    stream->avail_out = (uInt)packed->length;
    must(inflate(stream, Z_FINISH) == Z_STREAM_END);
    if (ret_length)
        *ret_length = packed->length;
    return text;
}

size_t packed_size(const struct packed *packed)
{
    return packed->size;
}
