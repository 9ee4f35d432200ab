// SPDX-License-Identifier: Apache-2.0
/* The JSON text of a request; which members a call gets is told in sdk/include/sluice/adapter.h. */
#ifndef ADAPTER_REQUEST_H
#define ADAPTER_REQUEST_H

#include "adapter/adapter.h"
#include "adapter/call.h"

/* `options` may be NULL: {}. The caller frees the text. */
char *request_text(enum call_kind kind, const struct adapter_request *request,
                   const json_t *options);

#endif
