// SPDX-License-Identifier: Apache-2.0
/*
 * What the verbs that change a rollout do. Each is one JSON patch, which holds only for the object
 * and the spec that were read; so what was said is what is done, whoever else is at it. Who asked
 * stands in an annotation.
 */
#include "cli/act.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "cli/annotate.h"
#include "cli/conflict.h"
#include "cli/find.h"
#include "cli/found_output.h"
#include "cli/workload.h"
#include "oam/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 }; /* while only the status moves on */

const struct flag flag_dry_run = {
    .name = "dry-run",
    .text = "say what would be done, and do nothing",
};

/* One verb that is being carried out. */
struct act {
    const struct arguments *arguments;
    const struct deed *deed;
    struct session *session;
    bool dry_run;
};

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

/* The caller frees it. */
static char *asked_words(const struct rollout_view *view, const char *verb, const char *who)
{
    struct asked asked = {.at_ms = view->now_ms};
    snprintf(asked.verb, sizeof asked.verb, "%s", verb);
    snprintf(asked.by, sizeof asked.by, "%s", who);
    return asked_text(&asked);
}

static void asked_add(json_t *patch, const struct rollout_view *view, const char *verb,
                      const char *who)
{
    char *text AUTO_FREE = asked_words(view, verb, who);
    annotation_add(patch, view->object, MARK_ASKED, text);
}

/* The caller frees it. */
static char *rollout_path(const struct session *session, const struct rollout_view *view)
{
    return object_path(&view->kind->info, session->ns, view->rollout.name, NULL);
}

/* What a patch holds for, and for nothing else. The generation counts each change of the spec, and
 * the status may move on meanwhile; the version counts every change. */
#define BY_GENERATION "/metadata/generation"
#define BY_VERSION    "/metadata/resourceVersion"

static void patch_bind(json_t *patch, const json_t *object, const char *by)
{
    const char *const pointers[] = {by, "/metadata/uid"};
    for (size_t i = 0; i < 2; i++) {
        json_t *value = json_at(object, pointers[i]);
        if (value)
            json_array_insert_new(patch, 0,
                                  json_patch_step_take("test", pointers[i], json_incref(value)));
    }
}

static int patch_send(struct session *session, const char *object_path, const char *type,
                      const json_t *patch, struct error *err)
{
    char *path AUTO_FREE = str_format("%s?fieldManager=sluice-cli", object_path);
    char *body AUTO_FREE = json_text(patch);
    struct call_spec spec = {.method = "PATCH", .path = path, .content_type = type, .body = body};
    json_t *answer AUTO_JSON = NULL;
    return session_call(session, &spec, &answer, err);
}

/* What a patch was bound to. */
struct bound {
    const char *path; /* of the object */
    const json_t *object;
    const char *by;
};

/* A test that failed says less than what has become of the object. ERR_GONE: only its status has
 * moved on. */
static int explain_conflict(struct session *session, const struct bound *bound, const char *rollout,
                            struct error *err)
{
    struct call_spec spec = {.method = "GET", .path = bound->path, .whole = true};
    struct text other AUTO(text_done) = {0};
    json_t *now AUTO_JSON = NULL;
    struct error ignored;
    if ((err->code != ERR_INVALID && err->code != ERR_CONFLICT) ||
        session_call(session, &spec, &now, &ignored) < 0)
        return err->code;
    const char *kind = json_string_at(bound->object, "/kind");
    const char *name = json_string_at(bound->object, "/metadata/name");
    if (conflict_there(bound->object, now)) {
        conflict_add(bound->object, now, &other);
        return error_set(err, ERR_CONFLICT,
                         "somebody else has changed %s %s at the same time%s; nothing was done. "
                         "Look at it (sluice status %s) and ask again",
                         kind, name, other.at ? other.at : "", rollout);
    }
    if (conflict_changed(bound->object, now, bound->by))
        return error_set(err, ERR_GONE, "%s %s changes all the time; nothing was done", kind, name);
    return err->code;
}

static int patch_bound(struct session *session, const struct bound *bound, const char *rollout,
                       json_t *patch, struct error *err)
{
    patch_bind(patch, bound->object, bound->by);
    int code = patch_send(session, bound->path, PATCH_JSON, patch, err);
    return code < 0 ? explain_conflict(session, bound, rollout, err) : code;
}

/* To the rollout. Annotations raise no generation: where the patch makes room for the first of them
 * nobody else must have done so. */
