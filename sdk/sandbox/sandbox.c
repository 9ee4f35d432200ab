// SPDX-License-Identifier: Apache-2.0
#include "sandbox_private.h"

#include "api.h"
#include "base/alloc.h"
#include "base/json.h"
#include "builtin.h"
#include "change.h"
#include "controllers.h"
#include "later.h"
#include "nodes.h"
#include "owners.h"
#include "pods.h"
#include "watch.h"

#include <stdlib.h>

enum { HISTORY = 100000 };

static void on_write(void *data)
{
    struct sandbox *sandbox = data;
    const struct version *newest = store_version(sandbox->store, store_revision(sandbox->store));
    watches_wake(sandbox, newest->entry->collection);
    controllers_wake(sandbox);
}

static void create(struct sandbox *sandbox, const struct kind *kind, json_t *object)
{
    struct target target = {.kind = kind};
    struct change_options options = {0};
    struct failure failure = {0};
    change_create(sandbox, &target, object, &options, &failure);
    failure_done(&failure);
}

/* What every cluster has from its first moment. */
static void create_namespaces(struct sandbox *sandbox)
{
    static const char *const names[] = {"default", "kube-node-lease", "kube-public", "kube-system"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *object AUTO_JSON = json_pack("{ss ss s{ss}}", "kind", "Namespace", "apiVersion",
                                             "v1", "metadata", "name", names[i]);
        create(sandbox, registry_find(sandbox->kinds, "", "v1", "namespaces"), object);
    }
    store_compact(sandbox->store);
}

static void define_clonesets(struct sandbox *sandbox)
{
    json_t *definition AUTO_JSON = json_loads(builtin_clonesets, 0, NULL);
    create(sandbox,
           registry_of(sandbox->kinds, "apiextensions.k8s.io/v1", "CustomResourceDefinition"),
           definition);
}

int sandbox_new(struct loop *loop, const struct sandbox_options *options,
                struct sandbox **ret_sandbox, struct error *err)
{
    struct sandbox *sandbox = mem_alloc(sizeof *sandbox);
    sandbox->loop = loop;
    list_init(&sandbox->watches);
    list_init(&sandbox->soon);
    list_init(&sandbox->later);
    sandbox->ready_after_ms = options->runs_pods ? options->ready_after_ms : -1;
    sandbox->store = store_new(options->history ? options->history : HISTORY);
    sandbox->kinds = registry_new(sandbox->store);
    sandbox->owners = owners_new();
    sandbox->faults = faults_new();
    store_on_write(sandbox->store, on_write, sandbox);
    create_namespaces(sandbox);
    if (options->openkruise)
        define_clonesets(sandbox);
    nodes_create(sandbox, options->nodes);
    sandbox->inside = inside_new(loop, api_answer, sandbox);
    int code = options->listen
                   ? http_new(loop, options->listen, api_answer, sandbox, &sandbox->http, err)
                   : OK;
    if (code < 0)
        sandbox_free(sandbox);
    else
        *ret_sandbox = sandbox;
    return code;
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    http_free(sandbox->http);
    inside_free(sandbox->inside);
    timer_stop(sandbox->loop, &sandbox->controllers);
    later_done(sandbox);
    owners_free(sandbox->owners);
    registry_free(sandbox->kinds);
    store_free(sandbox->store);
    faults_free(sandbox->faults);
    map_done(&sandbox->never_ready, NULL);
    free(sandbox->stuck);
    free(sandbox);
}

int sandbox_port(const struct sandbox *sandbox)
{
    return http_port(sandbox->http);
}

struct carrier sandbox_carrier(struct sandbox *sandbox)
{
    return inside_carrier(sandbox->inside);
}

int sandbox_add_faults(struct sandbox *sandbox, const json_t *rules, json_t **ret_added,
                       struct error *err)
{
    int code = faults_add(sandbox->faults, rules, ret_added, err);
    if (code == OK)
        nodes_look(sandbox);
    return code;
}

int sandbox_check_faults(const json_t *rules, struct error *err)
{
    struct faults *faults = faults_new();
    json_t *added AUTO_JSON = NULL;
    int code = faults_add(faults, rules, &added, err);
    faults_free(faults);
    return code;
}

int sandbox_set_faults(struct sandbox *sandbox, const json_t *rules, struct error *err)
{
    json_t *added AUTO_JSON = NULL;
    faults_clear(sandbox->faults);
    pods_look(sandbox);
    return rules ? sandbox_add_faults(sandbox, rules, &added, err) : OK;
}

void sandbox_spare(struct sandbox *sandbox, const char *agent)
{
    faults_spare(sandbox->faults, agent);
}

json_t *sandbox_faults(const struct sandbox *sandbox)
{
    return faults_list(sandbox->faults);
}

void sandbox_stick(struct sandbox *sandbox, int pod)
{
    sandbox->starts = 0;
    sandbox->stuck_start = pod;
}

int64_t sandbox_revision(const struct sandbox *sandbox)
{
    return store_revision(sandbox->store);
}

bool sandbox_is_busy(const struct sandbox *sandbox, int64_t until_ms)
{
    return sandbox->controlled < store_revision(sandbox->store) ||
           later_next_ms(sandbox) < until_ms;
}
