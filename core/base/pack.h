// SPDX-License-Identifier: Apache-2.0
/*
 * Texts that resemble each other, as the objects of one collection do: of each only that is kept in
 * which it differs from another one, the pattern, by zlib's deflate with that as its dictionary. A
 * text that differs too much becomes the pattern of those that come after it. For one thread only.
 */
#ifndef BASE_PACK_H
#define BASE_PACK_H

#include <stddef.h>

/* Zeroed, it is empty. */
struct pack {
    struct pattern *pattern; /* of the next text; NULL: there was none yet */
};

/* What has been packed stays good. */
void pack_done(struct pack *pack);

struct packed;

/* The caller owns it. */
struct packed *pack_text(struct pack *pack, const char *text, size_t length);
void packed_free(struct packed *packed); /* or NULL */

/* The text with a NUL behind it; the caller frees it. `ret_length` may be NULL. */
char *packed_text(const struct packed *packed, size_t *ret_length);

/* How many bytes are kept for it alone, without its pattern. */
size_t packed_size(const struct packed *packed);

#endif
