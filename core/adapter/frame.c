// SPDX-License-Identifier: Apache-2.0
#include "adapter/frame.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
    ABSENT = -1,     /* the length of a text that isn't there */
    WORDS_MAX = 800, /* of a failure: what a struct error takes */
    LOG_MAX = 128 << 10,
};

/* ── Writing ──────────────────────────────────────────────────────────────────────────────── */

static void put_32(struct text *text, uint32_t value)
{
    text_add(text, &value, sizeof value);
}

static void put_64(struct text *text, uint64_t value)
{
    text_add(text, &value, sizeof value);
}

static void put_bytes(struct text *text, const char *bytes, size_t length)
{
    put_32(text, bytes ? (uint32_t)length : (uint32_t)ABSENT);
    if (bytes)
        text_add(text, bytes, length);
}

static void put_string(struct text *text, const char *string)
{
    put_bytes(text, string, string ? strlen(string) : 0);
}

static size_t frame_begin(struct text *text, enum frame_kind kind)
{
    const struct frame_header header = {.what = kind};
    size_t start = text->len;
    text_add(text, &header, sizeof header);
    return start;
}

/* Now the length is known. */
static void frame_end(struct text *text, size_t start)
{
    uint32_t length = (uint32_t)(text->len - start - sizeof(struct frame_header));
    memcpy(text->at + start + offsetof(struct frame_header, length), &length, sizeof length);
}

void frame_put_hello(struct text *text, const struct hello *hello)
{
    size_t start = frame_begin(text, FRAME_HELLO);
    put_32(text, (uint32_t)hello->code);
    put_string(text, hello->refusal);
    put_32(text, hello->minor);
    put_64(text, hello->provides);
    put_32(text, hello->calls);
    put_string(text, hello->version);
    put_string(text, hello->manifest);
    frame_end(text, start);
}

void frame_put_answer(struct text *text, const struct answer *answer)
{
    size_t start = frame_begin(text, FRAME_ANSWER);
    put_32(text, (uint32_t)answer->result);
    put_32(text, answer->over_limit);
    put_string(text, answer->fail_pointer);
    put_string(text, answer->fail_text);
    put_bytes(text, answer->log.at, answer->log.len);
    put_32(text, (uint32_t)answer->emission_count);
    for (size_t i = 0; i < answer->emission_count; i++) {
        put_32(text, answer->emissions[i].kind);
        put_bytes(text, answer->emissions[i].text, answer->emissions[i].length);
    }
    frame_end(text, start);
}

/* ── Reading ──────────────────────────────────────────────────────────────────────────────── */

/* What is left to be read. Once something was missing, all that follows reads as nothing. */
struct cursor {
    const char *at;
    size_t left;
    bool broken;
};

static void take(struct cursor *cursor, void *place, size_t size)
{
    if (cursor->broken || cursor->left < size) {
        cursor->broken = true;
        memset(place, 0, size);
        return;
    }
    memcpy(place, cursor->at, size);
    cursor->at += size;
    cursor->left -= size;
}

static uint32_t take_32(struct cursor *cursor)
{
    uint32_t value;
    take(cursor, &value, sizeof value);
    return value;
}

static uint64_t take_64(struct cursor *cursor)
{
    uint64_t value;
    take(cursor, &value, sizeof value);
    return value;
}

/* A copy with a NUL behind it, of at most `max` bytes; NULL when it is absent. */
static char *take_bytes(struct cursor *cursor, size_t max, size_t *ret_length)
{
    uint32_t length = take_32(cursor);
    *ret_length = 0;
    if (cursor->broken || length == (uint32_t)ABSENT)
        return NULL;
    if (length > max || length > cursor->left) {
        cursor->broken = true;
        return NULL;
    }
    char *copy = mem_alloc((size_t)length + 1);
    take(cursor, copy, length);
    *ret_length = length;
    return copy;
}

static char *take_string(struct cursor *cursor, size_t max)
{
    size_t length;
    return take_bytes(cursor, max, &length);
}

static bool whole(const struct cursor *cursor)
{
    return !cursor->broken && cursor->left == 0;
}

void hello_done(struct hello *hello)
{
    free(hello->refusal);
    free(hello->version);
    free(hello->manifest);
    *hello = (struct hello){0};
}

/* Either a refusal with words, or a version and a manifest. */
static bool hello_sane(const struct hello *hello)
{
    return hello->code < 0 && hello->code >= ERR_BUG
               ? hello->refusal != NULL
               : hello->code == OK && hello->version && hello->manifest;
}

int frame_read_hello(const char *bytes, size_t length, struct hello *ret_hello, struct error *err)
{
    struct cursor cursor = {.at = bytes, .left = length};
    struct hello hello = {0};
    hello.code = (int)take_32(&cursor);
    hello.refusal = take_string(&cursor, WORDS_MAX);
    hello.minor = take_32(&cursor);
    hello.provides = take_64(&cursor);
    hello.calls = take_32(&cursor);
    hello.version = take_string(&cursor, WORDS_MAX);
    hello.manifest = take_string(&cursor, HELLO_MAX);
    if (!whole(&cursor) || !hello_sane(&hello)) {
        hello_done(&hello);
        return error_set(err, ERR_BUG, "its process didn't introduce itself as it should");
    }
    *ret_hello = hello;
    return OK;
}

static void take_log(struct cursor *cursor, struct text *log)
{
    size_t length;
    char *bytes = take_bytes(cursor, LOG_MAX, &length);
    if (bytes)
        text_add(log, bytes, length);
    free(bytes);
}

/* The limits hold here too: what counted them over there shares its memory with the adapter. */
static void take_emissions(struct cursor *cursor, const struct call_limits *limits,
                           struct answer *answer)
{
    uint32_t count = take_32(cursor);
    if (count > limits->emissions)
        cursor->broken = true;
    if (count && !cursor->broken)
        answer->emissions = mem_alloc(count * sizeof *answer->emissions);
    while (answer->emission_count < count && !cursor->broken) {
        struct emission *emission = &answer->emissions[answer->emission_count++];
        emission->kind = take_32(cursor);
        emission->text =
            take_bytes(cursor, limits->bytes - answer->emitted_bytes, &emission->length);
        answer->emitted_bytes += emission->length;
        cursor->broken = cursor->broken || !emission->text;
    }
}

int frame_read_answer(const char *bytes, size_t length, const struct call_limits *limits,
                      struct answer *ret_answer, struct error *err)
{
    struct cursor cursor = {.at = bytes, .left = length};
    struct answer answer = {0};
    answer.result = (int32_t)take_32(&cursor);
    answer.over_limit = take_32(&cursor) != 0;
    answer.fail_pointer = take_string(&cursor, WORDS_MAX);
    answer.fail_text = take_string(&cursor, WORDS_MAX);
    take_log(&cursor, &answer.log);
    take_emissions(&cursor, limits, &answer);
    if (!whole(&cursor)) {
        answer_done(&answer);
        return error_set(err, ERR_BUG, "its process answered with bytes that are no answer");
    }
    *ret_answer = answer;
    return OK;
}
