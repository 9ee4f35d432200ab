// SPDX-License-Identifier: Apache-2.0
/* Its options say what it describes itself as, word for word, or why it refuses them. */
#include "hostile.h"

#include <sluice/json.h>

static int32_t describe_body(const struct sluice_request *request)
{
    const char *manifest = sluice_string(request->json, "/options/manifest");
    const char *fails = sluice_string(request->json, "/options/fails");
    if (*fails)
        return sluice_fail(request, SLUICE_INVALID, "/options/fails", "options.fails: %s", fails);
    return *manifest ? request->host->emit(request->call, SLUICE_MANIFEST, sluice_text_of(manifest))
                     : SLUICE_OK;
}

static int32_t describe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, describe_body);
}

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "options": {
        "type": "object",
        "properties": {"manifest": {"type": "string"}, "fails": {"type": "string"}},
        "additionalProperties": false
    }
});
/* clang-format on */

SLUICE_ADAPTER(.name = "hostile", .version = "1.0.0", .needs = SLUICE_NEEDS_DESCRIBE,
               .manifest = manifest, .observe = good_observe, .begin = good_action,
               .advance = good_action, .finish = good_action, .describe = describe)
