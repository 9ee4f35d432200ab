// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates that a process makes for itself, and the bundle in which others are told to trust
 * them. The private key never leaves the process: several that answer under one name don't share
 * one, and each adds its own certificate to the bundle. By libcrypto; pure but for randomness.
 */
#ifndef CLI_CERTIFICATE_H
#define CLI_CERTIFICATE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct certificate {
    char *pem, *key; /* both in PEM; NULL: there is none */
    int64_t ends_ms;
};

/* For a server of these names: DNS names, and "IP:127.0.0.1"; with commas and "DNS:" in front as
 * OpenSSL has them. It counts from a few minutes ago, for clocks that go wrong. ERR_BUG when
 * libcrypto can't. Release with certificate_done(). */
int certificate_make(const char *names, int64_t now_ms, int64_t term_ms,
                     struct certificate *ret_certificate, struct error *err);
void certificate_done(struct certificate *certificate);

/* Is it in the bundle, base64 of PEM as a caBundle has it? NULL: an empty one. */
bool bundle_has(const char *bundle, const struct certificate *certificate);

enum { BUNDLE_MAX = 16 }; /* certificates: of processes that live, and that were killed */

/* The bundle with this certificate behind the others, without those that are over by then, or
 * can't be read, and without the first ones where there are more than BUNDLE_MAX. The caller frees
 * it. */
char *bundle_with(const char *bundle, const struct certificate *certificate, int64_t now_ms);

#endif
