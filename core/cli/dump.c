// SPDX-License-Identifier: Apache-2.0
#include "cli/dump.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/resource.h"
#include "cli/rollout_view.h"
#include "cli/server.h"
#include "oam/revision.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PODS_MAX = 50, EVENTS_MAX = 100, LOG_BYTES = 256 * 1024 };

/* Words of the server's, or ours about the way to it. What a credential plugin has said may be a
 * credential. */
static bool is_telling(const struct error *err)
{
    return err->code == ERR_MISSING || err->code == ERR_DENIED ||
           strstr(err->text, "no answer from") || strncmp(err->text, "GET http", 8) == 0;
}

void dump_unread(struct dump *dump, const char *what, const struct error *err)
{
    fprintf(stderr, "sluice debug: not in the report: %s: %s\n", what, err->text);
    const char *why = is_telling(err) ? err->text : "said on standard error, and left out here";
    json_array_append_new(dump->unread, json_pack("{s:s, s:s}", "what", what, "why", why));
}

/* ---- the API ---- */

/* The caller owns it; NULL: it couldn't be read. */
static json_t *get(struct dump *dump, const char *what, const char *path)
{
    const struct call_spec spec = {.method = "GET", .path = path};
    json_t *body = NULL;
    struct error err = {0};
    if (dump->deaf || session_call(dump->session, &spec, &body, &err) == OK)
        return body;
    dump->deaf = err.code == ERR_RETRY;
    dump_unread(dump, what, &err);
    return NULL;
}

json_t *dump_cluster(struct dump *dump)
{
    static const char *const keep[] = {"/gitVersion", "/platform"};
    json_t *body AUTO_JSON = get(dump, "the API server's version", "/version");
    return body ? json_pack("{s:s*, s:s*}", "version", json_string_at(body, keep[0]), "platform",
                            json_string_at(body, keep[1]))
                : NULL;
}

json_t *dump_lease(struct dump *dump, const char *ns, const char *name)
{
    char *what AUTO_FREE = str_format("Lease %s/%s", ns, name);
    char *path AUTO_FREE =
        str_format("/apis/coordination.k8s.io/v1/namespaces/%s/leases/%s", ns, name);
    return get(dump, what, path);
}

/* ---- pods and Events ---- */

static char *escape(const char *text)
{
    char *made = curl_easy_escape(NULL, text, 0);
    char *copy = str_copy(made);
    curl_free(made);
    return copy;
}

/* "tier in (a,b)" */
static void expression_add(struct text *to, const json_t *expression)
{
    const char *key = json_string_at(expression, "/key");
    const char *operator= json_string_at(expression, "/operator");
    const json_t *values = json_object_get(expression, "values");
    if (!key || !operator)
        return;
    text_puts(to, to->len ? "," : "");
    if (str_equal(operator, "Exists") || str_equal(operator, "DoesNotExist")) {
        text_addf(to, "%s%s", str_equal(operator, "Exists") ? "" : "!", key);
        return;
    }
    text_addf(to, "%s %s (", key, str_equal(operator, "NotIn") ? "notin" : "in");
    for (size_t i = 0; i < json_array_size(values); i++)
        text_addf(to, "%s%s", i ? "," : "", json_string_value(json_array_get(values, i)));
    text_puts(to, ")");
}

/* A workload's spec.selector as a query has it; "" when there is none. */
static void selector_add(struct text *to, const json_t *workload)
{
    const char *key;
    json_t *value;
    size_t index;
    json_object_foreach (json_at(workload, "/spec/selector/matchLabels"), key, value)
        text_addf(to, "%s%s=%s", to->len ? "," : "", key, json_string_value(value));
    json_array_foreach (json_at(workload, "/spec/selector/matchExpressions"), index, value)
        expression_add(to, value);
}

static void list_prune(json_t *list, const char *const *keep, size_t count)
{
    json_t *items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        json_array_set_new(items, i, json_pick(json_array_get(items, i), keep, count));
}

/* {"items": […], "more": N} */
static json_t *pruned_list(struct dump *dump, const char *what, const char *path,
                           const char *const *keep, size_t count)
{
    json_t *list AUTO_JSON = get(dump, what, path);
    if (!list)
        return NULL;
    list_prune(list, keep, count);
    json_t *made = json_pack("{s:O*}", "items", json_object_get(list, "items"));
    int64_t more = json_int_at(list, "/metadata/remainingItemCount", 0);
    if (more)
        json_object_set_new(made, "more", json_integer(more));
    return made;
}

