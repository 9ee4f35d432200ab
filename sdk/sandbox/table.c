// SPDX-License-Identifier: Apache-2.0
#include "table.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cells.h"
#include "jsonpath.h"

#include <stdlib.h>
#include <string.h>

enum { WIDE = 1 };

/* A column of a built-in kind: what stands at a pointer, or what a function makes of the object. */
struct column {
    const char *kind, *name, *type;
    int priority;
    const char *pointer;
    cell_fn *cell;
};

static const struct column columns[] = {
    {"ConfigMap", "Data", "string", 0, NULL, cell_data_count},
    {"ConfigMap", "Age", "string", 0, NULL, cell_age},
    {"Secret", "Type", "string", 0, "/type", NULL},
    {"Secret", "Data", "string", 0, NULL, cell_data_count},
    {"Secret", "Age", "string", 0, NULL, cell_age},
    {"ServiceAccount", "Secrets", "string", 0, NULL, cell_secret_count},
    {"ServiceAccount", "Age", "string", 0, NULL, cell_age},
    {"Namespace", "Status", "string", 0, "/status/phase", NULL},
    {"Namespace", "Age", "string", 0, NULL, cell_age},
    {"Lease", "Holder", "string", 0, "/spec/holderIdentity", NULL},
    {"Lease", "Age", "string", 0, NULL, cell_age},
    {"ControllerRevision", "Controller", "string", 0, NULL, cell_controller},
    {"ControllerRevision", "Revision", "string", 0, "/revision", NULL},
    {"ControllerRevision", "Age", "string", 0, NULL, cell_age},
    {"Service", "Type", "string", 0, "/spec/type", NULL},
    {"Service", "Cluster-IP", "string", 0, NULL, cell_cluster_ip},
    {"Service", "External-IP", "string", 0, NULL, cell_none},
    {"Service", "Port(s)", "string", 0, NULL, cell_ports},
    {"Service", "Age", "string", 0, NULL, cell_age},
    {"Service", "Selector", "string", WIDE, NULL, cell_service_selector},
    {"Node", "Status", "string", 0, NULL, cell_node_status},
    {"Node", "Roles", "string", 0, NULL, cell_node_roles},
    {"Node", "Age", "string", 0, NULL, cell_age},
    {"Node", "Version", "string", 0, "/status/nodeInfo/kubeletVersion", NULL},
    {"Pod", "Ready", "string", 0, NULL, cell_pod_ready},
    {"Pod", "Status", "string", 0, NULL, cell_pod_status},
    {"Pod", "Restarts", "string", 0, NULL, cell_pod_restarts},
    {"Pod", "Age", "string", 0, NULL, cell_age},
    {"Pod", "IP", "string", WIDE, NULL, cell_pod_ip},
    {"Pod", "Node", "string", WIDE, NULL, cell_pod_node},
    {"Pod", "Nominated Node", "string", WIDE, NULL, cell_none},
    {"Pod", "Readiness Gates", "string", WIDE, NULL, cell_pod_gates},
    {"Deployment", "Ready", "string", 0, NULL, cell_ready_of_wanted},
    {"Deployment", "Up-to-date", "integer", 0, "/status/updatedReplicas", NULL},
    {"Deployment", "Available", "integer", 0, "/status/availableReplicas", NULL},
    {"Deployment", "Age", "string", 0, NULL, cell_age},
    {"Deployment", "Containers", "string", WIDE, NULL, cell_containers},
    {"Deployment", "Images", "string", WIDE, NULL, cell_images},
    {"Deployment", "Selector", "string", WIDE, NULL, cell_selector},
    {"ReplicaSet", "Desired", "integer", 0, "/spec/replicas", NULL},
    {"ReplicaSet", "Current", "integer", 0, "/status/replicas", NULL},
    {"ReplicaSet", "Ready", "integer", 0, "/status/readyReplicas", NULL},
    {"ReplicaSet", "Age", "string", 0, NULL, cell_age},
    {"ReplicaSet", "Containers", "string", WIDE, NULL, cell_containers},
    {"ReplicaSet", "Images", "string", WIDE, NULL, cell_images},
    {"ReplicaSet", "Selector", "string", WIDE, NULL, cell_selector},
    {"StatefulSet", "Ready", "string", 0, NULL, cell_ready_of_wanted},
    {"StatefulSet", "Age", "string", 0, NULL, cell_age},
    {"StatefulSet", "Containers", "string", WIDE, NULL, cell_containers},
    {"StatefulSet", "Images", "string", WIDE, NULL, cell_images},
    {"DaemonSet", "Desired", "integer", 0, "/status/desiredNumberScheduled", NULL},
    {"DaemonSet", "Current", "integer", 0, "/status/currentNumberScheduled", NULL},
    {"DaemonSet", "Ready", "integer", 0, "/status/numberReady", NULL},
    {"DaemonSet", "Up-to-date", "integer", 0, "/status/updatedNumberScheduled", NULL},
    {"DaemonSet", "Available", "integer", 0, "/status/numberAvailable", NULL},
    {"DaemonSet", "Node Selector", "string", 0, NULL, cell_node_selector},
    {"DaemonSet", "Age", "string", 0, NULL, cell_age},
    {"DaemonSet", "Containers", "string", WIDE, NULL, cell_containers},
    {"DaemonSet", "Images", "string", WIDE, NULL, cell_images},
    {"DaemonSet", "Selector", "string", WIDE, NULL, cell_selector},
    {"CustomResourceDefinition", "Created At", "date", 0, "/metadata/creationTimestamp", NULL},
};

