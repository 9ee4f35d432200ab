// SPDX-License-Identifier: Apache-2.0
/* What the adapters in this folder have in common: everything that is right about them. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <sluice/adapter.h>

#define GOOD_MANIFEST                                                                              \
    SLUICE_JSON(                                                                                   \
        {"kinds" : [ {"apiVersion" : "x.io/v1", "kind" : "X", "keep" : []} ], "rights" : []})

static inline sluice_text text_of(const char *at)
{
    sluice_text text = {.at = at};
    while (at[text.length])
        text.length++;
    return text;
}

static inline int32_t good_observe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return host->emit(call, SLUICE_STATUS,
                      text_of("{\"size\":1,\"updated\":1,\"updatedReady\":1,\"ready\":1,"
                              "\"settled\":true}"));
}

static inline int32_t good_action(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return SLUICE_OK;
}

/* A table without a fault, to put one into. */
#define GOOD_TABLE                                                                                 \
    .name = "hostile", .version = "1.0.0", .manifest = GOOD_MANIFEST, .observe = good_observe,     \
    .begin = good_action, .advance = good_action, .finish = good_action

#endif
