// SPDX-License-Identifier: Apache-2.0
#include "cluster/lease_object.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"

char *leases_path(const char *ns)
{
    return str_format("/apis/coordination.k8s.io/v1/namespaces/%s/leases", ns);
}

json_t *lease_record_new(const struct lease_record *record)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format_micro(clock_wall_ms(), now);
    return json_pack("{s:s, s:I, s:s, s:s, s:I}", "holderIdentity", record->holder,
                     "leaseDurationSeconds", (json_int_t)(record->duration_ms / 1000),
                     "acquireTime", record->acquired ? record->acquired : now, "renewTime", now,
                     "leaseTransitions", (json_int_t)record->transitions);
}

/* What the method needs beside it is in the spec already. */
static struct call *ask(const struct lease_object *object, struct call_spec spec, json_t *body_take,
                        reply_fn *on_reply, void *data)
{
    json_t *body AUTO_JSON = body_take;
    char *collection AUTO_FREE = leases_path(object->ns);
    char *path AUTO_FREE = str_format("%s/%s", collection, object->name);
    char *text AUTO_FREE = body ? json_text(body) : NULL;
    spec.path = str_equal(spec.method, "POST") ? collection : path;
    spec.body = text;
    spec.unfenced = true;
    spec.timeout_ms = object->renew_ms / 2;
    return cluster_call(object->cluster, &spec, on_reply, data);
}

struct call *lease_object_read(const struct lease_object *object, reply_fn *on_reply, void *data)
{
    return ask(object, (struct call_spec){.method = "GET"}, NULL, on_reply, data);
}

struct call *lease_object_create(const struct lease_object *object, json_t *metadata,
                                 json_t *record_take, reply_fn *on_reply, void *data)
{
    json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}, s:o}", "apiVersion",
                             "coordination.k8s.io/v1", "kind", "Lease", "metadata", "namespace",
                             object->ns, "name", object->name, "spec", record_take);
    if (metadata)
        json_object_update(json_object_get(body, "metadata"), metadata);
    return ask(object, (struct call_spec){.method = "POST"}, body, on_reply, data);
}

/* The version in which it is known; NULL: it isn't, and a body that needs it can't be made: what is
 * sent without one is refused. The caller releases it. */
static json_t *version_known(const struct lease_object *object)
{
    json_t *known AUTO_JSON = store_get(object->store, object->ns, object->name);
    return json_incref(json_at(known, "/metadata/resourceVersion"));
}

struct call *lease_object_patch(const struct lease_object *object, json_t *record_take,
                                reply_fn *on_reply, void *data)
{
    json_t *body = json_pack("{s:{s:o}, s:o}", "metadata", "resourceVersion", version_known(object),
                             "spec", record_take);
    return ask(object, (struct call_spec){.method = "PATCH", .content_type = PATCH_MERGE}, body,
               on_reply, data);
}

struct call *lease_object_delete(const struct lease_object *object, reply_fn *on_reply, void *data)
{
    json_t *body = json_pack("{s:s, s:s, s:{s:o}}", "apiVersion", "v1", "kind", "DeleteOptions",
                             "preconditions", "resourceVersion", version_known(object));
    return ask(object, (struct call_spec){.method = "DELETE"}, body, on_reply, data);
}
