// SPDX-License-Identifier: Apache-2.0
/* What a candidate does next, whatever it knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/election.h"

static const struct lease_terms terms = {.duration_ms = 15000, .renew_ms = 10000, .retry_ms = 2000};

struct line {
    const char *what;
    struct candidate candidate;
    int64_t now_ms;
    enum election_step step;
    int64_t wait_ms;
};

#define OTHER  .known = true, .exists = true, .counts_ms = 15000
#define LEADER .known = true, .exists = true, .ours = true, .counts_ms = 15000

static const struct line lines[] = {
    {"nothing has been seen yet", {0}, 1000, ELECTION_WAIT, 60000},
    {"there is none", {.known = true}, 1000, ELECTION_CREATE, 0},
    {"making it has failed", {.known = true, .tried_ms = 1000}, 1500, ELECTION_WAIT, 1500},
    {"and is tried again", {.known = true, .tried_ms = 1000}, 3000, ELECTION_CREATE, 0},
    {"somebody holds it", {OTHER, .observed_ms = 1000}, 2000, ELECTION_WAIT, 14000},
    {"to the last moment", {OTHER, .observed_ms = 1000}, 15999, ELECTION_WAIT, 1},
    {"and no longer", {OTHER, .observed_ms = 1000}, 16000, ELECTION_TAKE, 0},
    {"its own word counts, not ours",
     {.known = true, .exists = true, .counts_ms = 60000, .observed_ms = 1000},
     16000,
     ELECTION_WAIT,
     45000},
    {"it was given away",
     {.known = true, .exists = true, .vacant = true, .counts_ms = 1000, .observed_ms = 1000},
     1000,
     ELECTION_TAKE,
     0},
    {"taking it is under way",
     {OTHER, .observed_ms = 1000, .asking = true},
     16000,
     ELECTION_WAIT,
     60000},
    {"taking it has failed",
     {OTHER, .observed_ms = 1000, .tried_ms = 16000},
     17000,
     ELECTION_WAIT,
     1000},
    {"somebody has deleted it, and its holder may not know",
     {.known = true, .counts_ms = 15000, .observed_ms = 1000},
     15999,
     ELECTION_WAIT,
     1},
    {"until its time is over",
     {.known = true, .counts_ms = 15000, .observed_ms = 1000},
     16000,
     ELECTION_CREATE,
     0},
    {"the answer to our taking it was lost", {LEADER, .observed_ms = 1000}, 1000, ELECTION_TAKE, 0},
    {"we lead", {LEADER, .renewed_ms = 1000, .tried_ms = 1000}, 1500, ELECTION_WAIT, 1500},
    {"it is to be renewed",
     {LEADER, .renewed_ms = 1000, .tried_ms = 1000},
     3000,
     ELECTION_RENEW,
     0},
    {"which is under way",
     {LEADER, .renewed_ms = 1000, .tried_ms = 3000, .asking = true},
     3500,
     ELECTION_WAIT,
     7500},
    {"the last try before the end",
     {LEADER, .renewed_ms = 1000, .tried_ms = 9500},
     10000,
     ELECTION_WAIT,
     1000},
    {"it couldn't be renewed",
     {LEADER, .renewed_ms = 1000, .tried_ms = 9500},
     11000,
     ELECTION_LOST,
     0},
    {"nor while that is under way",
     {LEADER, .renewed_ms = 1000, .tried_ms = 9500, .asking = true},
     11000,
     ELECTION_LOST,
     0},
    {"somebody else has it, long before our time is over",
     {OTHER, .observed_ms = 1500, .renewed_ms = 1000},
     1500,
     ELECTION_LOST,
     0},
    {"somebody has deleted ours",
     {.known = true, .renewed_ms = 1000, .tried_ms = 1000},
     3000,
     ELECTION_CREATE,
     0},
};

static void test_each_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct line *line = &lines[i];
        int64_t wait_ms = 0;
        enum election_step step = election_next(&line->candidate, &terms, line->now_ms, &wait_ms);
        if (step != line->step || wait_ms != line->wait_ms)
            fail_msg("%s: step %d after %lld ms, expected %d after %lld", line->what, step,
                     (long long)wait_ms, line->step, (long long)line->wait_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_line)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
