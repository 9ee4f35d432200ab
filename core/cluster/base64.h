// SPDX-License-Identifier: Apache-2.0
/* Base64 as kubeconfig files embed it. Private to core/cluster. */
#ifndef CLUSTER_BASE64_H
#define CLUSTER_BASE64_H

#include "base/error.h"

#include <stddef.h>

/* Decodes standard base64; white space is skipped. The caller frees *ret_bytes, which has a NUL
 * behind its *ret_count bytes. ERR_INVALID for anything else. */
int base64_decode(const char *text, char **ret_bytes, size_t *ret_count);

/* The opposite. The caller frees it. */
char *base64_encode(const char *bytes, size_t count);

#endif
