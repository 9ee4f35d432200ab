// SPDX-License-Identifier: Apache-2.0
/* Objects as the API server sends them. managedFields are stepped over unread: what remains must be
 * what remains when they are read and taken out. */
#include "bytes.h"

#include "base/json.h"
#include "cluster/object_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    json_t *pruned = object_parse((const char *)bytes, count);
    json_t *whole = object_parse_whole((const char *)bytes, count);
    if (whole) /* what isn't JSON inside of managedFields is nobody's business */
        json_remove_at(whole, "/metadata/managedFields");
    if (whole && !json_equal(pruned, whole))
        abort();
    json_decref(pruned);
    json_decref(whole);
    return 0;
}
