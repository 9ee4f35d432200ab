// SPDX-License-Identifier: Apache-2.0
/* The table, row by row: that it is total, that it says what the design says, and that every way
 * through it ends. */
#include "rollout/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const struct {
    int state, event, next, reason;
} rolling_rows[] = {
#define ROLLING_ROW(state, event, next, reason)                                                    \
    {ROLLING_##state, ON_##event, ROLLING_##next, REASON_##reason},
#include "rollout/states.def"
};

static const struct {
    int state, event, next, raises, reason;
} batch_rows[] = {
#define BATCH_ROW(state, event, next, raises, reason)                                              \
    {BATCH_##state, ON_BATCH_##event, BATCH_##next, ON_##raises, REASON_##reason},
#include "rollout/states.def"
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void test_every_pair_has_one_row(void **state)
{
    int rolling[ROLLING_STATES][ROLLING_EVENTS] = {0};
    int batch[BATCH_STATES][BATCH_EVENTS] = {0};
    for (size_t i = 0; i < COUNT(rolling_rows); i++)
        rolling[rolling_rows[i].state][rolling_rows[i].event]++;
    for (size_t i = 0; i < COUNT(batch_rows); i++)
        batch[batch_rows[i].state][batch_rows[i].event]++;
    for (int s = 0; s < ROLLING_STATES; s++)
        for (int e = 0; e < ROLLING_EVENTS; e++)
            assert_int_equal(rolling[s][e], 1);
    for (int s = 0; s < BATCH_STATES; s++)
        for (int e = 0; e < BATCH_EVENTS; e++)
            assert_int_equal(batch[s][e], 1);
}

/* What takes a place where an operator limits how many roll at once. */
static void test_under_way(void **state)
{
    for (int s = 0; s < ROLLING_STATES; s++) {
        bool expected = s == ROLLING_INITIALIZING || s == ROLLING_IN_BATCHES ||
                        s == ROLLING_FINALISING || s == ROLLING_FAILING || s == ROLLING_ABANDONING;
        assert_int_equal(rolling_state_under_way((enum rolling_state)s), expected);
        assert_false(expected && rolling_state_terminal((enum rolling_state)s));
    }
}

static void test_lookup_gives_the_rows(void **state)
{
    for (size_t i = 0; i < COUNT(rolling_rows); i++) {
        struct rolling_row row = rolling_transition((enum rolling_state)rolling_rows[i].state,
                                                    (enum rolling_event)rolling_rows[i].event);
        assert_int_equal(row.next, rolling_rows[i].next);
        assert_int_equal(row.reason, rolling_rows[i].reason);
        assert_in_range(row.next, 0, ROLLING_STATES - 1);
        assert_in_range(row.reason, 0, REASON_CODES - 1);
    }
    for (size_t i = 0; i < COUNT(batch_rows); i++) {
        struct batch_row row = batch_transition((enum batch_state)batch_rows[i].state,
                                                (enum batch_event)batch_rows[i].event);
        assert_int_equal(row.next, batch_rows[i].next);
        assert_int_equal(row.raises, batch_rows[i].raises);
        assert_int_equal(row.reason, batch_rows[i].reason);
        assert_in_range(row.next, 0, BATCH_STATES - 1);
        assert_in_range(row.raises, 0, ROLLING_EVENTS - 1);
    }
}

static void test_a_move_says_more_than_waiting(void **state)
{
    for (size_t i = 0; i < COUNT(rolling_rows); i++)
        if (rolling_rows[i].next != rolling_rows[i].state) {
            assert_int_not_equal(rolling_rows[i].reason, REASON_WAITING);
            assert_int_not_equal(rolling_rows[i].reason, REASON_NOT_APPLICABLE);
        }
    for (size_t i = 0; i < COUNT(batch_rows); i++)
        if (batch_rows[i].next != batch_rows[i].state) {
            assert_int_not_equal(batch_rows[i].reason, REASON_WAITING);
            assert_int_not_equal(batch_rows[i].reason, REASON_NOT_APPLICABLE);
        }
}

static void test_waiting_never_moves(void **state)
{
    for (int s = 0; s < ROLLING_STATES; s++)
        assert_int_equal(rolling_transition((enum rolling_state)s, ON_WAITING).next, s);
    for (int s = 0; s < BATCH_STATES; s++)
        assert_int_equal(batch_transition((enum batch_state)s, ON_BATCH_WAITING).next, s);
}

static void test_an_end_is_left_only_when_something_else_is_wanted(void **state)
{
    for (int s = 0; s < ROLLING_STATES; s++) {
        if (!rolling_state_terminal((enum rolling_state)s))
            continue;
        for (int e = 0; e < ROLLING_EVENTS; e++) {
            bool leaves =
                (int)rolling_transition((enum rolling_state)s, (enum rolling_event)e).next != s;
            if (leaves)
                assert_true(e == ON_RETARGETED || e == ON_REVISED || e == ON_RETRIED ||
                            e == ON_DELETED);
        }
    }
    assert_true(rolling_state_terminal(ROLLING_SUCCEEDED));
    assert_true(rolling_state_terminal(ROLLING_FAILED));
    /* A rollout that has succeeded is not done again because it was edited. */
    assert_int_equal(rolling_transition(ROLLING_SUCCEEDED, ON_REVISED).next, ROLLING_SUCCEEDED);
}

static void test_deletion_is_reached_from_everywhere_and_never_left(void **state)
{
    for (int s = 0; s < ROLLING_STATES; s++)
        assert_int_equal(rolling_transition((enum rolling_state)s, ON_DELETED).next,
                         ROLLING_DELETING);
    for (int e = 0; e < ROLLING_EVENTS; e++)
        assert_int_equal(rolling_transition(ROLLING_DELETING, (enum rolling_event)e).next,
                         ROLLING_DELETING);
    assert_int_equal(rolling_transition(ROLLING_DELETING, ON_RELEASED).reason, REASON_GONE);
}

/* ---- the table of the design ---- */

static void test_rollout_level_is_the_designs(void **state)
{
    static const struct {
        enum rolling_state from;
        enum rolling_event when;
        enum rolling_state to;
    } design[] = {
        {ROLLING_LOCATING, ON_LOCATED, ROLLING_VERIFYING},
        {ROLLING_VERIFYING, ON_VERIFIED, ROLLING_INITIALIZING},
        {ROLLING_INITIALIZING, ON_TAKEN_OVER, ROLLING_IN_BATCHES},
        {ROLLING_IN_BATCHES, ON_BATCHES_DONE, ROLLING_FINALISING},
        {ROLLING_FINALISING, ON_RELEASED, ROLLING_SUCCEEDED},
        {ROLLING_FAILING, ON_RELEASED, ROLLING_FAILED},
        {ROLLING_ABANDONING, ON_RELEASED, ROLLING_LOCATING},
        {ROLLING_SUCCEEDED, ON_RETARGETED, ROLLING_LOCATING},
        {ROLLING_FAILED, ON_RETARGETED, ROLLING_LOCATING},
        {ROLLING_INITIALIZING, ON_RETARGETED, ROLLING_ABANDONING},
        {ROLLING_IN_BATCHES, ON_RETARGETED, ROLLING_ABANDONING},
        {ROLLING_FINALISING, ON_RETARGETED, ROLLING_ABANDONING},
        {ROLLING_FAILING, ON_RETARGETED, ROLLING_ABANDONING},
        {ROLLING_ABANDONING, ON_RETARGETED, ROLLING_ABANDONING},
        {ROLLING_DELETING, ON_RETARGETED, ROLLING_DELETING},
        /* Nothing was touched yet, so there is nothing to abandon. */
        {ROLLING_LOCATING, ON_RETARGETED, ROLLING_LOCATING},
        {ROLLING_VERIFYING, ON_RETARGETED, ROLLING_LOCATING},
        /* What a hook refuses fails; what can't be carried out is refused before it begins. */
        {ROLLING_INITIALIZING, ON_REJECTED, ROLLING_FAILING},
        {ROLLING_IN_BATCHES, ON_REJECTED, ROLLING_FAILING},
        {ROLLING_FINALISING, ON_REJECTED, ROLLING_FAILING},
        {ROLLING_IN_BATCHES, ON_STALLED, ROLLING_FAILING},
        {ROLLING_LOCATING, ON_REFUSED, ROLLING_FAILED},
        {ROLLING_VERIFYING, ON_REFUSED, ROLLING_FAILED},
        {ROLLING_FAILED, ON_REVISED, ROLLING_LOCATING},
        /* A person stops it where it stands, and has it begin anew. */
        {ROLLING_LOCATING, ON_ABORTED, ROLLING_FAILED},
        {ROLLING_VERIFYING, ON_ABORTED, ROLLING_FAILED},
        {ROLLING_INITIALIZING, ON_ABORTED, ROLLING_FAILING},
        {ROLLING_IN_BATCHES, ON_ABORTED, ROLLING_FAILING},
        {ROLLING_FINALISING, ON_ABORTED, ROLLING_FAILING},
        {ROLLING_FAILED, ON_RETRIED, ROLLING_LOCATING},
        /* What stays held between its rolls is held before anything else. */
        {ROLLING_VERIFYING, ON_UNHELD, ROLLING_HOLDING},
        {ROLLING_HOLDING, ON_HELD, ROLLING_VERIFYING},
        {ROLLING_VERIFYING, ON_UNCHANGED, ROLLING_SUCCEEDED},
    };
    int moves = 0;
    for (size_t i = 0; i < COUNT(design); i++) {
        assert_int_equal(rolling_transition(design[i].from, design[i].when).next, design[i].to);
        moves += design[i].to != design[i].from;
    }
    /* And nothing else moves, but for deletion. */
    for (size_t i = 0; i < COUNT(rolling_rows); i++)
        if (rolling_rows[i].event != ON_DELETED && rolling_rows[i].next != rolling_rows[i].state)
            moves--;
    assert_int_equal(moves, 0);
}

static void test_batch_level_is_the_designs(void **state)
{
    static const struct {
        enum batch_state from;
        enum batch_event when;
        enum batch_state to;
        enum rolling_event raises;
    } design[] = {
        {BATCH_INITIALIZING, ON_BATCH_OPENED, BATCH_IN_ROLLING, ON_WAITING},
        {BATCH_INITIALIZING, ON_BATCH_REJECTED, BATCH_VERIFY_FAILED, ON_REJECTED},
        {BATCH_IN_ROLLING, ON_BATCH_ROLLED, BATCH_VERIFYING, ON_WAITING},
        {BATCH_VERIFYING, ON_BATCH_AVAILABLE, BATCH_FINALIZING, ON_WAITING},
        {BATCH_FINALIZING, ON_BATCH_CLOSED, BATCH_READY, ON_WAITING},
        {BATCH_FINALIZING, ON_BATCH_CLOSED_LAST, BATCH_READY, ON_BATCHES_DONE},
        {BATCH_FINALIZING, ON_BATCH_REJECTED, BATCH_VERIFY_FAILED, ON_REJECTED},
        {BATCH_READY, ON_BATCH_APPROVED, BATCH_INITIALIZING, ON_WAITING},
    };
    for (size_t i = 0; i < COUNT(design); i++) {
        struct batch_row row = batch_transition(design[i].from, design[i].when);
        assert_int_equal(row.next, design[i].to);
        assert_int_equal(row.raises, design[i].raises);
    }
    size_t moves = 0;
    for (size_t i = 0; i < COUNT(batch_rows); i++)
        moves += batch_rows[i].next != batch_rows[i].state;
    assert_int_equal(moves, COUNT(design));
    /* A batch that was rejected tells so again, should its rollout ever be found in it. */
    assert_int_equal(batch_transition(BATCH_VERIFY_FAILED, ON_BATCH_WAITING).raises, ON_REJECTED);
}

/* ---- every way ends ---- */

/* What happens in a state when all goes well, and when all goes wrong. On the way out the hooks are
 * asked without being obeyed, so even then it is released. */
static const enum rolling_event when_all_succeeds[ROLLING_STATES] = {
    [ROLLING_LOCATING] = ON_LOCATED,
    [ROLLING_VERIFYING] = ON_VERIFIED,
    [ROLLING_INITIALIZING] = ON_TAKEN_OVER,
    [ROLLING_IN_BATCHES] = ON_BATCHES_DONE,
    [ROLLING_FINALISING] = ON_RELEASED,
    [ROLLING_FAILING] = ON_RELEASED,
    [ROLLING_ABANDONING] = ON_RELEASED,
    [ROLLING_DELETING] = ON_RELEASED,
    [ROLLING_HOLDING] = ON_HELD,
};
static const enum rolling_event when_all_fails[ROLLING_STATES] = {
    [ROLLING_LOCATING] = ON_REFUSED,      [ROLLING_VERIFYING] = ON_REFUSED,
    [ROLLING_INITIALIZING] = ON_REJECTED, [ROLLING_IN_BATCHES] = ON_REJECTED,
    [ROLLING_FINALISING] = ON_REJECTED,   [ROLLING_FAILING] = ON_RELEASED,
    [ROLLING_ABANDONING] = ON_RELEASED,   [ROLLING_DELETING] = ON_RELEASED,
    [ROLLING_HOLDING] = ON_HELD,
};

static void assert_ends(const enum rolling_event *happens)
{
    for (int s = 0; s < ROLLING_STATES; s++) {
        enum rolling_state at = (enum rolling_state)s;
        int steps = 0;
        while (!rolling_state_terminal(at) &&
               rolling_transition(at, happens[at]).reason != REASON_GONE) {
            at = rolling_transition(at, happens[at]).next;
            assert_true(++steps < ROLLING_STATES);
        }
    }
}

static void test_success_of_everything_ends(void **state)
{
    assert_ends(when_all_succeeds);
}

static void test_failure_of_everything_ends(void **state)
{
    assert_ends(when_all_fails);
}

/* From any state of a batch, with `batches` to come, success leads to batchesDone. */
static void test_success_ends_the_batches(void **state)
{
    static const enum batch_event happens[BATCH_STATES] = {
        [BATCH_INITIALIZING] = ON_BATCH_OPENED, [BATCH_IN_ROLLING] = ON_BATCH_ROLLED,
        [BATCH_VERIFYING] = ON_BATCH_AVAILABLE, [BATCH_FINALIZING] = ON_BATCH_CLOSED,
        [BATCH_READY] = ON_BATCH_APPROVED,
    };
    for (int s = 0; s < BATCH_STATES; s++) {
        enum batch_state at = (enum batch_state)s;
        int steps = 0, closed = 0;
        enum rolling_event raised = ON_WAITING;
        while (raised == ON_WAITING) {
            enum batch_event event = happens[at];
            if (at == BATCH_FINALIZING && ++closed == 3)
                event = ON_BATCH_CLOSED_LAST;
            struct batch_row row = batch_transition(at, event);
            at = row.next;
            raised = row.raises;
            assert_true(++steps < 4 * BATCH_STATES);
        }
        assert_int_equal(raised, s == BATCH_VERIFY_FAILED ? ON_REJECTED : ON_BATCHES_DONE);
    }
}

static void test_every_state_can_be_reached(void **state)
{
    bool reached[ROLLING_STATES] = {[ROLLING_LOCATING] = true};
    bool batch_reached[BATCH_STATES] = {[BATCH_INITIALIZING] = true};
    for (size_t i = 0; i < COUNT(rolling_rows); i++)
        reached[rolling_rows[i].next] |= rolling_rows[i].next != rolling_rows[i].state;
    for (size_t i = 0; i < COUNT(batch_rows); i++)
        batch_reached[batch_rows[i].next] |= batch_rows[i].next != batch_rows[i].state;
    for (int s = 0; s < ROLLING_STATES; s++)
        assert_true(reached[s]);
    for (int s = 0; s < BATCH_STATES; s++)
        assert_true(batch_reached[s]);
}

/* ---- names ---- */

static void test_names_lead_back(void **state)
{
    for (int i = 0; i < ROLLING_STATES; i++)
        assert_int_equal(rolling_state_of(rolling_state_name((enum rolling_state)i)), i);
    for (int i = 0; i < BATCH_STATES; i++)
        assert_int_equal(batch_state_of(batch_state_name((enum batch_state)i)), i);
    for (int i = 0; i < REASON_CODES; i++)
        assert_int_equal(reason_of(reason_name((enum reason_code)i)), i);
    for (int i = 0; i < CONDITION_TYPES; i++)
        assert_int_equal(condition_of(condition_name((enum condition_type)i)), i);
    assert_int_equal(rolling_state_of("rolloutSucceeded"), ROLLING_STATES);
    assert_int_equal(rolling_state_of(NULL), ROLLING_STATES);
    assert_int_equal(batch_state_of(""), BATCH_STATES);
    assert_int_equal(reason_of(NULL), REASON_CODES);
    assert_int_equal(condition_of("Ready"), CONDITION_TYPES);
}

static void assert_name(const char *name, bool *ret_seen_before, const char *const *names, int i)
{
    assert_true(name && *name);
    for (int k = 0; k < i; k++)
        *ret_seen_before |= strcmp(names[k], name) == 0;
}

static void test_events_have_names(void **state)
{
    const char *names[ROLLING_EVENTS], *batch_names[BATCH_EVENTS];
    bool twice = false;
    for (int i = 0; i < ROLLING_EVENTS; i++) {
        names[i] = rolling_event_name((enum rolling_event)i);
        assert_name(names[i], &twice, names, i);
    }
    for (int i = 0; i < BATCH_EVENTS; i++) {
        batch_names[i] = batch_event_name((enum batch_event)i);
        assert_name(batch_names[i], &twice, batch_names, i);
    }
    assert_false(twice);
}

static void test_wire_names_are_the_designs(void **state)
{
    static const char *const rolling[] = {
        "locatingTargetApp",    "verifyingSpec",  "initializing",   "rollingInBatches",
        "finalising",           "rolloutFailing", "rolloutSucceed", "rolloutAbandoning",
        "RolloutDeletingState", "rolloutFailed",  "holding"};
    static const char *const batch[] = {"batchInitializing", "batchInRolling",  "batchVerifying",
                                        "batchVerifyFailed", "batchFinalizing", "batchReady"};
    static const char *const conditions[] = {
        "RolloutSpecVerifying", "RolloutInitializing", "RolloutInProgress", "RolloutFinalizing",
        "RolloutFailing",       "RolloutAbandoning",   "RolloutDeleting",   "RolloutFailed",
        "RolloutSucceed",       "BatchInitializing",   "BatchPaused",       "BatchVerifying",
        "BatchRolloutFailed",   "BatchFinalizing",     "BatchReady"};
    assert_int_equal(COUNT(rolling), ROLLING_STATES);
    assert_int_equal(COUNT(batch), BATCH_STATES);
    for (size_t i = 0; i < COUNT(rolling); i++)
        assert_int_not_equal(rolling_state_of(rolling[i]), ROLLING_STATES);
    for (size_t i = 0; i < COUNT(batch); i++)
        assert_int_not_equal(batch_state_of(batch[i]), BATCH_STATES);
    for (size_t i = 0; i < COUNT(conditions); i++)
        assert_int_not_equal(condition_of(conditions[i]), CONDITION_TYPES);
}

static void test_reasons_have_words(void **state)
{
    for (int i = 0; i < REASON_CODES; i++) {
        const char *text = reason_text((enum reason_code)i);
        assert_true(text && strlen(text) > 3);
        assert_int_not_equal(text[strlen(text) - 1], '.');
    }
    assert_true(reason_needs_person(REASON_HOOK_REJECTED));
    assert_false(reason_needs_person(REASON_WAITING));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_pair_has_one_row),
        cmocka_unit_test(test_under_way),
        cmocka_unit_test(test_lookup_gives_the_rows),
        cmocka_unit_test(test_a_move_says_more_than_waiting),
        cmocka_unit_test(test_waiting_never_moves),
        cmocka_unit_test(test_an_end_is_left_only_when_something_else_is_wanted),
        cmocka_unit_test(test_deletion_is_reached_from_everywhere_and_never_left),
        cmocka_unit_test(test_rollout_level_is_the_designs),
        cmocka_unit_test(test_batch_level_is_the_designs),
        cmocka_unit_test(test_success_of_everything_ends),
        cmocka_unit_test(test_failure_of_everything_ends),
        cmocka_unit_test(test_success_ends_the_batches),
        cmocka_unit_test(test_every_state_can_be_reached),
        cmocka_unit_test(test_names_lead_back),
        cmocka_unit_test(test_events_have_names),
        cmocka_unit_test(test_wire_names_are_the_designs),
        cmocka_unit_test(test_reasons_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
