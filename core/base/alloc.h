// SPDX-License-Identifier: Apache-2.0
/*
 * Memory for small things. These functions never return NULL: when memory is out the process ends,
 * which is safe because the controller keeps nothing that the cluster doesn't hold. Whatever the
 * size of an input decides is limited before it is allocated.
 */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory; release with free(). */
void *mem_alloc(size_t size);

/* realloc() that cannot fail. New bytes are not cleared. */
void *mem_grow(void *at, size_t size);

/* A copy; release with free(). */
void *mem_copy(const void *at, size_t size);

/* A copy of a string; NULL stays NULL. Release with free(). */
char *str_copy(const char *text);
char *str_copy_n(const char *text, size_t length);

/* A formatted string; release with free(). */
char *str_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *str_format_v(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Frees *place and puts a copy of `text` (or NULL) there. `text` may point into *place. */
void str_replace(char **place, const char *text);

/* Equal strings; NULL equals only NULL. */
_Bool str_equal(const char *a, const char *b);

/* `char *name AUTO_FREE = …;` is freed when it goes out of scope. */
void auto_free(void *place);
#define AUTO(release) __attribute__((cleanup(release)))
#define AUTO_FREE     AUTO(auto_free)

#endif
