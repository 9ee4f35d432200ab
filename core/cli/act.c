// SPDX-License-Identifier: Apache-2.0
/*
 * The verbs that change a rollout: approve, promote, pause, resume, rollback. Each is one JSON
 * patch of the spec, which holds only for the object and the spec that were read; so what was said
 * is what is done, whoever else is at it. Who asked stands in an annotation.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "cli/cli.h"
#include "cli/find.h"
#include "cli/rollback.h"
#include "cli/rollout_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANNOTATION_ASKED      "rollout.sluice.dev/asked" /* "approve by jo at 2026-…" */
#define ANNOTATION_ASKED_PATH "/metadata/annotations/rollout.sluice.dev~1asked"
#define PARTITION             "/spec/rolloutPlan/batchPartition"
#define PAUSED                "/spec/rolloutPlan/paused"
#define TARGET                "/spec/targetAppRevisionName"
#define SOURCE                "/spec/sourceAppRevisionName"

static const struct flag flag_dry_run = {
    .name = "dry-run",
    .text = "say what would be done, and do nothing",
};

static void step_add(json_t *patch, const char *op, const char *path, json_t *value_take)
{
    json_array_append_new(patch, json_patch_step_take(op, path, value_take));
}

/* ---- what each does ---- */

/* Adds the steps, none when it is so already, and the words for what they do. ERR_INVALID: it makes
 * no sense here. */
typedef int prepare_fn(const struct rollout_view *view, json_t *patch, struct text *words,
                       struct error *err);

/* One that follows its workload has another roll before it. */
static int refuse_ended(const struct rollout_view *view, struct error *err)
{
    const struct part *part = &view->parts[0];
    if (view->kind->follows)
        return OK;
    if (!rolling_state_terminal(part->status.rolling))
        return OK;
    return error_set(err, ERR_INVALID, "it has ended already (%s)", part_state(part));
}

/* The batch that the slowest component is in. */
static int slowest_batch(const struct rollout_view *view)
{
    int batch = view->parts[0].status.batch;
    for (size_t i = 1; i < view->part_count; i++)
        if (view->parts[i].status.batch < batch)
            batch = view->parts[i].status.batch;
    return batch;
}

static int prepare_approve(const struct rollout_view *view, json_t *patch, struct text *words,
                           struct error *err)
{
    const struct plan *plan = view->rollout.plan;
    int code = refuse_ended(view, err), last = (int)plan->batch_count - 1;
    if (code < 0)
        return code;
    if (plan->partition < 0 || plan->partition >= last)
        return error_set(err, ERR_INVALID, "no batchPartition holds it");
    int batch = slowest_batch(view);
    int next = (plan->partition > batch ? plan->partition : batch) + 1;
    next = next > last ? last : next;
    step_add(patch, "replace", PARTITION, json_integer(next));
    text_addf(words, "batchPartition goes from %d to %d: batch %d of %d may be rolled",
              plan->partition, next, next + 1, last + 1);
    return OK;
}

static int prepare_promote(const struct rollout_view *view, json_t *patch, struct text *words,
                           struct error *err)
{
    const struct plan *plan = view->rollout.plan;
    int code = refuse_ended(view, err);
    if (code < 0)
        return code;
    text_puts(words, "no batchPartition holds it");
    if (plan->partition < 0)
        return OK;
    step_add(patch, "remove", PARTITION, NULL);
    text_clear(words);
    text_addf(words, "batchPartition %d is removed: all batches may be rolled", plan->partition);
    return OK;
}

static int prepare_pause(const struct rollout_view *view, json_t *patch, struct text *words,
                         struct error *err)
{
    int code = refuse_ended(view, err);
    if (code < 0)
        return code;
    if (view->rollout.plan->paused) {
        text_puts(words, "it is paused already");
        return OK;
    }
    step_add(patch, "add", PAUSED, json_true());
    text_puts(words, "paused is set: it holds still where it is");
    return OK;
}

static int prepare_resume(const struct rollout_view *view, json_t *patch, struct text *words,
                          struct error *err)
{
    (void)err;
    if (!view->rollout.plan->paused) {
        text_puts(words, "it isn't paused");
        return OK;
    }
    step_add(patch, "remove", PAUSED, NULL);
    text_puts(words, "paused is removed: it goes on");
    return OK;
}

