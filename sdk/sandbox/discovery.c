// SPDX-License-Identifier: Apache-2.0
#include "discovery.h"

#include "base/alloc.h"
#include "base/json.h"
#include "openapi.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AGGREGATED ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

static void answer_json_take(struct answer *answer, json_t *json)
{
    char *text AUTO_FREE = json_text(json);
    text_puts(&answer->body, text);
    json_decref(json);
}

static void answer_words(struct answer *answer, const char *words)
{
    answer->type = "text/plain; charset=utf-8";
    text_puts(&answer->body, words);
}

/* ── Groups ───────────────────────────────────────────────────────────────────────────────── */

/* The group versions that are served, each once, in the order of kinds: ["apps", "v1"], … */
static json_t *group_versions(const struct registry *kinds)
{
    json_t *list = json_array();
    for (size_t i = 0; i < registry_count(kinds); i++) {
        const struct kind *kind = registry_at(kinds, i);
        json_t *pair AUTO_JSON = json_pack("[ss]", kind->group, kind->version), *each;
        size_t at;
        bool known = false;
        json_array_foreach (list, at, each)
            known = known || json_equal(each, pair);
        if (!known)
            json_array_append(list, pair);
    }
    return list;
}

static bool is_in(const struct kind *kind, const char *group, const char *version)
{
    return strcmp(kind->group, group) == 0 && strcmp(kind->version, version) == 0;
}

/* A group with its versions: {"name", "versions": […], "preferredVersion"}. */
static json_t *group_of(const json_t *pairs, const char *name)
{
    json_t *versions = json_array(), *pair;
    size_t i;
    json_array_foreach (pairs, i, pair) {
        const char *version = json_string_at(pair, "/1");
        if (str_equal(json_string_at(pair, "/0"), name))
            json_array_append_new(versions, json_pack("{so ss}", "groupVersion",
                                                      json_sprintf("%s/%s", name, version),
                                                      "version", version));
    }
    json_t *group = json_pack("{ss sO}", "name", name, "versions", versions);
    if (json_array_size(versions))
        json_object_set(group, "preferredVersion", json_array_get(versions, 0));
    json_decref(versions);
    return group;
}

/* The names of all groups but the first, core. */
static json_t *group_names(const json_t *pairs)
{
    json_t *names = json_object(), *pair;
    size_t i;
    json_array_foreach (pairs, i, pair)
        if (*json_string_at(pair, "/0"))
            json_object_set_new(names, json_string_at(pair, "/0"), json_true());
    return names;
}

static json_t *all_groups(const struct registry *kinds)
{
    json_t *pairs AUTO_JSON = group_versions(kinds), *names AUTO_JSON = group_names(pairs), *yes;
    json_t *groups = json_array();
    const char *name;
    json_object_foreach (names, name, yes)
        json_array_append_new(groups, group_of(pairs, name));
    return json_pack("{ss ss so}", "kind", "APIGroupList", "apiVersion", "v1", "groups", groups);
}

/* ── Kinds ────────────────────────────────────────────────────────────────────────────────── */

static json_t *resource_list(const struct registry *kinds, const char *group, const char *version)
{
    json_t *list = json_array();
    const char *api_version = NULL;
    for (size_t i = 0; i < registry_count(kinds); i++) {
        const struct kind *kind = registry_at(kinds, i);
        if (!is_in(kind, group, version))
            continue;
        api_version = kind->api_version;
        json_array_append(list, kind->described);
        json_array_extend(list, kind->subresources);
    }
    json_t *answer = api_version ? json_pack("{ss ss* ss sO}", "kind", "APIResourceList",
                                             "apiVersion", *group ? "v1" : NULL, "groupVersion",
                                             api_version, "resources", list)
                                 : NULL;
    json_decref(list);
    return answer;
}

static json_t *response_kind(const char *group, const char *version, const char *kind)
{
    return json_pack("{ss ss ss}", "group", group, "version", version, "kind", kind);
}

static json_t *aggregated_subresource(const json_t *subresource)
{
    const char *group = json_string_at(subresource, "/group");
    const char *version = json_string_at(subresource, "/version");
    const char *name = strchr(json_string_at(subresource, "/name"), '/') + 1;
    return json_pack("{ss so sO}", "subresource", name, "responseKind",
                     response_kind(group ? group : "", version ? version : "",
                                   json_string_at(subresource, "/kind")),
                     "verbs", json_object_get(subresource, "verbs"));
}

/* Built-in kinds leave to the reader what the list says already. */
static json_t *own_kind(const struct kind *kind)
{
    return response_kind(kind->custom ? kind->group : "", kind->custom ? kind->version : "",
                         kind->name);
}

static json_t *aggregated_resource(const struct kind *kind)
{
    json_t *subresources = json_array(), *each;
    size_t i;
    json_array_foreach (kind->subresources, i, each)
        json_array_append_new(subresources, aggregated_subresource(each));
    const json_t *told = kind->described;
    json_t *resource =
        json_pack("{ss so ss sO sO sO* sO*}", "resource", kind->plural, "responseKind",
                  own_kind(kind), "scope", kind->namespaced ? "Namespaced" : "Cluster",
                  "singularResource", json_object_get(told, "singularName"), "verbs",
                  json_object_get(told, "verbs"), "shortNames", json_object_get(told, "shortNames"),
                  "categories", json_object_get(told, "categories"));
    if (json_array_size(subresources))
        json_object_set(resource, "subresources", subresources);
    json_decref(subresources);
    return resource;
}