static json_t *pods_of(struct dump *dump, const char *ns, const json_t *workload)
{
    static const char *const keep[] = {"/metadata/labels",
                                       "/metadata/creationTimestamp",
                                       "/metadata/deletionTimestamp",
                                       "/spec/nodeName",
                                       "/status/phase",
                                       "/status/reason",
                                       "/status/message",
                                       "/status/startTime",
                                       "/status/conditions",
                                       "/status/initContainerStatuses",
                                       "/status/containerStatuses"};
    struct text selector AUTO(text_done) = {0};
    selector_add(&selector, workload);
    if (!selector.len)
        return NULL;
    char *query AUTO_FREE = escape(selector.at);
    char *what AUTO_FREE = str_format("pods of %s %s/%s", json_string_at(workload, "/kind"), ns,
                                      json_string_at(workload, "/metadata/name"));
    char *path AUTO_FREE =
        str_format("/api/v1/namespaces/%s/pods?labelSelector=%s&limit=%d", ns, query, PODS_MAX);
    return pruned_list(dump, what, path, keep, sizeof keep / sizeof *keep);
}

static json_t *events_of(struct dump *dump, const char *ns, const char *kind, const char *name)
{
    static const char *const keep[] = {"/type",      "/reason",        "/message",
                                       "/count",     "/series/count",  "/firstTimestamp",
                                       "/eventTime", "/lastTimestamp", "/reportingComponent"};
    char *what AUTO_FREE = str_format("Events of %s %s/%s", kind, ns, name);
    char *fields AUTO_FREE =
        str_format("involvedObject.kind=%s,involvedObject.name=%s", kind, name);
    char *query AUTO_FREE = escape(fields);
    char *path AUTO_FREE =
        str_format("/api/v1/namespaces/%s/events?fieldSelector=%s&limit=%d", ns, query, EVENTS_MAX);
    return pruned_list(dump, what, path, keep, sizeof keep / sizeof *keep);
}

/* ---- workloads ---- */

static void put(json_t *json, const char *name, json_t *value_take)
{
    if (value_take)
        json_object_set_new(json, name, value_take);
}

static json_t *workload_get(struct dump *dump, const struct resource *resource)
{
    struct error err = {0};
    char *path AUTO_FREE = NULL;
    char *what AUTO_FREE = str_format("%s %s/%s", resource->kind, resource->ns, resource->name);
    if (dump->deaf)
        return NULL;
    if (resource_path(dump->session, resource, &path, &err) == OK)
        return get(dump, what, path);
    dump_unread(dump, what, &err);
    return NULL;
}

/* The workload, with its pods and Events, into the object that tells of a component. */
static void workload_add(struct dump *dump, const struct resource *resource, json_t *to)
{
    json_t *workload = workload_get(dump, resource);
    if (!workload)
        return;
    put(to, "workload", workload);
    put(to, "pods", pods_of(dump, resource->ns, workload));
    put(to, "events", events_of(dump, resource->ns, resource->kind, resource->name));
}

static void followed_add(struct dump *dump, const struct rollout_view *view, json_t *to)
{
    const struct resource resource = {
        .api_version = json_string_at(view->object, "/spec/workloadRef/apiVersion"),
        .kind = json_string_at(view->object, "/spec/workloadRef/kind"),
        .name = json_string_at(view->object, "/spec/workloadRef/name"),
        .ns = view->rollout.ns,
    };
    if (resource.api_version && resource.kind && resource.name)
        workload_add(dump, &resource, to);
}

/* A component's workload is of the kind that its definition declares, as the revision has it. */
static void component_add(struct dump *dump, const struct rollout_view *view, const char *component,
                          json_t *to)
{
    struct render_input input = {0};
    struct error err = {0};
    const char *ns = view->rollout.ns, *target = view->rollout.intent.target;
    char *what AUTO_FREE = str_format("ApplicationRevision %s/%s", ns, target);
    char *path AUTO_FREE =
        str_format("/apis/core.oam.dev/v1beta1/namespaces/%s/applicationrevisions/%s", ns, target);
    json_t *revision AUTO_JSON = *target ? get(dump, what, path) : NULL;
    if (!revision)
        return;
    if (revision_component(revision, component, &input, &err) < 0)
        dump_unread(dump, what, &err);
    const struct resource resource = {input.api_version, input.kind, component, ns};
    if (input.api_version && input.kind)
        workload_add(dump, &resource, to);
    render_input_done(&input);
}

