// SPDX-License-Identifier: Apache-2.0
#include "contract.h"

#include "accept.h"
#include "adapter/case.h"
#include "adapter/difference.h"
#include "adapter/emissions.h"
#include "adapter/inprocess.h"
#include "adapter/schema.h"
#include "base/alloc.h"
#include "base/json.h"
#include "care.h"
#include "carry.h"
#include "conduct.h"
#include "memory.h"
#include "parting.h"
#include "sight.h"
#include "trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_emission(const struct emission *a, const struct emission *b)
{
    return a->kind == b->kind && a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static bool same_answer(const struct answer *a, const struct answer *b)
{
    if (a->result != b->result || a->emission_count != b->emission_count ||
        !str_equal(a->fail_text, b->fail_text))
        return false;
    for (size_t i = 0; i < a->emission_count; i++)
        if (!same_emission(&a->emissions[i], &b->emissions[i]))
            return false;
    return true;
}

/* Asks twice, the second time in another manner, and wants the same answer. */
static int compare_manners(const struct subject *subject, const json_t *json,
                           const struct manner *second, struct error *err)
{
    struct case_plan plan;
    struct answer a, b;
    int result = case_read(json, &plan, err);
    if (result < 0 || carry_ask(subject, &manner_normal, plan.call, plan.request, &a) < 0)
        return result;
    carry_ask(subject, second, plan.call, plan.request, &b);
    bool same = same_answer(&a, &b);
    answer_done(&a);
    answer_done(&b);
    return same ? OK : error_set(err, ERR_BUG, "%s answered differently", call_name(plan.call));
}

static int check_repeatable(const struct subject *subject, const struct specimen *specimen,
                            struct error *err)
{
    return compare_manners(subject, specimen->json, &manner_normal, err);
}

/* A host of a later minor has more services than the adapter knows. */
static int check_newer_host(const struct subject *subject, const struct specimen *specimen,
                            struct error *err)
{
    struct {
        sluice_host host;
        void *later[8];
    } newer = {.host = inprocess_host};
    newer.host.size = sizeof newer;
    newer.host.minor = SLUICE_ABI_MINOR + 1;
    const struct manner manner = {.limits = &call_limits_default, .host = &newer.host};
    return compare_manners(subject, specimen->json, &manner, err);
}

static int check_bounds(const struct subject *subject, const struct specimen *specimen,
                        struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    int result = case_read(specimen->json, &plan, err);
    if (result < 0)
        return result;
    char *text AUTO_FREE = json_text(plan.request);
    const struct question question = {
        .kind = plan.call, .text = trial_guarded(text, strlen(text)), .length = strlen(text)};
    if (subject_ask(subject, &manner_normal, &question, &answer, NULL) == OK)
        answer_done(&answer);
    return OK;
}

/* What was emitted must be JSON, and the result one of the contract. */
static int check_form(const struct answer *answer, struct error *err)
{
    json_t *emitted AUTO_JSON = NULL;
    if (!result_name(answer->result))
        return error_set(err, ERR_BUG, "it returned %d, which is no result of the contract",
                         answer->result);
    return answer->result == SLUICE_OK ? case_emitted(answer, &emitted, err) : OK;
}

/* What comes of the author's own requests must be what the host takes, member by member. */
static int check_accepted(const struct subject *subject, const struct specimen *specimen,
                          struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    int result = case_read(specimen->json, &plan, err);
    if (result < 0 || carry_ask(subject, &manner_normal, plan.call, plan.request, &answer) < 0)
        return result;
    if (answer.result == SLUICE_OK)
        result = accept_answer(subject, &plan, &answer, err);
    answer_done(&answer);
    return result;
}

static int ask_text(const struct subject *subject, enum call_kind call, const char *text,
                    struct error *err)
{
    struct answer answer;
    const struct question question = {
        .kind = call, .text = trial_guarded(text, strlen(text)), .length = strlen(text)};
    if (subject_ask(subject, &manner_normal, &question, &answer, NULL) < 0)
        return OK;
    int result = check_form(&answer, err);
    answer_done(&answer);
    if (result < 0)
        error_prefix(err, "%s of %.100s", call_name(call), text);
    return result;
}

static int check_senseless(const struct subject *subject, const struct specimen *specimen,
                           struct error *err)
{
    static const char *const texts[] = {
        "",
        "{",
        "null",
        "[]",
        "{}",
        "{\"workload\":7,\"target\":[],\"goal\":\"x\"}",
        "{\"workload\":{},\"target\":{}}",
        "{\"workload\":{\"metadata\":null,\"spec\":null,\"status\":null},\"target\":{}}",
        "{\"workload\":{\"spec\":[],\"status\":\"\"},\"target\":{\"spec\":1},\"pods\":{}}",
        "{\"workload\":null,\"target\":null,\"goal\":-1,\"podNames\":[1]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int call = 0; call < CALL_COUNT; call++) {
            int result = ask_text(subject, (enum call_kind)call, texts[i], err);
            if (result < 0)
                return result;
        }
    return OK;
}

/* A sequence that is the same in every run. */
static unsigned next_random(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* What a call prints goes into the controller's log, or nowhere: host->log is there for words. */
static int check_quiet(const struct subject *subject, const struct specimen *specimen,
                       struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    struct stat printed;
    int result = case_read(specimen->json, &plan, err);
    int fd = memfd_create("printed", MFD_CLOEXEC);
    if (result < 0 || fd < 0)
        return result;
    dup2(fd, STDOUT_FILENO);
    if (carry_ask(subject, &manner_normal, plan.call, plan.request, &answer) == OK)
        answer_done(&answer);
    fflush(NULL);
    if (fstat(fd, &printed) == 0 && printed.st_size > 0)
        result = error_set(err, ERR_BUG,
                           "%s: standard output: expected nothing, found %lld bytes; words are "
                           "for host->log",
                           call_name(plan.call), (long long)printed.st_size);
    close(fd);
    return result;
}

static json_t *strange_value(unsigned *state)
{
    switch (next_random(state) % 8) {
    case 0:
        return json_null();
    case 1:
        return json_integer(-1);
    case 2:
        return json_integer(INT64_MAX);
    case 3:
        return json_string("");
    case 4:
        return json_string("%s%n\xc3\xa4\xe2\x82\xac");
    case 5:
        return json_array();
    case 6:
        return json_true();
    default:
        return json_object();
    }
}

/* Changes or removes something, somewhere. */
static void mutate(json_t *json, unsigned *state)
{
    const char *key;
    json_t *value;
    size_t chosen = json_object_size(json) ? next_random(state) % json_object_size(json) : 0, i = 0;
    json_object_foreach (json, key, value) {
        if (i++ != chosen)
            continue;
        if (json_is_object(value) && json_object_size(value) && next_random(state) % 8)
            mutate(value, state);
        else if (next_random(state) % 3)
            json_object_set_new(json, key, strange_value(state));
        else
            json_object_del(json, key);
        return;
    }
}

/* Says which call it was, and the first value that isn't the case's. */
static void name_change(const struct case_plan *plan, const json_t *request, struct error *err)
{
    struct difference at;
    difference_find(plan->request, request, &at);
    char *path AUTO_FREE = text_steal(&at.path);
    char *value AUTO_FREE = at.found ? json_text(at.found) : str_copy("nothing");
    error_prefix(err, "%s with %.100s at %s of the request", call_name(plan->call), value, path);
}

static int check_random(const struct subject *subject, const struct specimen *specimen,
                        struct error *err)
{
    enum { ROUNDS = 200 };
    struct case_plan plan;
    unsigned state = 1;
    int result = case_read(specimen->json, &plan, err);
    for (int round = 0; result == OK && round < ROUNDS; round++) {
        json_t *request AUTO_JSON = json_deep_copy(plan.request);
        for (unsigned n = next_random(&state) % 4 + 1; n > 0; n--)
            mutate(request, &state);
        struct answer answer;
        if (carry_ask(subject, &manner_normal, plan.call, request, &answer) < 0)
            return OK;
        result = check_form(&answer, err);
        answer_done(&answer);
        if (result < 0)
            name_change(&plan, request, err);
    }
    return result;
}

/* When the host takes nothing more, the call must not claim that all is well. */
static int check_refused(const struct subject *subject, const struct specimen *specimen,
                         struct error *err)
{
    static const struct call_limits none = {.memory = 0, .bytes = 0, .emissions = 0};
    const struct manner manner = {.limits = &none, .host = &inprocess_host};
    struct case_plan plan;
    struct answer answer;
    int result = case_read(specimen->json, &plan, err);
    if (result < 0 || carry_ask(subject, &manner, plan.call, plan.request, &answer) < 0)
        return result;
    if (answer.over_limit && answer.result == SLUICE_OK)
        result = error_set(err, ERR_BUG,
                           "%s returned ok although the host refused what it emitted or allocated; "
                           "return SLUICE_LIMIT then",
                           call_name(plan.call));
    answer_done(&answer);
    return result;
}

static int expect_nothing(const struct subject *subject, enum call_kind call, const json_t *request,
                          struct error *err)
{
    struct answer answer;
    int result = OK;
    carry_ask(subject, &manner_normal, call, request, &answer);
    if (answer.result == SLUICE_OK && answer.emission_count)
        result = error_set(err, ERR_BUG, "%s, asked again after its actions, emitted %.400s",
                           call_name(call), answer.emissions[0].text);
    answer_done(&answer);
    return result;
}

/* begin knows that it is done by the marks that the target carries; a case without can't tell. */
static bool can_be_done(const struct case_plan *plan)
{
    return plan->call != CALL_OBSERVE && plan->call != CALL_VALIDATE &&
           plan->call != CALL_DESCRIBE &&
           json_at(plan->request, "/target/metadata/annotations/rollout.sluice.dev~1holder");
}

static int check_done(const struct subject *subject, const struct specimen *specimen,
                      struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    int result = case_read(specimen->json, &plan, err);
    if (result < 0 || !can_be_done(&plan))
        return result;
    json_t *request AUTO_JSON = json_deep_copy(plan.request);
    carry_ask(subject, &manner_normal, plan.call, request, &answer);
    bool acted = answer.result == SLUICE_OK && answer.emission_count > 0;
    if (acted)
        result = carry_out(subject, &answer, request, err);
    answer_done(&answer);
    return acted && result == OK ? expect_nothing(subject, plan.call, request, err) : result;
}

/* The host refuses options that the schema doesn't allow before the adapter sees them. */
static int check_options(const struct subject *subject, const struct specimen *specimen,
                         struct error *err)
{
    struct case_plan plan;
    int result = case_read(specimen->json, &plan, err);
    const json_t *options = result == OK ? json_object_get(plan.request, "options") : NULL;
    if (!options || !subject->manifest.options)
        return result;
    return schema_validate(subject->manifest.options, options, "options", err);
}

/* What describe() emits must be a manifest with which the adapter can be used. */
static int check_described(const struct subject *subject, const struct specimen *specimen,
                           struct error *err)
{
    struct case_plan plan;
    struct answer answer;
    json_t *described AUTO_JSON = NULL;
    int result = case_read(specimen->json, &plan, err);
    if (result < 0 || plan.call != CALL_DESCRIBE ||
        carry_ask(subject, &manner_normal, plan.call, plan.request, &answer) < 0)
        return result;
    bool emitted = answer.result == SLUICE_OK;
    if (emitted)
        result = emissions_manifest(&answer, &described, err);
    answer_done(&answer);
    return emitted && result == OK ? subject_describe(subject, described, err) : result;
}

const struct rule contract_rules[] = {
    {"the same request gets the same answer", 0, check_repeatable},
    {"what is emitted is what the host accepts", 0, check_accepted},
    {"the options of the cases fit the manifest", 0, check_options},
    {"what is described is a whole manifest", 1 << CALL_DESCRIBE, check_described},
    {"what keep leaves out isn't needed", 0, sight_keep},
    {"observe sees when the workload isn't settled", 1 << CALL_OBSERVE, sight_settled},
    {"observe tells ready pods of the new revision from others", 1 << CALL_OBSERVE, sight_ready},
    {"a workload without pods is like any other", 0, sight_empty},
    {"once it is done there is nothing to do", 0, check_done},
    {"begin marks the workload and leaves its size", 1 << CALL_BEGIN, conduct_begin},
    {"begin holds until advance lets go", 1 << CALL_BEGIN, conduct_hold},
    {"advance goes by the goal", 1 << CALL_ADVANCE, conduct_goal},
    {"advance stands still when paused", 1 << CALL_ADVANCE, conduct_pause},
    {"advance never takes pods back", 1 << CALL_ADVANCE, care_never_back},
    {"advance believes no counts that aren't settled", 1 << CALL_BEGIN, care_unsettled},
    {"advance counts with the live size, and tests it", 1 << CALL_ADVANCE, care_live_size},
    {"size, template and marks are left alone", 1 << CALL_ADVANCE | 1 << CALL_FINISH,
     care_leaves_alone},
    {"an apply patch is whole", 0, care_whole_apply},
    {"finish gives back, whatever is missing", 1 << CALL_FINISH, conduct_finish},
    {"finish leaves nothing behind after success", 1 << CALL_BEGIN | 1 << CALL_FINISH,
     parting_clean},
    {"finish lets no pod go after anything else", 1 << CALL_FINISH, parting_still},
    {"a call prints nothing", 0, check_quiet},
    {"no call remembers another", 0, memory_of_calls},
    {"a call releases what it allocates", 0, memory_released},
    {"the request is only read, and never beyond its end", 0, check_bounds},
    {"a senseless request gets a result of the contract", 0, check_senseless},
    {"so does a request changed at random", 0, check_random},
    {"what the host refuses isn't reported as done", 0, check_refused},
    {"a host of a later minor version changes nothing", 0, check_newer_host},
    {NULL, 0, NULL},
};
