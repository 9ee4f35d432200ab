// SPDX-License-Identifier: Apache-2.0
/* The object by which who leads is agreed on: its record, and what is asked about it. Private to
 * core/cluster; who is to hold it, lease.h and spread.h know. */
#ifndef CLUSTER_LEASE_OBJECT_H
#define CLUSTER_LEASE_OBJECT_H

#include "cluster/cluster.h"
#include "cluster/store.h"

struct lease_object {
    struct cluster *cluster;
    struct store *store; /* in which it is seen */
    const char *ns, *name;
    int64_t renew_ms; /* what is asked takes no longer than half of it: if it hangs, there is time
                         for another try, as with client-go's electors */
};

/* Where a namespace's are. The caller frees it. */
char *leases_path(const char *ns);

struct lease_record {
    const char *holder;   /* "": nobody */
    const char *acquired; /* NULL: now */
    int64_t duration_ms, transitions;
};
json_t *lease_record_new(const struct lease_record *record);

/* None of these is held back by the fence. Whoever writes first is the one: what is changed or
 * deleted is the version that is known, or the call fails. The record is given away; metadata
 * (labels and annotations, or NULL) isn't. */
struct call *lease_object_read(const struct lease_object *object, reply_fn *on_reply, void *data);
struct call *lease_object_create(const struct lease_object *object, json_t *metadata,
                                 json_t *record_take, reply_fn *on_reply, void *data);
struct call *lease_object_patch(const struct lease_object *object, json_t *record_take,
                                reply_fn *on_reply, void *data);
struct call *lease_object_delete(const struct lease_object *object, reply_fn *on_reply, void *data);

#endif
