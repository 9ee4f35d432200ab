// SPDX-License-Identifier: Apache-2.0
/* An adapter as JSON, for `sluice adapters` and whoever else wants to know. */
#include "adapter/internal.h"

#include "base/clock.h"
#include "base/json.h"

static json_t *about_kinds(const struct adapter *adapter)
{
    json_t *kinds = json_array();
    for (size_t i = 0; i < adapter_kinds(adapter); i++) {
        const struct adapter_kind *kind = adapter_kind(adapter, i);
        json_array_append_new(
            kinds, json_pack("{s:s, s:s}", "apiVersion", kind->api_version, "kind", kind->kind));
    }
    return kinds;
}

static json_t *about_event(const char *message, int64_t wall_ms)
{
    char at[CLOCK_TEXT_SIZE];
    clock_format(wall_ms, at);
    return json_pack("{s:s, s:s}", "at", at, "message", message);
}

static json_t *about_calls(const struct adapter_figures *figures)
{
    json_t *calls = json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)figures->calls, "slow",
                              (json_int_t)figures->slow, "p50Microseconds",
                              (json_int_t)adapter_latency_us(figures, 50), "p99Microseconds",
                              (json_int_t)adapter_latency_us(figures, 99));
    if (figures->refused_at_ms)
        json_object_set_new(calls, "lastFailure",
                            about_event(figures->refusal, figures->refused_at_ms));
    return calls;
}

const char *isolation_name(enum isolation isolation)
{
    return isolation == ISOLATION_PROCESS ? "process" : "inProcess";
}

json_t *adapter_about_version(const struct adapter *adapter)
{
    const struct error *refusal = adapter_refusal(adapter);
    json_t *about = json_pack("{s:s, s:s, s:b}", "file", adapter->file, "isolation",
                              isolation_name(adapter->isolation), "pinned", adapter->pin != NULL);
    if (adapter->version)
        json_object_set_new(about, "version", json_string(adapter->version));
    if (adapter->digest[0])
        json_object_set_new(about, "sha256", json_string(adapter->digest));
    if (refusal)
        json_object_set_new(about, "refusal", json_string(refusal->text));
    return about;
}

static void about_use(const struct adapter *adapter, json_t *about)
{
    const struct adapter_figures *figures = adapter_figures(adapter);
    json_object_set_new(about, "kinds", about_kinds(adapter));
    json_object_set_new(about, "rights", json_deep_copy(adapter->manifest.rights));
    json_object_set_new(about, "calls", about_calls(figures));
    if (adapter->natives.count)
        json_object_set_new(about, "native", natives_about(&adapter->natives));
    json_object_set_new(about, "restarts", json_integer((json_int_t)figures->restarts));
}

json_t *adapter_about(const struct adapter *adapter)
{
    int64_t at_ms;
    const struct error *refusal = adapter_refusal(adapter);
    const struct error *kept = adapter_kept_refusal(adapter, &at_ms);
    json_t *about =
        json_pack("{s:s, s:s}", "name", adapter->name, "state", refusal ? "refused" : "inUse");
    json_t *version AUTO_JSON = adapter_about_version(adapter);
    json_object_update(about, version);
    if (!refusal)
        about_use(adapter, about);
    if (kept)
        json_object_set_new(about, "lastRefusal", about_event(kept->text, at_ms));
    if (adapter->unfit)
        json_object_set_new(about, "next", adapter_about_version(adapter->unfit));
    return about;
}
