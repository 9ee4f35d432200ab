// SPDX-License-Identifier: Apache-2.0
#include "cells.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static json_t *cell_take(struct text *text)
{
    json_t *cell = json_string(text->len ? text->at : "<none>");
    text_done(text);
    return cell;
}

static json_t *text_or_none(const char *text)
{
    return json_string(text && *text ? text : "<none>");
}

/* ── Time ─────────────────────────────────────────────────────────────────────────────────── */

/* "3h20m": so many of the larger unit, and of the smaller unless there are none. */
static json_t *two_units(int64_t large, const char *large_unit, int64_t small,
                         const char *small_unit)
{
    if (small)
        return json_sprintf("%lld%s%lld%s", (long long)large, large_unit, (long long)small,
                            small_unit);
    return json_sprintf("%lld%s", (long long)large, large_unit);
}

json_t *cell_since(const char *time)
{
    int64_t then = clock_parse(time), s = (clock_wall_ms() - then) / 1000;
    int64_t m = s / 60, h = m / 60, d = h / 24;
    if (!then)
        return json_string("<unknown>");
    if (s < 120)
        return json_sprintf("%llds", (long long)(s < 0 ? 0 : s));
    if (m < 10)
        return two_units(m, "m", s % 60, "s");
    if (m < 180)
        return two_units(m, "m", 0, "");
    if (h < 8)
        return two_units(h, "h", m % 60, "m");
    if (h < 48)
        return two_units(h, "h", 0, "");
    if (d < 8)
        return two_units(d, "d", h % 24, "h");
    if (d < 730)
        return two_units(d, "d", 0, "");
    return d < 2920 ? two_units(d / 365, "y", d % 365, "d") : two_units(d / 365, "y", 0, "");
}

json_t *cell_age(const json_t *object)
{
    return cell_since(json_string_at(object, "/metadata/creationTimestamp"));
}

json_t *cell_none(const json_t *object)
{
    (void)object;
    return json_string("<none>");
}

/* ── Small kinds ──────────────────────────────────────────────────────────────────────────── */

json_t *cell_data_count(const json_t *object)
{
    size_t text = json_object_size(json_object_get(object, "data"));
    return json_integer(
        (json_int_t)(text + json_object_size(json_object_get(object, "binaryData"))));
}

json_t *cell_secret_count(const json_t *object)
{
    return json_integer((json_int_t)json_array_size(json_object_get(object, "secrets")));
}

json_t *cell_controller(const json_t *object)
{
    size_t i;
    json_t *owner;
    json_array_foreach (json_at(object, "/metadata/ownerReferences"), i, owner) {
        const char *version = json_string_at(owner, "/apiVersion");
        const char *slash = strchr(version, '/');
        char *group AUTO_FREE = str_copy_n(version, slash ? (size_t)(slash - version) : 0);
        char *kind AUTO_FREE = str_copy(json_string_at(owner, "/kind"));
        for (char *at = kind; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        if (json_bool_at(owner, "/controller", false))
            return json_sprintf("%s%s%s/%s", kind, *group ? "." : "", group,
                                json_string_at(owner, "/name"));
    }
    return json_string("<none>");
}

/* "a=b,c=d", sorted. */
static json_t *labels_cell(const json_t *labels)
{
    struct text out = {0};
    char *sorted AUTO_FREE = json_canonical(labels ? labels : json_null());
    json_t *ordered AUTO_JSON = json_loads(sorted, JSON_DECODE_ANY, NULL), *value;
    const char *name;
    json_object_foreach (ordered, name, value)
        text_addf(&out, "%s%s=%s", out.len ? "," : "", name, json_string_value(value));
    return cell_take(&out);
}

json_t *cell_cluster_ip(const json_t *object)
{
    return text_or_none(json_string_at(object, "/spec/clusterIPs/0"));
}

json_t *cell_ports(const json_t *object)
{
    struct text out = {0};
    size_t i;
    json_t *port;
    json_array_foreach (json_at(object, "/spec/ports"), i, port)
        text_addf(&out, "%s%lld/%s", i ? "," : "", (long long)json_int_at(port, "/port", 0),
                  json_string_at(port, "/protocol"));
    return cell_take(&out);
}

json_t *cell_service_selector(const json_t *object)
{
    return labels_cell(json_at(object, "/spec/selector"));
}

/* ── Nodes ────────────────────────────────────────────────────────────────────────────────── */

static const char *condition_of(const json_t *object, const char *type)
{
    const json_t *condition = json_find(json_at(object, "/status/conditions"), "/type", type);
    return json_string_at(condition, "/status");
}

json_t *cell_node_status(const json_t *object)
{
    const char *ready = condition_of(object, "Ready");
    const char *word = !ready ? "Unknown" : strcmp(ready, "True") == 0 ? "Ready" : "NotReady";
    bool closed = json_bool_at(object, "/spec/unschedulable", false);
    return json_sprintf("%s%s", word, closed ? ",SchedulingDisabled" : "");
}

json_t *cell_node_roles(const json_t *object)
{
    static const char role[] = "node-role.kubernetes.io/";
    struct text out = {0};
    const char *name;
    json_t *value;
    json_object_foreach (json_at(object, "/metadata/labels"), name, value)
        if (strncmp(name, role, sizeof role - 1) == 0)
            text_addf(&out, "%s%s", out.len ? "," : "", name + sizeof role - 1);
    return cell_take(&out);
}

json_t *cell_node_selector(const json_t *object)
{
    return labels_cell(json_at(object, "/spec/template/spec/nodeSelector"));
}

/* ── Workloads ────────────────────────────────────────────────────────────────────────────── */

json_t *cell_ready_of_wanted(const json_t *object)
{
    return json_sprintf("%lld/%lld", (long long)json_int_at(object, "/status/readyReplicas", 0),
                        (long long)json_int_at(object, "/spec/replicas", 0));
}

static json_t *containers_cell(const json_t *object, const char *member)
{
    struct text out = {0};
    size_t i;
    json_t *container;
    json_array_foreach (json_at(object, "/spec/template/spec/containers"), i, container)
        text_addf(&out, "%s%s", i ? "," : "",
                  json_string_value(json_object_get(container, member)));
    return cell_take(&out);
}

json_t *cell_containers(const json_t *object)
{
    return containers_cell(object, "name");
}

json_t *cell_images(const json_t *object)
{
    return containers_cell(object, "image");
}

json_t *cell_selector(const json_t *object)
{
    return labels_cell(json_at(object, "/spec/selector/matchLabels"));
}

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

json_t *cell_first_seen(const json_t *object)
{
    const char *time = json_string_at(object, "/firstTimestamp");
    return cell_since(time ? time : json_string_at(object, "/eventTime"));
}

json_t *cell_last_seen(const json_t *object)
{
    const char *time = json_string_at(object, "/series/lastObservedTime");
    if (!time)
        time = json_string_at(object, "/lastTimestamp");
    return time ? cell_since(time) : cell_first_seen(object);
}

json_t *cell_event_object(const json_t *object)
{
    const char *kind = json_string_at(object, "/involvedObject/kind");
    const char *name = json_string_at(object, "/involvedObject/name");
    char *lower AUTO_FREE = str_copy(kind ? kind : "");
    for (char *at = lower; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return json_sprintf("%s%s%s", lower, name ? "/" : "", name ? name : "");
}

json_t *cell_event_count(const json_t *object)
{
    int64_t count = json_int_at(object, "/series/count", json_int_at(object, "/count", 1));
    return json_integer(count ? count : 1);
}
