// SPDX-License-Identifier: Apache-2.0
/* The status of a rollout, which anybody with the right may write. What is read and written again
 * is read as the same. */
#include "bytes.h"

#include "base/json.h"
#include "oam/approllout.h"

#include <stdlib.h>

static json_t *again(const json_t *object)
{
    struct rollout_status status;
    approllout_status_read(object, NULL, &status);
    const struct component_status part = {.status = &status};
    return json_pack("{s:o}", "status", approllout_status_write(&part, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    json_t *object = json_loadb((const char *)bytes, count, JSON_ALLOW_NUL, NULL);
    json_t *once = again(object), *twice = again(once);
    if (!json_equal(once, twice))
        abort();
    approllout_under_way(object);
    json_decref(object);
    json_decref(once);
    json_decref(twice);
    return 0;
}