static json_t *aggregated_version(const struct registry *kinds, const char *group,
                                  const char *version)
{
    json_t *resources = json_array();
    for (size_t i = 0; i < registry_count(kinds); i++)
        if (is_in(registry_at(kinds, i), group, version))
            json_array_append_new(resources, aggregated_resource(registry_at(kinds, i)));
    return json_pack("{ss so ss}", "version", version, "resources", resources, "freshness",
                     "Current");
}

static json_t *aggregated_group(const struct registry *kinds, const json_t *pairs, const char *name)
{
    json_t *versions = json_array(), *pair;
    json_t *metadata = *name ? json_pack("{ss}", "name", name) : json_object();
    size_t i;
    json_array_foreach (pairs, i, pair)
        if (str_equal(json_string_at(pair, "/0"), name))
            json_array_append_new(versions,
                                  aggregated_version(kinds, name, json_string_at(pair, "/1")));
    return json_pack("{so so}", "metadata", metadata, "versions", versions);
}

static json_t *aggregated(const struct registry *kinds, bool core)
{
    json_t *pairs AUTO_JSON = group_versions(kinds), *names AUTO_JSON = group_names(pairs), *yes;
    json_t *items = json_array();
    const char *name;
    if (core)
        json_array_append_new(items, aggregated_group(kinds, pairs, ""));
    else
        json_object_foreach (names, name, yes)
            json_array_append_new(items, aggregated_group(kinds, pairs, name));
    return json_pack("{ss ss s{} so}", "kind", "APIGroupDiscoveryList", "apiVersion",
                     "apidiscovery.k8s.io/v2", "metadata", "items", items);
}

/* ── Paths ────────────────────────────────────────────────────────────────────────────────── */

static bool wants_aggregated(const struct request *request)
{
    const char *accept = request_header(request, "Accept");
    return accept && strstr(accept, "v=v2;as=APIGroupDiscoveryList");
}

static bool answer_roots(struct sandbox *sandbox, const struct request *request,
                         struct answer *answer)
{
    bool core = strcmp(request->path, "/api") == 0;
    if (!core && strcmp(request->path, "/apis") != 0)
        return false;
    if (wants_aggregated(request)) {
        answer->type = "application/json" AGGREGATED;
        answer_json_take(answer, aggregated(sandbox->kinds, core));
    } else if (core) {
        answer_json_take(answer, json_pack("{ss s[s] s[]}", "kind", "APIVersions", "versions", "v1",
                                           "serverAddressByClientCIDRs"));
    } else {
        answer_json_take(answer, all_groups(sandbox->kinds));
    }
    return true;
}

/* /apis/apps */
static bool answer_group(struct sandbox *sandbox, const char *name, struct answer *answer)
{
    json_t *pairs AUTO_JSON = group_versions(sandbox->kinds);
    json_t *group AUTO_JSON = group_of(pairs, name);
    if (!json_object_get(group, "preferredVersion"))
        return false;
    json_object_set_new(group, "kind", json_string("APIGroup"));
    json_object_set_new(group, "apiVersion", json_string("v1"));
    answer_json_take(answer, json_incref(group));
    return true;
}

/* /api/v1, /apis/apps/v1 */
static bool answer_version(struct sandbox *sandbox, const char *group, const char *version,
                           struct answer *answer)
{
    json_t *list = resource_list(sandbox->kinds, group, version);
    if (list)
        answer_json_take(answer, list);
    return list;
}

static bool answer_groups(struct sandbox *sandbox, const struct request *request,
                          struct answer *answer)
{
    char group[256], version[64], more;
    int steps = sscanf(request->path, "/apis/%255[^/]/%63[^/]%c", group, version, &more);
    if (steps == 1)
        return answer_group(sandbox, group, answer);
    if (steps == 2)
        return answer_version(sandbox, group, version, answer);
    return sscanf(request->path, "/api/%63[^/]%c", version, &more) == 1 &&
           answer_version(sandbox, "", version, answer);
}

static bool answer_version_of_server(const struct request *request, struct answer *answer)
{
    if (strcmp(request->path, "/version") != 0)
        return false;
    answer_json_take(answer, json_pack("{ss ss ss ss}", "major", "1", "minor", "34", "gitVersion",
                                       KUBERNETES "+sluice-sandbox", "platform", "linux/amd64"));
    return true;
}

static bool answer_health(const struct request *request, struct answer *answer)
{
    static const char *const paths[] = {"/healthz", "/livez", "/readyz"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(request->path, paths[i]) == 0) {
            answer_words(answer, "ok");
            return true;
        }
    }
    return false;
}

bool discovery_answer(struct sandbox *sandbox, const struct request *request, struct answer *answer)
{
    if (strcmp(request->method, "GET") != 0)
        return false;
    return answer_version_of_server(request, answer) || answer_health(request, answer) ||
           answer_roots(sandbox, request, answer) || answer_groups(sandbox, request, answer) ||
           openapi_answer(sandbox->kinds, request, answer) ||
           openapi_v2_answer(sandbox->kinds, request, answer);
}
