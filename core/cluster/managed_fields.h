// SPDX-License-Identifier: Apache-2.0
/*
 * managedFields: who has written which field of an object. The API server keeps it of every object;
 * here it answers one question, by whom and where something was changed that should have stayed.
 * Needs an object that was asked for whole (call_spec.whole).
 */
#ifndef CLUSTER_MANAGED_FIELDS_H
#define CLUSTER_MANAGED_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

/* A write of somebody else's. Strings are borrowed of the object but for `field`, which is the
 * caller's to free. */
struct foreign_write {
    const char *manager;   /* as it calls itself: "kubectl-client-side-apply" */
    const char *operation; /* "Apply" or "Update" */
    const char *time;      /* RFC 3339 */
    char *field;           /* "spec.template.spec.containers[name=web].image" */
    const json_t *found;   /* what stands there; NULL: nothing */
    const json_t *wanted;  /* what should; NULL: nothing */
};

/* The latest write at or below a pointer, of anybody but `us`, by which `live` differs from
 * `wanted`; a field that `wanted` has counts before one that was added. If all that differs was
 * removed, or isn't told, it is the latest write there at all, with the pointer itself as the
 * field. False: nobody else has written there. */
bool managed_foreign_write(const json_t *live, const json_t *wanted, const char *pointer,
                           const char *us, struct foreign_write *ret_write);

/* Has anybody but `us` taken the field at the pointer, one of ours, out of our hands? Either it is
 * his by now, with another value than in `wanted`; or it was removed, so that it is nobody's: then
 * the latest write to the spec is told. */
bool managed_taken(const json_t *live, const json_t *wanted, const char *pointer, const char *us,
                   struct foreign_write *ret_write);

#endif
