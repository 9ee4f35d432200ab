// SPDX-License-Identifier: Apache-2.0
/*
 * A growing byte buffer that is always NUL-terminated once something was added.
 * `struct text t = {0};` is an empty one; text_done() releases it and leaves it empty.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

struct text {
    char *at;   /* NULL while empty */
    size_t len; /* without the final NUL */
    size_t size;
};

void text_add(struct text *text, const void *bytes, size_t count);
void text_puts(struct text *text, const char *string);
void text_addf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first `count` bytes (at most all). */
void text_drop(struct text *text, size_t count);

/* Drops everything behind the first `length` bytes. */
void text_cut(struct text *text, size_t length);

/* Keeps the memory, forgets the content. */
void text_clear(struct text *text);

/* Hands the string over ("" when empty): the caller frees it, the buffer is empty again. */
char *text_steal(struct text *text);

/* Words that were cut, or came from outside, may not be UTF-8, and what isn't can't stand in JSON:
 * each byte that isn't part of a whole character becomes '?', in place. */
void text_mend(char *string);

/* Safe on an empty buffer; usable as AUTO(text_done). */
void text_done(struct text *text);

#endif
