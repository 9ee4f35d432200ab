// SPDX-License-Identifier: Apache-2.0
#include "adapter/adapter.h"

#include "adapter/internal.h"

#include <sluice/abi.h>

const char *adapter_name(const struct adapter *adapter)
{
    return adapter->name;
}

const char *adapter_version(const struct adapter *adapter)
{
    return adapter->version;
}

const char *adapter_file(const struct adapter *adapter)
{
    return adapter->file;
}

const char *adapter_digest(const struct adapter *adapter)
{
    return adapter->digest;
}

const struct error *adapter_kept_refusal(const struct adapter *adapter, int64_t *ret_wall_ms)
{
    if (!adapter->kept_refusal_ms)
        return NULL;
    *ret_wall_ms = adapter->kept_refusal_ms;
    return &adapter->kept_refusal;
}

enum isolation adapter_isolation(const struct adapter *adapter)
{
    return adapter->isolation;
}

const struct error *adapter_refusal(const struct adapter *adapter)
{
    return adapter->refusal.code ? &adapter->refusal : NULL;
}

bool adapter_scales(const struct adapter *adapter)
{
    return adapter->provides & SLUICE_PROVIDES_SCALE;
}

size_t adapter_kinds(const struct adapter *adapter)
{
    return adapter->manifest.kind_count;
}

const struct adapter_kind *adapter_kind(const struct adapter *adapter, size_t index)
{
    return &adapter->manifest.kinds[index];
}

const json_t *adapter_rights(const struct adapter *adapter)
{
    return adapter->manifest.rights;
}

const struct adapter_figures *adapter_figures(const struct adapter *adapter)
{
    return adapter->figures;
}
