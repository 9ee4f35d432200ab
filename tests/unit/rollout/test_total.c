// SPDX-License-Identifier: Apache-2.0
/* Whatever comes in, there is a decision: records that nobody can have written, observations that
 * nobody can have made. It is made without memory from the heap. */
#include "plans.h"
#include "random.h"

#include "base/alloc.h"
#include "base/text.h"
#include "rollout/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 200000, CALLS_MAX = 500 };

/* ---- the heap ---- */

static int allocations;
static bool counting;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *at, size_t size);
int __real_vasprintf(char **ret_text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
int __real___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *at, size_t size);
int __wrap_vasprintf(char **ret_text, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
int __wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

void *__wrap_malloc(size_t size)
{
    allocations += counting;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations += counting;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *at, size_t size)
{
    allocations += counting;
    return __real_realloc(at, size);
}

int __wrap_vasprintf(char **ret_text, const char *format, va_list args)
{
    allocations += counting;
    return __real_vasprintf(ret_text, format, args);
}

/* Its name in a hardened build. */
int __wrap___vasprintf_chk(char **ret_text, int flag, const char *format, va_list args)
{
    allocations += counting;
    return __real___vasprintf_chk(ret_text, flag, format, args);
}

static void decide(const struct machine_input *input, struct decision *ret_decision)
{
    allocations = 0;
    counting = true;
    machine_decide(input, ret_decision);
    counting = false;
    assert_int_equal(allocations, 0);
}

static void test_the_heap_is_watched(void **state)
{
    allocations = 0;
    counting = true;
    free(str_format("%d", 1));
    free(mem_alloc(1));
    counting = false;
    assert_int_equal(allocations, 2);
}

/* ---- garbage ---- */

static int garbage_int(struct random *random)
{
    static const int odd[] = {INT_MIN, INT_MIN + 1, -2,      -1,         0,          1,
                              2,       INT_MAX - 1, INT_MAX, 1000000000, 1000000001, 1 << 20};
    if (random_chance(random, 40))
        return odd[random_int(random, 0, sizeof odd / sizeof *odd - 1)];
    return random_int(random, -2, 12);
}

static int64_t garbage_time(struct random *random, int64_t now)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    if (random_chance(random, 30))
        return odd[random_int(random, 0, sizeof odd / sizeof *odd - 1)];
    return now + random_int(random, -100000, 100000);
}

static void garbage_text(struct random *random, char *text, size_t size)
{
    static const char *const likely[] = {"v1", "v2", "v3", ""};
    size_t length = (size_t)random_int(random, 0, (int)size - 1);
    if (random_chance(random, 80)) {
        snprintf(text, size, "%s", likely[random_int(random, 0, 3)]);
        return;
    }
    for (size_t i = 0; i < length; i++)
        text[i] = (char)random_int(random, 1, 255);
    text[length] = '\0';
}

#define TEXT(place) garbage_text(random, place, sizeof place)

/* A record comes out of JSON, so at least its texts are text. */
#define RECORDED_TEXT(place)                                                                       \
    do {                                                                                           \
        TEXT(place);                                                                               \
        text_mend(place);                                                                          \
    } while (0)

static void garbage_reason(struct random *random, struct reason *reason)
{
    reason->code = (enum reason_code)random_int(random, 0, REASON_CODES - 1);
    RECORDED_TEXT(reason->message);
    RECORDED_TEXT(reason->object);
    RECORDED_TEXT(reason->field);
    RECORDED_TEXT(reason->expected);
    RECORDED_TEXT(reason->found);
}

static void garbage_conditions(struct random *random, struct rollout_status *s, int64_t now)
{
    for (int i = 0; i < CONDITION_TYPES; i++) {
        struct condition *condition = &s->conditions[i];
        if (random_chance(random, 70))
            continue;
        condition->status = (enum condition_status)random_int(random, 0, 2);
        condition->since_ms = garbage_time(random, now);
        condition->reason = (enum reason_code)random_int(random, 0, REASON_CODES - 1);
        RECORDED_TEXT(condition->message);
    }
}