/* Events come without a name in front. */
static const struct column event_columns[] = {
    {"Event", "Last Seen", "string", 0, NULL, cell_last_seen},
    {"Event", "Type", "string", 0, "/type", NULL},
    {"Event", "Reason", "string", 0, "/reason", NULL},
    {"Event", "Object", "string", 0, NULL, cell_event_object},
    {"Event", "Subobject", "string", WIDE, "/involvedObject/fieldPath", NULL},
    {"Event", "Source", "string", WIDE, "/source/component", NULL},
    {"Event", "Message", "string", 0, "/message", NULL},
    {"Event", "First Seen", "string", WIDE, NULL, cell_first_seen},
    {"Event", "Count", "string", WIDE, NULL, cell_event_count},
    {"Event", "Name", "string", WIDE, "/metadata/name", NULL},
};

static json_t *definition(const char *name, const char *type, const char *format, int64_t priority)
{
    return json_pack("{ss ss ss ss sI}", "name", name, "type", type, "format", format,
                     "description", "", "priority", (json_int_t)priority);
}

static void built_in_columns(const struct kind *kind, const struct column *list, size_t count,
                             json_t *ret_columns)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].kind, kind->name) == 0)
            json_array_append_new(ret_columns,
                                  definition(list[i].name, list[i].type, "", list[i].priority));
}

static bool is_event(const struct kind *kind)
{
    return !kind->custom && strcmp(kind->name, "Event") == 0;
}

json_t *table_columns(const struct kind *kind)
{
    json_t *list = json_array(), *column;
    size_t i;
    if (is_event(kind)) {
        built_in_columns(kind, event_columns, sizeof event_columns / sizeof *event_columns, list);
        return list;
    }
    json_array_append_new(list, definition("Name", "string", "name", 0));
    if (!kind->custom) {
        built_in_columns(kind, columns, sizeof columns / sizeof *columns, list);
        return list;
    }
    json_array_foreach (kind->columns, i, column) {
        const char *format = json_string_at(column, "/format");
        json_array_append_new(
            list, definition(json_string_at(column, "/name"), json_string_at(column, "/type"),
                             format ? format : "", json_int_at(column, "/priority", 0)));
    }
    return list;
}

/* ── Cells ────────────────────────────────────────────────────────────────────────────────── */

static json_t *built_in_cell(const struct column *column, const json_t *object)
{
    if (column->cell)
        return column->cell(object);
    json_t *value = json_at(object, column->pointer);
    if (value)
        return json_incref(value);
    bool number = strcmp(column->type, "integer") == 0;
    return number ? json_integer(0) : json_string("");
}

static json_t *custom_cell(const json_t *column, const json_t *object)
{
    const char *type = json_string_at(column, "/type");
    json_t *value AUTO_JSON = jsonpath_first(object, json_string_at(column, "/jsonPath"));
    if (!value || json_is_null(value))
        return json_null();
    if (strcmp(type, "date") == 0)
        return cell_since(json_string_value(value));
    if (strcmp(type, "string") == 0 && !json_is_string(value)) {
        char *text AUTO_FREE = json_text(value);
        return json_string(text);
    }
    bool fits = strcmp(type, "string") == 0    ? json_is_string(value)
                : strcmp(type, "boolean") == 0 ? json_is_boolean(value)
                                               : json_is_number(value);
    return fits ? json_incref(value) : json_null();
}

static void built_in_cells(const struct kind *kind, const json_t *object, const struct column *list,
                           size_t count, json_t *ret_cells)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].kind, kind->name) == 0)
            json_array_append_new(ret_cells, built_in_cell(&list[i], object));
}

json_t *table_cells(const struct kind *kind, const json_t *object)
{
    json_t *cells = json_array(), *column;
    size_t i;
    if (is_event(kind)) {
        built_in_cells(kind, object, event_columns, sizeof event_columns / sizeof *event_columns,
                       cells);
        return cells;
    }
    json_array_append(cells, json_at(object, "/metadata/name"));
    if (!kind->custom) {
        built_in_cells(kind, object, columns, sizeof columns / sizeof *columns, cells);
        return cells;
    }
    json_array_foreach (kind->columns, i, column)
        json_array_append_new(cells, custom_cell(column, object));
    return cells;
}
