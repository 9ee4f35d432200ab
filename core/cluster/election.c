// SPDX-License-Identifier: Apache-2.0
#include "cluster/election.h"

/* Waiting for something to be learnt: long, but not for ever. */
enum { IDLE_MS = 60 * 1000 };

/* When it may try again. */
static int64_t next_try_ms(const struct candidate *candidate, const struct lease_terms *terms)
{
    return candidate->tried_ms ? candidate->tried_ms + terms->retry_ms : 0;
}

static enum election_step wait_until(int64_t at_ms, int64_t now_ms, int64_t *ret_wait_ms)
{
    *ret_wait_ms = at_ms > now_ms ? at_ms - now_ms : 1;
    return ELECTION_WAIT;
}

static enum election_step leader_next(const struct candidate *candidate,
                                      const struct lease_terms *terms, int64_t now_ms,
                                      int64_t *ret_wait_ms)
{
    int64_t over_ms = candidate->renewed_ms + terms->renew_ms;
    int64_t try_ms = next_try_ms(candidate, terms);
    bool somebody_else = candidate->exists && !candidate->ours;
    if (somebody_else || now_ms >= over_ms)
        return ELECTION_LOST;
    if (candidate->asking)
        return wait_until(over_ms, now_ms, ret_wait_ms);
    if (now_ms < try_ms)
        return wait_until(try_ms < over_ms ? try_ms : over_ms, now_ms, ret_wait_ms);
    return candidate->exists ? ELECTION_RENEW : ELECTION_CREATE;
}

static enum election_step follower_next(const struct candidate *candidate,
                                        const struct lease_terms *terms, int64_t now_ms,
                                        int64_t *ret_wait_ms)
{
    int64_t free_ms =
        candidate->vacant || candidate->ours ? 0 : candidate->observed_ms + candidate->counts_ms;
    int64_t try_ms = next_try_ms(candidate, terms);
    if (!candidate->known || candidate->asking)
        return wait_until(now_ms + IDLE_MS, now_ms, ret_wait_ms);
    if (now_ms < free_ms || now_ms < try_ms)
        return wait_until(free_ms > try_ms ? free_ms : try_ms, now_ms, ret_wait_ms);
    return candidate->exists ? ELECTION_TAKE : ELECTION_CREATE;
}

enum election_step election_next(const struct candidate *candidate, const struct lease_terms *terms,
                                 int64_t now_ms, int64_t *ret_wait_ms)
{
    return candidate->renewed_ms ? leader_next(candidate, terms, now_ms, ret_wait_ms)
                                 : follower_next(candidate, terms, now_ms, ret_wait_ms);
}