static int carry_out(const struct act *act, const struct rollout_view *view, json_t *patch,
                     struct error *err)
{
    bool first = !json_at(view->object, "/metadata/annotations");
    if (json_array_size(patch) == 0 || act->dry_run)
        return OK;
    char *who AUTO_FREE = who_asks(act->session);
    char *path AUTO_FREE = rollout_path(act->session, view);
    asked_add(patch, view, act->arguments->verb->name, who);
    const struct bound bound = {path, view->object,
                                act->deed->once || first ? BY_VERSION : BY_GENERATION};
    return patch_bound(act->session, &bound, view->rollout.name, patch, err);
}

/* Who asked is recorded with the rollout, if that can be done; what was asked for is done already.
 */
static void record_asked(const struct act *act, const struct rollout_view *view)
{
    char *who AUTO_FREE = who_asks(act->session);
    char *path AUTO_FREE = rollout_path(act->session, view);
    char *text AUTO_FREE = asked_words(view, act->arguments->verb->name, who);
    json_t *patch AUTO_JSON = json_pack("{s:{s:s, s:{s:s}}}", "metadata", "uid", view->rollout.uid,
                                        "annotations", MARK_ASKED, text);
    struct error ignored;
    patch_send(act->session, path, PATCH_MERGE, patch, &ignored);
}

/* To the workload, whose template is where the rollout goes. */
static int carry_out_on_workload(const struct act *act, const struct rollout_view *view,
                                 struct text *words, struct error *err)
{
    struct workload workload = {0};
    json_t *patch AUTO_JSON = json_array();
    int code = workload_read(act->session, view->object, &workload, err);
    if (code == OK)
        code = act->deed->of_workload(view, workload.object, patch, words, err);
    if (code < 0)
        error_prefix(err, "%s", view->rollout.name);
    if (code == OK && !act->dry_run) {
        const struct bound bound = {workload.path, workload.object, BY_GENERATION};
        code = patch_bound(act->session, &bound, view->rollout.name, patch, err);
        if (code == OK)
            record_asked(act, view);
    }
    workload_done(&workload);
    return code;
}

/* The object as it has become, or as it would. */
static int output_after(const struct act *act, const struct found *found, const json_t *patch,
                        struct error *err)
{
    struct found after = {.kind = found->kind};
    int code = OK;
    if (act->dry_run) {
        after.object = json_deep_copy(found->object);
        code = json_patch(&after.object, patch, err);
    } else {
        code = rollout_find(act->session, act->arguments->operands[0], &after, err);
    }
    if (code == OK)
        found_output(&after, flag_value(act->arguments, &flag_object_output));
    json_decref(after.object);
    return code;
}

/* Says what was done. With --output that goes to people only. */
static int tell(const struct act *act, const struct found *found, const json_t *patch,
                const char *words, struct error *err)
{
    bool output = flag_value(act->arguments, &flag_object_output);
    fprintf(output ? stderr : stdout, "%s %s: %s%s\n", found->kind->info.kind,
            json_string_at(found->object, "/metadata/name"), words,
            act->dry_run ? " (not done)" : "");
    return output ? output_after(act, found, patch, err) : OK;
}

/* Prepares it and carries it out. What makes no sense is said of the rollout. */
static int act_on(const struct act *act, const struct rollout_view *view, json_t *patch,
                  struct text *words, struct error *err)
{
    int code = view->rollout.plan || act->deed->planless ? OK : ERR_INVALID;
    if (code < 0)
        *err = view->rollout.plan_error;
    else if (view->kind->follows && act->deed->of_workload)
        return carry_out_on_workload(act, view, words, err);
    else
        code = act->deed->prepare(view, patch, words, err);
    if (code == OK)
        return carry_out(act, view, patch, err);
    error_prefix(err, "%s", view->rollout.name);
    return code;
}

static int act_once(const struct act *act, struct error *err)
{
    struct found found;
    struct rollout_view view;
    struct text words AUTO(text_done) = {0};
    json_t *patch AUTO_JSON = json_array();
    int code = rollout_find(act->session, act->arguments->operands[0], &found, err);
    if (code < 0)
        return code;
    rollout_view_open(found.kind, found.object, clock_wall_ms(), &view);
    code = act_on(act, &view, patch, &words, err);
    if (code == OK)
        code = tell(act, &found, patch, words.at, err);
    rollout_view_done(&view);
    json_decref(found.object);
    return code;
}

int act_run(const struct arguments *arguments, const struct deed *deed)
{
    struct session session;
    struct act act = {arguments, deed, &session, flag_value(arguments, &flag_dry_run)};
    struct error err = {0};
    int tries = TRIES, code = session_open(arguments, &session, &err);
    if (code == OK) {
        do
            code = act_once(&act, &err);
        while (code == ERR_GONE && --tries);
        session_close(&session);
    }
    return code < 0 ? verb_refused(arguments->verb, &err) : STATUS_DONE;
}
