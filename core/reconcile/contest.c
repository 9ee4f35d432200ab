// SPDX-License-Identifier: Apache-2.0
#include "reconcile/contest.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json_patch.h"
#include "cluster/managed_fields.h"
#include "follow/ledger.h"
#include "oam/revision.h"
#include "reconcile/other_writer.h"
#include "reconcile/task.h"

#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 8,     /* answers that are given without waiting */
    EVERY_MS = 1000, /* and then one in that time */
};

void contest_done(struct contest *contest)
{
    actions_done(&contest->actions);
    free(contest->who);
    *contest = (struct contest){0};
}

static bool is_suspicion(const struct action *action)
{
    return action->kind == ACTION_EVENT &&
           str_equal(json_string_at(action->body, "/reason"), "HoldTakenOff");
}

static bool is_workload_patch(const struct action *action)
{
    return action->kind == ACTION_PATCH && !action->pod && action->patch == PATCH_KIND_JSON;
}

/* Marks alone hold nothing. */
static bool changes_spec(const struct action *action)
{
    size_t i;
    json_t *operation;
    if (!is_workload_patch(action))
        return false;
    json_array_foreach (action->body, i, operation)
        if (strncmp(json_string_at(operation, "/path"), "/spec/", 6) == 0 &&
            !str_equal(json_string_at(operation, "/op"), "test"))
            return true;
    return false;
}

/* Has it been brought to rest before? Whoever writes an old copy over it takes the marks off, too.
 */
static bool held_at_rest(const struct component *component)
{
    const struct effect *effect = &component->decision->effects[component->next_effect];
    bool unmarked = rolling_state_terminal(component->status.rolling) &&
                    component->status.engaged && !component->observation.held;
    return effect->kind == EFFECT_HOLD && (unmarked || object_mark(component->workload, MARK_REST));
}

bool contest_suspected(const struct component *component, const struct actions *actions)
{
    bool rests = held_at_rest(component);
    for (size_t i = 0; i < actions->count; i++)
        if (is_suspicion(&actions->items[i]) || (rests && changes_spec(&actions->items[i])))
            return true;
    return false;
}

/* ── Whose doing it is ────────────────────────────────────────────────────────────────────── */

/* The caller frees it. */
static char *words(const struct foreign_write *write)
{
    char *found AUTO_FREE = write->found ? json_text(write->found) : str_copy("nothing");
    char *wanted AUTO_FREE = write->wanted ? json_text(write->wanted) : str_copy("nothing");
    return str_format("%s (%s at %s) has put %.64s in %s, where %.64s has to stand", write->manager,
                      write->operation, write->time, found, write->field, wanted);
}

static void contest_blame_take(struct contest *contest, char *who)
{
    free(contest->who);
    contest->who = who;
}

/* The first of the patch's fields that somebody else has changed. */
static bool patch_blames(const json_t *live, const json_t *patch, struct contest *contest)
{
    json_t *after AUTO_JSON = json_deep_copy(live);
    size_t i;
    json_t *operation;
    if (json_patch(&after, patch, NULL) < 0)
        return false; /* it has changed once more, and the patch will be refused as well */
    json_array_foreach (patch, i, operation) {
        const char *path = json_string_at(operation, "/path");
        struct foreign_write write;
        if (str_equal(json_string_at(operation, "/op"), "test") ||
            !managed_taken(live, after, path, FIELD_MANAGER, &write))
            continue;
        contest_blame_take(contest, words(&write));
        free(write.field);
        return true;
    }
    return false;
}

static bool somebody_did(const struct reply *reply, struct contest *contest)
{
    const json_t *live = json_at(reply->body, "/items/0");
    if (reply->error.code != OK) { /* it is put back all the same */
        contest_blame_take(contest, str_copy("the API server doesn't say by whom"));
        return true;
    }
    for (size_t i = 0; live && i < contest->actions.count; i++) {
        const struct action *action = &contest->actions.items[i];
        if (is_workload_patch(action) && patch_blames(live, action->body, contest))
            return true;
    }
    return false;
}

/* ── How often it is answered ─────────────────────────────────────────────────────────────── */

static void forget_old_answers(struct contest *contest)
{
    int64_t now = clock_monotonic_ms(), passed = (now - contest->since_ms) / EVERY_MS;
    if (passed >= contest->spent) {
        contest->spent = 0;
        contest->since_ms = now;
    } else {
        contest->spent -= (unsigned)passed;
        contest->since_ms += passed * EVERY_MS;
    }
}

static bool answered_enough(struct contest *contest)
{
    forget_old_answers(contest);
    return contest->spent >= AT_ONCE;
}

static void wait_a_moment(struct component *component)
{
    struct task *task = component->task;
    struct error why = {0};
    error_set(&why, ERR_RETRY,
              "%s is fought about: %s; it is put back once a second until that ends",
              component->observation.object, task->contest.who);
    queue_add_after(task->kind->queue, task->key, EVERY_MS);
    component_failed(component, REASON_CONTESTED, &why);
}

/* ── The answer ───────────────────────────────────────────────────────────────────────────── */

static void drop_suspicion(struct actions *actions)
{
    for (size_t i = actions->count; i-- > 0;)
        if (is_suspicion(&actions->items[i]))
            actions_remove(actions, i);
}

static void tell_who(struct actions *actions, const char *who)
{
    for (size_t i = 0; i < actions->count; i++) {
        json_t *body = actions->items[i].body;
        if (!is_suspicion(&actions->items[i]))
            continue;
        char *told AUTO_FREE = str_format("%s: %s", json_string_at(body, "/message"), who);
        json_object_set_new(body, "message", json_string(told));
    }
}

static void on_live(void *data, const struct reply *reply)
{
    struct component *component = data;
    struct contest *contest = &component->task->contest;
    struct actions actions;
    component->task->pass->call = NULL;
    if (somebody_did(reply, contest)) {
        tell_who(&contest->actions, contest->who);
        component->put_back = true;
        contest->spent++;
    } else {
        drop_suspicion(&contest->actions);
    }
    actions = contest->actions;
    contest->actions = (struct actions){0};
    contest->go_on(component, &actions);
}

void contest_judge_take(struct component *component, struct actions *actions, contest_fn *go_on)
{
    struct contest *contest = &component->task->contest;
    actions_done(&contest->actions);
    contest->actions = *actions;
    contest->go_on = go_on;
    *actions = (struct actions){0};
    if (answered_enough(contest))
        wait_a_moment(component);
    else
        workload_ask(component, on_live);
}
