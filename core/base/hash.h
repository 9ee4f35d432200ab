// SPDX-License-Identifier: Apache-2.0
/* SHA-256, by libcrypto. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>

enum { HASH_HEX_SIZE = 65 };

/* Writes 64 hexadecimal digits and a NUL. */
void hash_sha256(const void *bytes, size_t count, char ret_hex[HASH_HEX_SIZE]);

#endif
