// SPDX-License-Identifier: Apache-2.0
#include "sandbox.h"

#include "api.h"
#include "base/alloc.h"
#include "base/json.h"
#include "change.h"
#include "controllers.h"
#include "later.h"
#include "owners.h"
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

/* What every cluster has from its first moment. */
static void create_namespaces(struct sandbox *sandbox)
{
    static const char *const names[] = {"default", "kube-node-lease", "kube-public", "kube-system"};
    struct target target = {.kind = kinds_find(sandbox->kinds, "", "v1", "namespaces")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct change_options options = {0};
        struct failure failure = {0};
        json_t *object AUTO_JSON = json_pack("{ss ss s{ss}}", "kind", "Namespace", "apiVersion",
                                             "v1", "metadata", "name", names[i]);
        change_create(sandbox, &target, object, &options, &failure);
        failure_done(&failure);
    }
    store_compact(sandbox->store);
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
    sandbox->kinds = kinds_new(sandbox->store);
    sandbox->owners = owners_new();
    store_on_write(sandbox->store, on_write, sandbox);
    create_namespaces(sandbox);
    int code = http_new(loop, options->listen, api_answer, sandbox, &sandbox->http, err);
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
    timer_stop(sandbox->loop, &sandbox->controllers);
    later_done(sandbox);
    owners_free(sandbox->owners);
    kinds_free(sandbox->kinds);
    store_free(sandbox->store);
    free(sandbox);
}