/* ---- a rollout ---- */

static json_t *part_about(struct dump *dump, const struct rollout_view *view,
                          const struct part *part)
{
    json_t *about = json_object();
    json_t *history AUTO_JSON = history_json(view, part);
    if (part->component)
        put(about, "component", json_string(part->component));
    put(about, "explain", explain_json(view, part));
    json_object_update(about, history);
    if (view->kind->follows)
        followed_add(dump, view, about);
    else if (part->component)
        component_add(dump, view, part->component, about);
    return about;
}

json_t *dump_rollout(struct dump *dump, const struct found *found)
{
    struct rollout_view view;
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    json_t *parts = json_array();
    for (size_t i = 0; i < view.part_count; i++)
        json_array_append_new(parts, part_about(dump, &view, &view.parts[i]));
    json_t *about = json_pack("{s:O, s:o}", "rollout", found->object, "components", parts);
    put(about, "events",
        events_of(dump, view.rollout.ns, found->kind->info.kind, view.rollout.name));
    rollout_view_done(&view);
    return about;
}

/* ---- the controller ---- */

/* Each line is one; what begins with '#' only explains the others. */
static json_t *lines(const char *text)
{
    json_t *made = json_array();
    for (size_t length; *text; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        if (length && *text != '#')
            json_array_append_new(made, json_stringn_nocheck(text, length));
    }
    return made;
}

static json_t *server_lines(struct dump *dump, const char *server, const char *path)
{
    struct text body AUTO(text_done) = {0};
    struct error err = {0};
    if (server_text(server, path, &body, &err) == OK) {
        text_mend(body.at);
        return lines(body.at);
    }
    dump_unread(dump, "the controller", &err);
    return NULL;
}

json_t *dump_controller(struct dump *dump, const char *server)
{
    struct error err = {0};
    json_t *adapters = NULL;
    int code = server_get(server, "/adapters", &adapters, &err);
    if (code < 0) {
        dump_unread(dump, "the controller (--server)", &err);
        return NULL;
    }
    json_t *about = json_pack("{s:s, s:o}", "server", server, "loaded", adapters);
    put(about, "metrics", server_lines(dump, server, "/metrics"));
    return about;
}

/* ---- a log ---- */

static int log_open(const char *file, FILE **ret_log, long *ret_skipped, struct error *err)
{
    struct stat about;
    FILE *log = fopen(file, "re");
    int why = log && fstat(fileno(log), &about) == 0 ? 0 : errno;
    long skipped = !why && about.st_size > LOG_BYTES ? (long)about.st_size - LOG_BYTES : 0;
    int code = OK;
    if (why)
        code =
            error_set(err, why == ENOENT ? ERR_MISSING : ERR_DENIED, "%s: %s", file, strerror(why));
    else if (!S_ISREG(about.st_mode) || fseek(log, skipped, SEEK_SET) < 0)
        code = error_set(err, ERR_INVALID, "%s: expected a regular file", file);
    if (code < 0 && log)
        fclose(log);
    if (code < 0)
        return code;
    *ret_log = log;
    *ret_skipped = skipped;
    return OK;
}

/* Its end, from the beginning of a line on. */
static int tail_read(const char *file, struct text *to, struct error *err)
{
    char block[4096];
    size_t count;
    long skipped = 0;
    FILE *log = NULL;
    int code = log_open(file, &log, &skipped, err);
    if (code < 0)
        return code;
    do {
        count = fread(block, 1, sizeof block, log);
        text_add(to, block, count);
    } while (count == sizeof block && to->len < LOG_BYTES);
    fclose(log);
    const char *line = skipped && to->at ? strchr(to->at, '\n') : NULL;
    if (line)
        text_drop(to, (size_t)(line + 1 - to->at));
    return OK;
}

json_t *dump_log(const char *file, struct error *err)
{
    struct text tail AUTO(text_done) = {0};
    if (tail_read(file, &tail, err) < 0)
        return NULL;
    if (!tail.at)
        return json_array();
    text_mend(tail.at);
    return lines(tail.at);
}