static void garbage_status(struct random *random, struct rollout_status *s, int64_t now)
{
    status_new(s);
    s->rolling = (enum rolling_state)random_int(random, 0, ROLLING_STATES + 1);
    s->batch_state = (enum batch_state)random_int(random, 0, BATCH_STATES);
    s->batch = garbage_int(random);
    s->scale = random_chance(random, 50);
    s->original_size = garbage_int(random);
    s->target_size = garbage_int(random);
    s->upgraded = garbage_int(random);
    s->upgraded_ready = garbage_int(random);
    s->step_target = garbage_int(random);
    s->step_at_ms = garbage_time(random, now);
    s->step_met = random_chance(random, 50);
    s->half_way = random_chance(random, 50);
    s->engaged = random_chance(random, 50);
    RECORDED_TEXT(s->target);
    RECORDED_TEXT(s->source);
    s->wanted_size = garbage_int(random);
    RECORDED_TEXT(s->target_revision);
    RECORDED_TEXT(s->applied_revision);
    s->generation = random_int(random, 0, 2);
    RECORDED_TEXT(s->answered);
    s->gate = (struct gate){garbage_int(random), garbage_int(random), garbage_time(random, now)};
    garbage_reason(random, &s->reason);
    s->reason_since_ms = garbage_time(random, now);
    garbage_conditions(random, s, now);
}

static void garbage_wish(struct random *random, struct wish *wish)
{
    wish->verb = (enum wish_verb)random_int(random, WISH_NONE, WISH_RETRY);
    TEXT(wish->target);
    TEXT(wish->id);
    TEXT(wish->by);
}

static void garbage_observation(struct random *random, struct observation *seen)
{
    static const int codes[] = {OK,          OK,         OK,          OK,           ERR_RETRY,
                                ERR_MISSING, ERR_DENIED, ERR_INVALID, ERR_CONFLICT, ERR_BUG};
    *seen = (struct observation){0};
    TEXT(seen->target);
    seen->located.code = codes[random_int(random, 0, 9)];
    TEXT(seen->located.path);
    TEXT(seen->located.text);
    seen->located_why = (enum reason_code)random_int(random, 0, REASON_CODES - 1);
    seen->refused.code = random_chance(random, 10) ? ERR_INVALID : OK;
    TEXT(seen->refused.text);
    TEXT(seen->object);
    seen->exists = random_chance(random, 80);
    seen->held = random_chance(random, 70);
    if (random_chance(random, 10))
        TEXT(seen->held_by);
    seen->rests = seen->held && random_chance(random, 50);
    seen->rolled = seen->rests && random_chance(random, 50);
    seen->applied = random_chance(random, 70);
    seen->settled = random_chance(random, 80);
    seen->size = garbage_int(random);
    seen->rendered_size = garbage_int(random);
    seen->fixed_size = random_chance(random, 20);
    seen->updated = garbage_int(random);
    seen->updated_ready = garbage_int(random);
    seen->ready = garbage_int(random);
    TEXT(seen->update_revision);
    TEXT(seen->why);
}

static void garbage_leave(struct random *random, struct leave *leave, int64_t now)
{
    *leave = (struct leave){.opens_at_ms = garbage_time(random, now)};
    if (random_chance(random, 10))
        TEXT(leave->queued);
    if (random_chance(random, 10))
        TEXT(leave->closed);
}

static void garbage_hook(struct random *random, struct hook_outcome *hook)
{
    int result = random_int(random, HOOK_NONE, HOOK_TROUBLE);
    hook->result = HOOK_NONE;
    if (result == HOOK_PASSED)
        hook->result = HOOK_PASSED;
    if (result == HOOK_REJECTED)
        hook->result = HOOK_REJECTED;
    if (result == HOOK_TROUBLE)
        hook->result = HOOK_TROUBLE;
    hook->gate = (enum hook_type)random_int(random, HOOK_INITIALIZE, HOOK_FINALIZE);
    hook->batch = random_chance(random, 50) ? 0 : garbage_int(random);
    hook->index = random_chance(random, 50) ? 0 : garbage_int(random);
    hook->attempt = random_int(random, 0, 2);
    TEXT(hook->message);
}

