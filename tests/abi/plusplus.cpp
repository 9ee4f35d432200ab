// SPDX-License-Identifier: Apache-2.0
// An adapter in the strictest C++.
#include <sluice/adapter.h>

#include <sluice/json.h>

namespace
{

int32_t observe(const sluice_host *host, sluice_call *call, sluice_text)
{
    return host->emit(call, SLUICE_STATUS,
                      sluice_text_of("{\"size\":0,\"updated\":0,\"updatedReady\":0,\"ready\":0,"
                                     "\"settled\":true}"));
}

int32_t nothing(const sluice_host *, sluice_call *, sluice_text)
{
    return SLUICE_OK;
}

sluice_adapter make()
{
    sluice_adapter table = {};
    table.size = sizeof table;
    table.major = SLUICE_ABI_MAJOR;
    table.minor = SLUICE_ABI_MINOR;
    table.name = "plusplus";
    table.version = "1.0.0";
    table.manifest =
        R"({"kinds": [{"apiVersion": "cpp.io/v1", "kind": "C", "keep": []}], "rights": []})";
    table.observe = observe;
    table.begin = nothing;
    table.advance = nothing;
    table.finish = nothing;
    return table;
}

} // namespace

const sluice_adapter *sluice_adapter_v1(void)
{
    static const sluice_adapter table = make();
    return &table;
}
