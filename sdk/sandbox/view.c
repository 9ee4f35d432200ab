// SPDX-License-Identifier: Apache-2.0
#include "view.h"

#include "base/alloc.h"
#include "base/json.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>

#define META_GROUP ";g=meta.k8s.io;v=v1"

/* One of the media types of an Accept header. */
static bool form_of(const char *type, enum view_form *ret_form)
{
    bool json =
        strstr(type, "application/json") || strstr(type, "*/*") || strstr(type, "application/*");
    if (!json)
        return false;
    if (strstr(type, "as=Table"))
        *ret_form = VIEW_TABLE;
    else if (strstr(type, "as=PartialObjectMetadata"))
        *ret_form = VIEW_METADATA;
    else if (strstr(type, "as="))
        return false;
    else
        *ret_form = VIEW_WHOLE;
    return true;
}

bool view_read(const struct request *request, struct view *ret_view)
{
    const char *accept = request_header(request, "Accept");
    const char *rows = request_query(request, "includeObject");
    char *copy AUTO_FREE = str_copy(accept && *accept ? accept : "*/*"), *rest = copy;
    struct view view = {.whole_rows = str_equal(rows, "Object"),
                        .bare_rows = str_equal(rows, "None")};
    for (char *type; (type = strsep(&rest, ","));) {
        if (form_of(type, &view.form)) {
            *ret_view = view;
            return true;
        }
    }
    return false;
}

int view_or_fail(const struct request *request, struct view *ret_view, struct failure *failure)
{
    if (view_read(request, ret_view))
        return 0;
    fail(failure, 406, "NotAcceptable",
         "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, "
         "application/vnd.kubernetes.protobuf");
    failure->details = json_object();
    return -1;
}

const char *view_type(struct view view, bool is_list)
{
    static const char *const types[] = {
        [VIEW_WHOLE] = "application/json",
        [VIEW_METADATA] = "application/json;as=PartialObjectMetadata" META_GROUP,
        [VIEW_TABLE] = "application/json;as=Table" META_GROUP,
    };
    if (view.form == VIEW_METADATA && is_list)
        return "application/json;as=PartialObjectMetadataList" META_GROUP;
    return types[view.form];
}

static json_t *parse(const struct kind *kind, const char *stored)
{
    char *text AUTO_FREE = str_format("%s%s", kind->head, stored);
    return json_loads(text, 0, NULL);
}

static void add_json(struct text *out, const json_t *json)
{
    char *text AUTO_FREE = json_text(json);
    text_puts(out, text);
}

static json_t *metadata_of(const json_t *object)
{
    return json_pack("{ss ss sO}", "kind", "PartialObjectMetadata", "apiVersion", "meta.k8s.io/v1",
                     "metadata", json_object_get(object, "metadata"));
}

static void add_metadata(const struct kind *kind, const char *stored, struct text *out)
{
    json_t *object AUTO_JSON = parse(kind, stored);
    json_t *metadata AUTO_JSON = metadata_of(object);
    add_json(out, metadata);
}

static void add_row(struct view view, const struct kind *kind, const char *stored, struct text *out)
{
    json_t *object AUTO_JSON = parse(kind, stored);
    json_t *row AUTO_JSON = json_pack("{so}", "cells", table_cells(kind, object));
    if (view.whole_rows)
        json_object_set(row, "object", object);
    else
        json_object_set_new(row, "object", view.bare_rows ? json_null() : metadata_of(object));
    add_json(out, row);
}

void view_open(struct view view, const struct kind *kind, const char *meta, struct text *out)
{
    if (view.form == VIEW_WHOLE) {
        text_addf(out, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",\"metadata\":%s,\"items\":[",
                  kind->list_name, kind->api_version, meta);
    } else if (view.form == VIEW_METADATA) {
        text_addf(out,
                  "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/v1\","
                  "\"metadata\":%s,\"items\":[",
                  meta);
    } else {
        json_t *columns AUTO_JSON = table_columns(kind);
        text_addf(out,
                  "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":%s,"
                  "\"columnDefinitions\":",
                  meta);
        add_json(out, columns);
        text_puts(out, ",\"rows\":[");
    }
}

void view_close(struct text *out)
{
    text_puts(out, "]}");
}

void view_item(struct view view, const struct kind *kind, const char *stored, struct text *out)
{
    if (view.form == VIEW_TABLE)
        add_row(view, kind, stored, out);
    else if (view.form == VIEW_METADATA)
        add_metadata(kind, stored, out);
    else
        text_addf(out, "%s%s", kind->custom ? kind->head : "{", stored);
}

/* A table with one row. */
static void add_table(struct view view, const struct kind *kind, const char *stored, bool columns,
                      struct text *out)
{
    json_t *object AUTO_JSON = parse(kind, stored);
    const char *revision = json_string_at(object, "/metadata/resourceVersion");
    char *meta AUTO_FREE = str_format("{\"resourceVersion\":\"%s\"}", revision);
    if (columns)
        view_open(view, kind, meta, out);
    else
        text_addf(out,
                  "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":%s,"
                  "\"columnDefinitions\":null,\"rows\":[",
                  meta);
    add_row(view, kind, stored, out);
    view_close(out);
}

void view_event(struct view view, const struct kind *kind, const char *stored, bool first,
                struct text *out)
{
    if (view.form == VIEW_TABLE)
        add_table(view, kind, stored, first, out);
    else
        view_object(view, kind, stored, out);
}

void view_object(struct view view, const struct kind *kind, const char *stored, struct text *out)
{
    if (view.form == VIEW_TABLE)
        add_table(view, kind, stored, true, out);
    else if (view.form == VIEW_METADATA)
        add_metadata(kind, stored, out);
    else
        text_addf(out, "%s%s", kind->head, stored);
}
