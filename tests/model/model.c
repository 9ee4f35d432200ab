// SPDX-License-Identifier: Apache-2.0
/*
 * Explores the rollout machine with all that may happen around it.
 *
 *     model TROUBLES                    every stage, with every order of so many troubles
 *     model TROUBLES WORD               the stages whose name has the word in it
 *     model --plant NAME TROUBLES       every stage with a bug; it is good when that is found
 */
#include "search.h"
#include "stages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The bugs, and what each is to be found by; NULL: by what is never reached any more. */
static const struct planted {
    const char *name, *found_by;
} plants[PLANTS] = {
    [PLANT_NOTHING] = {"nothing", NULL},
    [PLANT_SKIP] = {"skip", "are coming at once"},
    [PLANT_TRUST] = {"trust", "while its controller is behind"},
    [PLANT_DEAF] = {"deaf", "nothing will ever happen"},
    [PLANT_LOOSE] = {"loose", "in circles"},
    [PLANT_SLEEP] = {"sleep", "nothing will ever happen"},
    [PLANT_FORGET] = {"forget", "after batch"},
    [PLANT_YES] = {"yes", "has said yes"},
    [PLANT_MUTE] = {"mute", NULL},
};

static enum plant plant_of(const char *name)
{
    for (int i = 0; i < PLANTS; i++)
        if (strcmp(plants[i].name, name) == 0)
            return (enum plant)i;
    fprintf(stderr, "model: no bug is called %s\n", name);
    exit(2);
}

/* ---- what was never reached ---- */

/* Rows that it takes more than one trouble to get to. Every other one is reached with one. */
static const struct far {
    enum rolling_state state;
    enum rolling_event event;
    int troubles;
    const char *why;
} far[] = {
    {ROLLING_HOLDING, ON_DELETED, 2, "it is left in one pass, unless a write fails"},
    {ROLLING_FAILING, ON_RETARGETED, 2, "it is left in one pass, unless a write fails"},
    {ROLLING_FAILING, ON_DELETED, 2, "it is left in one pass, unless a write fails"},
    {ROLLING_ABANDONING, ON_DELETED, 2, "it is left in one pass, unless a write fails"},
};

static void print_far(int troubles)
{
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        if (far[i].troubles > troubles)
            printf("%s, %s takes %d troubles: %s\n", rolling_state_name(far[i].state),
                   rolling_event_name(far[i].event), far[i].troubles, far[i].why);
}

static bool is_far(enum rolling_state state, enum rolling_event event, int troubles)
{
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        if (far[i].state == state && far[i].event == event)
            return far[i].troubles > troubles;
    return false;
}

/* True when all rows that lead anywhere were used, but for those; and those weren't. */
static bool rolling_covered(const struct coverage *coverage, int troubles)
{
    bool good = true;
    int used = 0, all = 0;
    for (int state = 0; state < ROLLING_STATES; state++)
        for (int event = 0; event < ROLLING_EVENTS; event++) {
            enum rolling_state from = (enum rolling_state)state;
            enum rolling_event on = (enum rolling_event)event;
            bool was = coverage->rolling[state][event];
            if (rolling_transition(from, on).next == from)
                continue;
            all++;
            used += was;
            if (was != is_far(from, on, troubles))
                continue;
            printf("%s, %s: %s\n", rolling_state_name(from), rolling_event_name(on),
                   was ? "was reached, though it is listed as too far" : "was never reached");
            good = false;
        }
    printf("rows of the rollout that lead on: %d of %d used\n", used, all);
    print_far(troubles);
    return good;
}

static bool batch_covered(const struct coverage *coverage)
{
    bool good = true;
    int used = 0, all = 0;
    for (int state = 0; state < BATCH_STATES; state++)
        for (int event = 0; event < BATCH_EVENTS; event++) {
            enum batch_state from = (enum batch_state)state;
            enum batch_event on = (enum batch_event)event;
            if (batch_transition(from, on).next == from)
                continue;
            all++;
            used += coverage->batch[state][event];
            if (coverage->batch[state][event])
                continue;
            printf("%s, %s: was never reached\n", batch_state_name(from), batch_event_name(on));
            good = false;
        }
    printf("rows of a batch that lead on: %d of %d used\n", used, all);
    return good;
}

/* Reasons that nobody gives here: the machine takes the first ones over from whoever looks the
 * workload up, and the others are of rows that stay, where the state has better words of its own.
 */
static const enum reason_code foreign[] = {
    REASON_KIND_UNKNOWN, REASON_RIGHT_MISSING,  REASON_ADAPTER_TROUBLE, REASON_CONTESTED,
    REASON_WAITING,      REASON_NOT_APPLICABLE, REASON_ALREADY_LEAVING, REASON_GONE,
};

static bool is_foreign(enum reason_code reason)
{
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (foreign[i] == reason)
            return true;
    return false;
}

static bool reasons_covered(const struct coverage *coverage)
{
    bool good = true;
    int given = 0;
    for (int i = 0; i < REASON_CODES; i++) {
        given += coverage->reason[i];
        if (coverage->reason[i] != is_foreign((enum reason_code)i))
            continue;
        printf("%s was %s\n", reason_name((enum reason_code)i),
               coverage->reason[i] ? "given, though it is listed as foreign" : "never given");
        good = false;
    }
    printf("reasons: %d of %d given\n", given, REASON_CODES);
    return good;
}

static bool all_covered(const struct coverage *coverage, int troubles)
{
    bool good = rolling_covered(coverage, troubles);
    good = batch_covered(coverage) && good;
    return reasons_covered(coverage) && good;
}

/* ---- running ---- */

static struct search_result explore_stage(const struct stage *stage, enum plant plant, int troubles,
                                          struct coverage *coverage)
{
    struct search_result result = search(stage, plant, troubles, coverage);
    printf("%-50s %9zu states, %10zu steps; %3d deep, at rest after %3d\n", stage->name,
           result.states, result.steps, result.longest_way, result.longest_rest);
    fflush(stdout);
    return result;
}

static int explore_planted(enum plant plant, int troubles)
{
    struct coverage coverage = {0};
    const char *found_by = plants[plant].found_by;
    for (int i = 0; i < stage_count; i++) {
        struct search_result result = explore_stage(&stages[i], plant, troubles, &coverage);
        if (found_by && strstr(result.violation, found_by))
            return 0;
    }
    return found_by || all_covered(&coverage, troubles);
}

static int explore(int troubles, const char *word)
{
    struct coverage coverage = {0};
    size_t states = 0, steps = 0;
    bool good = true;
    for (int i = 0; i < stage_count; i++) {
        if (!strstr(stages[i].name, word))
            continue;
        struct search_result result = explore_stage(&stages[i], PLANT_NOTHING, troubles, &coverage);
        states += result.states;
        steps += result.steps;
        good = good && !result.violation[0];
    }
    printf("%zu states, %zu steps: all that may happen with up to %d troubles\n", states, steps,
           troubles);
    if (!*word)
        good = all_covered(&coverage, troubles) && good;
    return !good;
}

int main(int argc, char **argv)
{
    bool planted = argc == 4 && strcmp(argv[1], "--plant") == 0;
    if (argc != 2 && argc != 3 && !planted) {
        fprintf(stderr, "usage: model TROUBLES [WORD]\n       model --plant NAME TROUBLES\n");
        return 2;
    }
    stages_init();
    int code = planted ? explore_planted(plant_of(argv[2]), atoi(argv[3]))
                       : explore(atoi(argv[1]), argc > 2 ? argv[2] : "");
    stages_done();
    return code;
}