static int prepare_rollback(const struct rollout_view *view, json_t *patch, struct text *words,
                            struct error *err)
{
    const struct intent *intent = &view->rollout.intent;
    const struct plan *plan = view->rollout.plan;
    if (!*intent->source)
        return error_set(err, ERR_INVALID, "it has no sourceAppRevisionName to go back to");
    step_add(patch, "replace", TARGET, json_string(intent->source));
    step_add(patch, "replace", SOURCE, json_string(intent->target));
    text_addf(words, "target and source change places: it goes to %s from %s in %zu %s",
              intent->source, intent->target, plan->batch_count,
              plan->batch_count == 1 ? "batch" : "batches");
    if (plan->partition >= 0)
        text_addf(words, "; batchPartition %d holds it as before", plan->partition);
    if (plan->paused)
        text_puts(words, "; it stays paused");
    return OK;
}

/* ---- doing it ---- */

/* As the cluster knows us, or else as this machine does. The caller frees it. */
static char *who_asks(struct session *session)
{
    struct call_spec spec = {
        .method = "POST",
        .path = "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        .body = "{\"apiVersion\": \"authentication.k8s.io/v1\", \"kind\": \"SelfSubjectReview\"}"};
    json_t *body AUTO_JSON = NULL;
    struct error ignored;
    session_call(session, &spec, &body, &ignored);
    const char *name = json_string_at(body, "/status/userInfo/username");
    const char *local = getenv("USER");
    return str_copy(name ? name : local && *local ? local : "somebody");
}

static void asked_add(json_t *patch, const struct rollout_view *view, const char *verb,
                      const char *who)
{
    char now[CLOCK_TEXT_SIZE];
    clock_format(view->now_ms, now);
    char *text AUTO_FREE = str_format("%s by %s at %s", verb, who, now);
    if (!json_at(view->object, "/metadata/annotations"))
        step_add(patch, "add", "/metadata/annotations", json_object());
    step_add(patch, "add", ANNOTATION_ASKED_PATH, json_string(text));
}

/* The patch holds for what was read, and for nothing else: the generation counts each change of the
 * spec, and the status may move on meanwhile. */
static void patch_bind(json_t *patch, const json_t *object)
{
    static const char *const pointers[] = {"/metadata/generation", "/metadata/uid"};
    for (size_t i = 0; i < 2; i++) {
        json_t *value = json_at(object, pointers[i]);
        if (value)
            json_array_insert_new(patch, 0,
                                  json_patch_step_take("test", pointers[i], json_incref(value)));
    }
}

static int patch_send(struct session *session, const char *object_path, const json_t *patch,
                      struct error *err)
{
    char *path AUTO_FREE = str_format("%s?fieldManager=sluice-cli", object_path);
    char *body AUTO_FREE = json_text(patch);
    struct call_spec spec = {
        .method = "PATCH", .path = path, .content_type = PATCH_JSON, .body = body};
    json_t *answer AUTO_JSON = NULL;
    return session_call(session, &spec, &answer, err);
}

/* A test that failed says less than what has become of the object. */
static void explain_conflict(struct session *session, const struct found *found, struct error *err)
{
    struct found now;
    struct error ignored;
    const char *name = json_string_at(found->object, "/metadata/name");
    if ((err->code != ERR_INVALID && err->code != ERR_CONFLICT) ||
        rollout_find(session, name, &now, &ignored) < 0)
        return;
    int64_t before = json_int_at(found->object, "/metadata/generation", 0);
    if (json_int_at(now.object, "/metadata/generation", 0) != before)
        error_set(err, ERR_CONFLICT,
                  "somebody else has changed %s at the same time; nothing was done. Look at it "
                  "(sluice status %s) and ask again",
                  name, name);
    json_decref(now.object);
}

static int carry_out(const struct arguments *arguments, struct session *session,
                     const struct found *found, const struct rollout_view *view, json_t *patch,
                     struct error *err)
{
    if (json_array_size(patch) == 0 || flag_value(arguments, &flag_dry_run))
        return OK;
    char *who AUTO_FREE = who_asks(session);
    char *path AUTO_FREE = object_path(&found->kind->info, session->ns, view->rollout.name, NULL);
    asked_add(patch, view, arguments->verb->name, who);
    patch_bind(patch, view->object);
    int code = patch_send(session, path, patch, err);
    if (code < 0)
        explain_conflict(session, found, err);
    return code;
}

/* Who asked is recorded with the rollout, if that can be done; what was asked for is done already.
 */
static void record_asked(const struct arguments *arguments, struct session *session,
                         const struct rollout_view *view)
{
    char *who AUTO_FREE = who_asks(session);
    char *path AUTO_FREE = object_path(&view->kind->info, session->ns, view->rollout.name, NULL);
    json_t *patch AUTO_JSON = json_array();
    struct error ignored;
    asked_add(patch, view, arguments->verb->name, who);
    patch_send(session, path, patch, &ignored);
}

/* The workload is what is changed: its template is where the rollout goes. */
static int put_back(const struct arguments *arguments, struct session *session,
                    const struct rollout_view *view, struct text *words, struct error *err)
{
    struct workload workload = {0};
    json_t *patch AUTO_JSON = json_array();
    int code = workload_read(session, view->object, &workload, err);
    if (code == OK)
        code = rollback_prepare(view, workload.object, patch, words, err);
    if (code == OK && !flag_value(arguments, &flag_dry_run)) {
        patch_bind(patch, workload.object);
        code = patch_send(session, workload.path, patch, err);
        if (code == OK)
            record_asked(arguments, session, view);
    }
    workload_done(&workload);
    return code;
}

static int act_on(const struct arguments *arguments, struct session *session,
                  const struct found *found, prepare_fn *prepare, struct error *err)
{
    struct rollout_view view;
    struct text words AUTO(text_done) = {0};
    json_t *patch AUTO_JSON = json_array();
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    bool of_workload = found->kind->follows && prepare == prepare_rollback;
    int code = view.rollout.plan ? OK : ERR_INVALID;
    if (code < 0)
        *err = view.rollout.plan_error;
    else
        code = of_workload ? put_back(arguments, session, &view, &words, err)
                           : prepare(&view, patch, &words, err);
    if (code < 0)
        error_prefix(err, "%s", view.rollout.name);
    else
        code = carry_out(arguments, session, found, &view, patch, err);
    if (code == OK)
        printf("%s %s: %s%s\n", found->kind->info.kind, view.rollout.name, words.at,
               flag_value(arguments, &flag_dry_run) ? " (not done)" : "");
    rollout_view_done(&view);
    return code;
}

static int act(const struct arguments *arguments, prepare_fn *prepare)
{
    struct session session;
    struct found found;
    struct error err = {0};
    int code = session_open(arguments, &session, &err);
    if (code == OK) {
        code = rollout_find(&session, arguments->operands[0], &found, &err);
        if (code == OK) {
            code = act_on(arguments, &session, &found, prepare, &err);
            json_decref(found.object);
        }
        session_close(&session);
    }
    if (code < 0)
        fprintf(stderr, "sluice %s: %s\n", arguments->verb->name, err.text);
    return code < 0 ? STATUS_REFUSED : STATUS_DONE;
}

/* ---- the verbs ---- */

static const struct flag *const act_flags[] = {&flag_dry_run, SESSION_FLAGS, NULL};

static const char act_text[] =
    "It is done to the rollout as it was read: when somebody else changes it at the same time, "
    "nothing is done. Who asked is recorded in the annotation " ANNOTATION_ASKED ".";

static int run_approve(const struct arguments *arguments)
{
    return act(arguments, prepare_approve);
}

static int run_promote(const struct arguments *arguments)
{
    return act(arguments, prepare_promote);
}

static int run_pause(const struct arguments *arguments)
{
    return act(arguments, prepare_pause);
}

static int run_resume(const struct arguments *arguments)
{
    return act(arguments, prepare_resume);
}

static int run_rollback(const struct arguments *arguments)
{
    return act(arguments, prepare_rollback);
}

const struct verb verb_approve = {
    .name = "approve",
    .summary = "let the next batch begin: raises batchPartition",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = act_text,
    .run = run_approve,
};
const struct verb verb_promote = {
    .name = "promote",
    .summary = "let all batches begin: removes batchPartition",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = act_text,
    .run = run_promote,
};
const struct verb verb_pause = {
    .name = "pause",
    .summary = "hold a rollout still, in the middle of a batch too",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = act_text,
    .run = run_pause,
};
const struct verb verb_resume = {
    .name = "resume",
    .summary = "let a paused rollout go on",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = act_text,
    .run = run_resume,
};
const struct verb verb_rollback = {
    .name = "rollback",
    .summary = "go back: target and source change places, or the old template is put back",
    .operands = "NAME",
    .least = 1,
    .most = 1,
    .flags = act_flags,
    .text = act_text,
    .run = run_rollback,
};