/* ---- what must hold even so ---- */

static bool is_utf8(const char *text)
{
    json_t *json = json_string(text);
    json_decref(json);
    return json != NULL;
}

static void check_effect(const struct machine_input *in, const struct decision *out,
                         const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_ADVANCE:
        assert_true(effect->goal >= 0);
        assert_in_range(effect->batch, 0, in->plan->batch_count - 1);
        assert_true(in->observation.exists && in->observation.held && in->observation.applied &&
                    in->observation.settled && !in->observation.held_by[0] &&
                    (effect->scale || !in->observation.rests));
        return;
    case EFFECT_HOOK:
        assert_non_null(plan_hook(in->plan, effect->gate, effect->batch, effect->index));
        assert_true(effect->attempt >= 1);
        return;
    case EFFECT_BEGIN:
        assert_false(in->observation.held_by[0]);
        return;
    case EFFECT_HOLD:
        assert_true(in->intent.keeps_hold);
        assert_true(in->observation.held || !in->observation.held_by[0]);
        return;
    case EFFECT_FINISH:
        assert_true(in->observation.exists && in->observation.held);
        assert_non_null(effect->outcome);
        return;
    case EFFECT_FORGET:
        assert_int_equal(out->status.rolling, ROLLING_DELETING);
        return;
    }
    fail();
}

static void check(const struct machine_input *in, const struct decision *out)
{
    assert_in_range(out->effect_count, 0, EFFECTS_MAX);
    assert_in_range(out->move_count, 0, MOVES_MAX);
    assert_in_range(out->status.rolling, 0, ROLLING_STATES - 1);
    assert_in_range(out->status.batch_state, 0, BATCH_STATES - 1);
    assert_true(out->status.batch >= 0);
    assert_true(out->status.reason.message[0] && is_utf8(out->status.reason.message));
    assert_true(is_utf8(out->status.reason.object) && is_utf8(out->status.reason.field));
    assert_true(out->wake_at_ms == 0 || out->wake_at_ms >= in->now_ms);
    for (int i = 0; i < CONDITION_TYPES; i++)
        assert_true(out->status.conditions[i].status == CONDITION_ABSENT ||
                    out->status.conditions[i].since_ms >= 0);
    for (int i = 0; i < out->effect_count; i++)
        check_effect(in, out, &out->effects[i]);
    for (int i = 0; i < out->move_count; i++)
        assert_true(out->moves[i].why.message[0] && is_utf8(out->moves[i].why.message));
}

/* An end stays an end, whatever else the record and the world say. */
static void check_end(const struct machine_input *in, const struct decision *out)
{
    const struct rollout_status *s = &in->status;
    bool wanted = !in->intent.deleted && in->intent.wish.verb == WISH_NONE &&
                  !in->intent.keeps_hold && s->batch_state < BATCH_STATES &&
                  s->generation == in->intent.generation &&
                  (!s->target[0] || (strcmp(s->target, in->intent.target) == 0 &&
                                     strcmp(s->source, in->intent.source) == 0 &&
                                     (!in->plan || in->plan->target_size == s->wanted_size)));
    if (s->rolling >= ROLLING_STATES || !rolling_state_terminal(s->rolling) || !wanted)
        return;
    assert_int_equal(out->move_count, 0);
    assert_int_equal(out->effect_count, 0);
    assert_int_equal(out->status.rolling, s->rolling);
}

/* Asked again and again in an unchanged world, it comes to rest. */
static void check_rest(struct machine_input *in, struct decision *out)
{
    int calls = 0;
    do {
        in->status = out->status;
        in->hook.result = HOOK_NONE;
        decide(in, out);
        check(in, out);
        assert_true(++calls < CALLS_MAX);
    } while (out->move_count > 0);
}

