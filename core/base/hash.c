// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void hash_sha256(const void *bytes, size_t count, char ret_hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[32];
    if (!EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL)) {
        fputs("sluice: libcrypto offers no SHA-256\n", stderr);
        abort();
    }
    for (size_t i = 0; i < sizeof digest; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 0xf];
    }
    ret_hex[2 * sizeof digest] = '\0';
}
