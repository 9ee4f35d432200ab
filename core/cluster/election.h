// SPDX-License-Identifier: Apache-2.0
/*
 * What a candidate for a Lease does next, decided from what it knows. Pure: no clock, no requests.
 *
 * The rules are those of client-go's elector. A record counts for as long as it says, from the
 * moment at which *we* saw it change, by our own clock: times that another machine has written are
 * never compared. Whoever holds it renews it every retry_ms, and gives up what was not renewed
 * within renew_ms, which is shorter than duration_ms: nobody else takes it while we believe that it
 * is ours.
 *
 * One rule is stricter than theirs: a Lease that somebody deletes goes on counting, for its holder
 * may not know yet.
 */
#ifndef CLUSTER_ELECTION_H
#define CLUSTER_ELECTION_H

#include <stdbool.h>
#include <stdint.h>

struct lease_terms {
    int64_t duration_ms; /* what we write into it; whole seconds */
    int64_t renew_ms;    /* ours when it was last renewed less than this ago */
    int64_t retry_ms;    /* between two tries */
};

/* What is known. Times are clock_boot_ms(), those of our requests the moments before they were
 * sent; 0: never. */
struct candidate {
    bool known;          /* whether there is a record has been seen */
    bool exists;         /* the record, … */
    bool vacant;         /* … which names nobody, or … */
    bool ours;           /* … names us */
    int64_t counts_ms;   /* how long it counts, as it says itself; also when it was deleted */
    int64_t observed_ms; /* when it was seen to change */
    int64_t renewed_ms;  /* our last request that succeeded, while we lead */
    int64_t tried_ms;    /* our last request, if nothing has changed since */
    bool asking;         /* a request is under way */
};

enum election_step {
    ELECTION_WAIT,
    ELECTION_CREATE,
    ELECTION_TAKE,
    ELECTION_RENEW,
    ELECTION_LOST, /* it was ours, and isn't for certain any more */
};

/* *ret_wait_ms: when to ask again, unless something is learnt before; more than 0, with
 * ELECTION_WAIT only. */
enum election_step election_next(const struct candidate *candidate, const struct lease_terms *terms,
                                 int64_t now_ms, int64_t *ret_wait_ms);

#endif
