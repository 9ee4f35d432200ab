// SPDX-License-Identifier: Apache-2.0
#include "controllers.h"

#include "base/json.h"
#include "object.h"

enum { AT_ONCE = 1000 }; /* versions in one turn of the loop */

static void tell(struct sandbox *sandbox, const struct version *version)
{
    static controller_fn *const controllers[] = {
        crd_controller,        namespace_controller,    owner_controller,
        node_controller,       pod_controller,          replica_set_controller,
        deployment_controller, stateful_set_controller, daemon_set_controller,
        clone_set_controller,
    };
    int64_t revision = version->revision;
    const struct kind *kind = registry_in(sandbox->kinds, version->entry->collection);
    json_t *object AUTO_JSON = kind ? object_of(kind, version) : NULL;
    struct news news = {version, kind, object};
    for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++)
        if (revision > store_horizon(sandbox->store))
            controllers[i](sandbox, &news);
}

static void on_turn(void *data)
{
    struct sandbox *sandbox = data;
    if (sandbox->controlled < store_horizon(sandbox->store))
        sandbox->controlled = store_horizon(sandbox->store);
    for (int i = 0; i < AT_ONCE && sandbox->controlled < store_revision(sandbox->store); i++)
        tell(sandbox, store_version(sandbox->store, ++sandbox->controlled));
    if (sandbox->controlled < store_revision(sandbox->store))
        controllers_wake(sandbox);
}

void controllers_wake(struct sandbox *sandbox)
{
    if (!timer_running(&sandbox->controllers))
        timer_start(sandbox->loop, &sandbox->controllers, 0, on_turn, sandbox);
}
