// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

void hash_sha256(const void *bytes, size_t count, char ret_hex[HASH_HEX_SIZE])
{
    unsigned char digest[32];
    if (!EVP_Digest(bytes, count, digest, NULL, EVP_sha256(), NULL)) {
        fputs("sluice: libcrypto offers no SHA-256\n", stderr);
        abort();
    }
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}
