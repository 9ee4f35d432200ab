// SPDX-License-Identifier: Apache-2.0
/* Waiting for the end of a rollout: by a watch, so that nothing is polled and nothing is late. */
#include "cli/wait.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/rollout_view.h"
#include "cli/workload.h"
#include "cluster/watch.h"

#include <stdio.h>
#include <string.h>

struct wait {
    const struct found *found;
    char *target; /* what was to be reached when the waiting began */
    bool begun;   /* the rollout has gone for it */
    char *line;   /* what was printed last */
    bool over;
    int status;
};

static void finish(struct wait *wait, int status, const char *words)
{
    if (wait->over)
        return;
    wait->over = true;
    wait->status = status;
    printf("%s %s %s\n", wait->found->kind->info.kind,
           json_string_at(wait->found->object, "/metadata/name"), words);
}

static void show(struct wait *wait, const struct rollout_view *view)
{
    struct text line AUTO(text_done) = {0};
    rollout_line(view, &line);
    if (str_equal(line.at, wait->line))
        return;
    str_replace(&wait->line, line.at);
    printf("%s\n", line.at);
    fflush(stdout);
}

/* The end counts when the controller has reached it for the spec as it is now. */
static void judge(struct wait *wait, const struct rollout_view *view,
                  const struct rollout_status *status)
{
    const struct intent *intent = &view->rollout.intent;
    bool seen = status->generation == intent->generation;
    bool same = strcmp(intent->target, wait->target) == 0;
    wait->begun = wait->begun || same || !wait->found->kind->follows;
    if (!wait->begun)
        return; /* the template has changed, and its controller hasn't seen that yet */
    if (!same)
        finish(wait, STATUS_ABANDONED, "has turned to another target");
    else if (intent->deleted)
        finish(wait, STATUS_ABANDONED, "is being deleted");
    else if (seen && status->rolling == ROLLING_FAILED)
        finish(wait, STATUS_FAILED, "has failed");
    else if (seen && status->rolling == ROLLING_SUCCEEDED &&
             strcmp(status->target, intent->target) == 0)
        finish(wait, STATUS_DONE, "has succeeded");
}

static void on_put(void *data, json_t *object)
{
    struct wait *wait = data;
    struct rollout_view view;
    struct rollout_status all; /* of all components together */
    if (wait->over)
        return;
    rollout_view_open(wait->found->kind, object, clock_wall_ms(), &view);
    approllout_status_read(object, NULL, &all);
    show(wait, &view);
    judge(wait, &view, &all);
    rollout_view_done(&view);
}

static void on_delete(void *data, json_t *object)
{
    (void)object;
    finish(data, STATUS_ABANDONED, "was deleted");
}

static void on_state(void *data, const struct error *err)
{
    struct wait *wait = data;
    if (err->code != ERR_DENIED || wait->over)
        return;
    fprintf(stderr, "sluice status: %s\n", err->text);
    wait->over = true;
    wait->status = STATUS_REFUSED;
}

static struct watch *watch_one(struct session *session, const struct found *found,
                               struct wait *wait)
{
    static const struct watch_events events = {
        .on_put = on_put, .on_delete = on_delete, .on_state = on_state};
    char *path AUTO_FREE = object_path(&found->kind->info, session->ns, NULL, NULL);
    char *selector AUTO_FREE =
        str_format("metadata.name=%s", json_string_at(found->object, "/metadata/name"));
    struct watch_spec spec = {.path = path, .field_selector = selector};
    return watch_open(session->cluster, &spec, &events, wait);
}

/* Where it is to go: what is written, or the template that is on the workload. One that can't be
 * read leaves what was recorded. The caller frees it. */
static char *target_of(struct session *session, const struct found *found)
{
    struct approllout rollout;
    struct workload workload = {0};
    char name[TEMPLATE_NAME_SIZE];
    struct error ignored;
    found->kind->read(found->object, &rollout);
    char *target = str_copy(rollout.intent.target);
    if (found->kind->follows && workload_read(session, found->object, &workload, &ignored) == OK &&
        workload_template(workload.object, name))
        str_replace(&target, name);
    workload_done(&workload);
    approllout_done(&rollout);
    return target;
}

int rollout_wait(struct session *session, const struct found *found, int64_t timeout_ms)
{
    struct error err = {0};
    struct wait wait = {.found = found, .target = target_of(session, found)};
    struct watch *watch = watch_one(session, found, &wait);
    if (loop_run_until(session->loop, &wait.over, timeout_ms, &err) < 0) {
        fprintf(stderr, "sluice status: the time ran out\n");
        wait.status = STATUS_TIMEOUT;
    }
    watch_close(watch);
    auto_free(&wait.target);
    auto_free(&wait.line);
    return wait.status;
}
