// SPDX-License-Identifier: Apache-2.0
/* The manifest that counts for a request: the adapter's own, or what it describes of its options.
 */
#ifndef CHECK_MANIFEST_OF_H
#define CHECK_MANIFEST_OF_H

#include "subject.h"

/* False: it has none with these options. The caller releases it with manifest_done(). */
bool manifest_of(const struct subject *subject, const json_t *request,
                 struct manifest *ret_manifest);

/* The kind that the object is of; NULL: none of these. */
const struct adapter_kind *manifest_kind_of(const struct manifest *manifest, const json_t *object);

#endif
