// SPDX-License-Identifier: Apache-2.0
/*
 * The ledger of a held workload: what its owner has in the fields that hold it.
 *
 * While a workload is held, a few of its fields (a partition, `paused`) say what the hold wants.
 * What they said before stands in an annotation of the workload itself, written by the same patch:
 * so what its owner has can always be told from the object alone, and be given back exactly,
 * whoever was killed in between. An adapter knows nothing of it: it is asked for patches of the
 * owner's object as ever, and each patch is turned into one that changes no more than it must and
 * keeps the ledger. Pure.
 */
#ifndef FOLLOW_LEDGER_H
#define FOLLOW_LEDGER_H

#include "adapter/adapter.h"
#include "follow/history.h"

/* {"<JSON pointer>": {"was": …, "put": …}}; a missing member: the field isn't there. */
#define MARK_BEFORE "rollout.sluice.dev/before"
/* There while the workload is held between two rolls: the name of the template that all its pods
 * have, or REST_MIXED. No pod changes its template meanwhile, whatever is on the workload. */
#define MARK_REST  "rollout.sluice.dev/at-rest"
#define REST_MIXED "mixed"

/* The object as its owner has it: without our marks, without status, and with the owner's values.
 * At rest nobody but the owner changes anything, so a field that no longer says what the hold had
 * put there is the owner's new word. The caller owns it. */
json_t *ledger_owners_view(const json_t *live);

/* What is known when a patch is turned; all borrowed. */
struct ledger {
    const json_t *live; /* the whole object as it was read */
    const json_t *view; /* the same as its owner has it */
    struct template_place place;
    bool rests;      /* after the patch the workload is at rest */
    bool rolled;     /* all pods have the template that is on it */
    bool scales;     /* the patch steps the size, and changes nothing that is held */
    bool gives_back; /* the patch gives it back: no ledger is kept any more */
};

/* Turns what an adapter has emitted for the workload into a JSON patch of the live object, in
 * place. An empty patch: there is nothing to change. A patch that replaces what it hasn't seen
 * (apply, merge) is bound to the object's version, one with tests of its own to the generation of
 * the spec. ERR_BUG: it can't be understood. */
int ledger_turn(const struct ledger *ledger, struct action *action, struct error *err);

/* The JSON patch that makes the live object its owner's again in every field. The caller owns it.
 */
json_t *ledger_give_back(const json_t *live);

#endif
