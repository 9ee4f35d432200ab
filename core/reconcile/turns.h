// SPDX-License-Identifier: Apache-2.0
/*
 * Whose turn it is: where the operator limits how many rolls are under way at the same time, the
 * others stand in line. A place that becomes free goes to the namespace that has the fewest rolls
 * under way, and there to whoever waits longest. What is recorded in the rollouts says who rolls
 * and who waits, so that nothing is lost with the process. Private to reconcile/.
 */
#ifndef RECONCILE_TURNS_H
#define RECONCILE_TURNS_H

#include "base/map.h"
#include "reconcile/queue.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many rolls may be under way; 0: any number. Of a rollout only once, however many components
 * it has. */
struct turns_limits {
    int64_t all, in_namespace;
};

/* Zeroed, nobody rolls and nobody waits. */
struct turns {
    struct map known;      /* "AppRollout namespace/name" → struct turn, of those who do either */
    struct map namespaces; /* name → struct turns_namespace, of the same */
    size_t taken;
    struct turns_limits limits;
    bool held; /* nobody is called */
};
void turns_done(struct turns *turns);

/* A rollout by its kind's name and its key; queue: where it is called, which must outlive it; NULL:
 * it is another controller's to call, and only counts while it rolls. */
struct turns_of {
    const char *kind, *key;
    struct queue *queue;
};

/* As the rollout's status has it now; NULL: it is gone. Whoever it makes room for is called. */
void turns_see(struct turns *turns, const struct turns_of *of, const json_t *object);

/* It wants to begin: true, and a place is its own until its pass ends; or it stands in line, as one
 * who has waited since then, and *ret_why (of that size) says for what. `must`: it begins whatever
 * the limits are. */
struct turns_wish {
    bool must;
    int64_t since_ms;
};
bool turns_take(struct turns *turns, const struct turns_of *of, const struct turns_wish *wish,
                char *ret_why, size_t why_size);

/* Its pass has ended: a place that it hasn't used is free again. */
void turns_pass_ended(struct turns *turns, const struct turns_of *of);

/* From now on these count, and whoever they make room for is called. */
void turns_limit(struct turns *turns, struct turns_limits limits);

/* Calls nobody, or begins to. */
void turns_hold(struct turns *turns, bool hold);

#endif
