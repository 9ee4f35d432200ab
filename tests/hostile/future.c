// SPDX-License-Identifier: Apache-2.0
/* Built for a later minor version: a longer table, a capability and a manifest member that this
 * host doesn't know. It must be welcome. */
#include "hostile.h"

static int32_t new_call(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return SLUICE_UNSUPPORTED;
}

static int32_t observe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return host->emit(call, SLUICE_STATUS,
                      text_of("{\"size\":1,\"updated\":1,\"updatedReady\":1,\"ready\":1,"
                              "\"settled\":true,\"mood\":\"fine\"}"));
}

static int32_t advance(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return host->emit(call, SLUICE_EVENT,
                      text_of("{\"type\":\"Normal\",\"reason\":\"R\",\"message\":\"m\","
                              "\"colour\":\"blue\"}"));
}

const sluice_adapter *sluice_adapter_v1(void)
{
    /* clang-format off */
    static const char manifest[] = SLUICE_JSON({
        "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
        "rights": [],
        "horoscope": "good"
    });
    /* clang-format on */
    static const struct {
        sluice_adapter known;
        sluice_call_function added;
    } table = {
        .known = {.size = sizeof table,
                  .major = SLUICE_ABI_MAJOR,
                  .minor = SLUICE_ABI_MINOR + 1,
                  .provides = SLUICE_PROVIDES_SCALE | (uint64_t)1 << 40,
                  .name = "hostile",
                  .version = "9.0.0",
                  .manifest = manifest,
                  .observe = observe,
                  .begin = good_action,
                  .advance = advance,
                  .finish = good_action},
        .added = new_call,
    };
    return &table.known;
}