static const char *const plan_texts[] = {
    "{}",
    "{'numBatches':7,'batchPartition':3}",
    "{'paused':true,'numBatches':2}",
    "{'targetSize':4,'rolloutBatches':[{'replicas':1},{'replicas':'60%','instanceInterval':86400},"
    "{'maxUnavailable':'100%'}]}",
    "{'rolloutBatches':[{'replicas':1000000},{'replicas':1000000},{'replicas':'1%'}]}",
    "{'numBatches':2,'rolloutWebhooks':[{'type':'initialize-rollout','name':'a','url':'http://h'},"
    "{'type':'pre-batch-rollout','name':'b','url':'http://h'},"
    "{'type':'post-batch-rollout','name':'c','url':'http://h'},"
    "{'type':'finalize-rollout','name':'d','url':'http://h'}]}",
};
enum { PLANS = sizeof plan_texts / sizeof *plan_texts };

static void garbage_input(struct random *random, struct plan *const *plans,
                          struct machine_input *in)
{
    static const char *const names[] = {"v1", "v2", "v3", ""};
    static struct error bad = {.code = ERR_INVALID, .path = "spec", .text = "not a plan"};
    *in = (struct machine_input){.now_ms = 1700000000000};
    in->plan = random_chance(random, 85) ? plans[random_int(random, 0, PLANS - 1)] : NULL;
    in->plan_error = in->plan || random_chance(random, 20) ? NULL : &bad;
    in->intent = (struct intent){.target = names[random_int(random, 0, 3)],
                                 .source = names[random_int(random, 0, 3)],
                                 .generation = random_int(random, 0, 2),
                                 .deleted = random_chance(random, 10),
                                 .revert_on_delete = random_chance(random, 50),
                                 .keeps_hold = random_chance(random, 40)};
    garbage_wish(random, &in->intent.wish);
    garbage_status(random, &in->status, in->now_ms);
    garbage_observation(random, &in->observation);
    garbage_leave(random, &in->leave, in->now_ms);
    garbage_hook(random, &in->hook);
}

static void test_garbage(void **state)
{
    struct random random = {.state = 4711};
    struct plan *plans[PLANS];
    struct machine_input *in = mem_alloc(sizeof *in);
    struct decision *out = mem_alloc(sizeof *out);
    int visited[ROLLING_STATES] = {0};
    print_message("%d inputs from seed %llu\n", ROUNDS, (unsigned long long)random.state);
    for (int i = 0; i < PLANS; i++)
        plans[i] = plan_of(plan_texts[i]);
    for (int i = 0; i < ROUNDS; i++) {
        garbage_input(&random, plans, in);
        decide(in, out);
        check(in, out);
        check_end(in, out);
        visited[out->status.rolling]++;
        check_rest(in, out);
    }
    for (int i = 0; i < ROLLING_STATES; i++)
        assert_true(visited[i] > 0);
    for (int i = 0; i < PLANS; i++)
        plan_free(plans[i]);
    free(in);
    free(out);
}

/* ---- records that somebody has edited ---- */

struct edited {
    struct machine_input in;
    struct decision out;
    struct plan *plan;
};

/* A roll of 4 pods in its first batch, held and settled. */
static struct edited *edited_new(const char *plan)
{
    struct edited *edited = mem_alloc(sizeof *edited);
    struct rollout_status *s = &edited->in.status;
    edited->plan = plan_of(plan);
    edited->in = (struct machine_input){.plan = edited->plan,
                                        .intent = {.target = "v2", .source = "v1"},
                                        .observation = {.target = "v2",
                                                        .exists = true,
                                                        .held = true,
                                                        .applied = true,
                                                        .settled = true,
                                                        .size = 4,
                                                        .ready = 4},
                                        .now_ms = 1700000000000};
    status_new(s);
    s->rolling = ROLLING_IN_BATCHES;
    s->engaged = true;
    s->original_size = s->target_size = 4;
    strcpy(s->target, "v2");
    strcpy(s->source, "v1");
    return edited;
}

static void edited_free(struct edited *edited)
{
    plan_free(edited->plan);
    free(edited);
}

static void test_a_broken_record_is_begun_anew(void **state)
{
    struct edited *edited = edited_new("{'numBatches':2}");
    edited->in.status.original_size = -1;
    decide(&edited->in, &edited->out);
    assert_int_equal(edited->out.moves[0].from, ROLLING_LOCATING);
    assert_int_equal(edited->out.status.rolling, ROLLING_IN_BATCHES);
    assert_int_equal(edited->out.status.original_size, 4);
    assert_int_equal(edited->out.effects[0].goal, 2);
    edited_free(edited);
}

/* What it had touched is not forgotten over that. */
static void test_a_broken_record_is_still_given_back(void **state)
{
    struct edited *edited = edited_new("{'numBatches':2}");
    edited->in.status.original_size = -1;
    edited->in.intent.deleted = true;
    decide(&edited->in, &edited->out);
    assert_int_equal(edited->out.effect_count, 1);
    assert_int_equal(edited->out.effects[0].kind, EFFECT_FINISH);
    edited_free(edited);
}

static void test_a_roll_begins_with_its_first_batch(void **state)
{
    struct edited *edited = edited_new("{'numBatches':2,'paused':true}");
    edited->in.status.rolling = ROLLING_INITIALIZING;
    edited->in.status.batch_state = BATCH_READY;
    edited->in.status.batch = 1;
    edited->in.status.step_target = 3;
    decide(&edited->in, &edited->out);
    assert_int_equal(edited->out.status.rolling, ROLLING_IN_BATCHES);
    assert_int_equal(edited->out.status.batch_state, BATCH_INITIALIZING);
    assert_int_equal(edited->out.status.batch, 0);
    assert_int_equal(edited->out.effect_count, 0);
    edited_free(edited);
}

/* A clock that was set back, or a time from nowhere, makes nobody wait longer than he would. */
static void test_times_to_come(void **state)
{
    struct edited *edited = edited_new("{'rolloutBatches':[{'instanceInterval':30}]}");
    edited->in.status.batch_state = BATCH_IN_ROLLING;
    edited->in.status.step_target = 1;
    edited->in.status.step_at_ms = edited->in.now_ms + 1000000000;
    decide(&edited->in, &edited->out);
    assert_int_equal(edited->out.wake_at_ms, edited->in.now_ms + 30000);
    edited_free(edited);

    edited = edited_new("{'rolloutWebhooks':[{'type':'pre-batch-rollout','name':'b',"
                        "'url':'http://h'}]}");
    edited->in.status.gate = (struct gate){0, 3, INT64_MAX};
    decide(&edited->in, &edited->out);
    assert_int_equal(edited->out.wake_at_ms, edited->in.now_ms + 60000);
    edited_free(edited);
}

static void test_a_gate_is_not_passed_by_less_than_nothing(void **state)
{
    struct edited *edited = edited_new("{'rolloutWebhooks':[{'type':'pre-batch-rollout',"
                                       "'name':'b','url':'http://h'}]}");
    edited->in.status.gate.passed = -5;
    decide(&edited->in, &edited->out);
    assert_int_equal(edited->out.effect_count, 1);
    assert_int_equal(edited->out.effects[0].kind, EFFECT_HOOK);
    assert_int_equal(edited->out.effects[0].index, 0);
    edited_free(edited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_heap_is_watched),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_a_broken_record_is_begun_anew),
        cmocka_unit_test(test_a_broken_record_is_still_given_back),
        cmocka_unit_test(test_a_roll_begins_with_its_first_batch),
        cmocka_unit_test(test_times_to_come),
        cmocka_unit_test(test_a_gate_is_not_passed_by_less_than_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
