// SPDX-License-Identifier: Apache-2.0
#include "schedule.h"

#include "truth.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "oam/asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 60 * 60 * 1000, LIMIT_MS = 12 * HOUR_MS, ACTIONS = 6, SIZE_MOST = 7 };

struct kind {
    const char *api_version, *name, *path;
    bool sized;
};

static const struct kind kinds[] = {
    {"apps/v1", "Deployment", "/apis/apps/v1/namespaces/default/deployments", true},
    {"apps/v1", "StatefulSet", "/apis/apps/v1/namespaces/default/statefulsets", true},
    {"apps.kruise.io/v1alpha1", "CloneSet",
     "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets", true},
};

struct play {
    struct stage stage;
    struct truth truth;
    struct random random;
    const struct kind *kind;
    char workload[128]; /* its path */
    bool verbose;
    bool calm; /* no faults any more, and hooks say yes */
    int size, image, batches, counts[BATCHES_MAX], percents[BATCHES_MAX], tolerance, partition;
    bool hooked, paused, deleted, scales, disturbed;
    struct tally *tally;
};

#define ROLLOUTS "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts"
#define ROLLOUT  ROLLOUTS "/web"

__attribute__((format(printf, 2, 3))) static void tell(const struct play *play, const char *format,
                                                       ...)
{
    va_list args;
    if (!play->verbose)
        return;
    printf("%9.1f s  ", (double)(clock_wall_ms() - 1700000000000) / 1000);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* ── What there is ────────────────────────────────────────────────────────────────────────── */

/* The caller owns it. */
static json_t *containers(int image)
{
    return json_pack("[{s:s, s:o}]", "name", "web", "image", json_sprintf("web:v%d", image));
}

static void make_workload(struct play *play)
{
    json_t *object AUTO_JSON = json_pack(
        "{s:s, s:s, s:{s:s}, s:{s:i, s:{s:{s:s}}, s:{s:{s:{s:s}}, s:{s:o}}}}", "apiVersion",
        play->kind->api_version, "kind", play->kind->name, "metadata", "name", "web", "spec",
        "replicas", play->size, "selector", "matchLabels", "app", "web", "template", "metadata",
        "labels", "app", "web", "spec", "containers", containers(play->image));
    if (str_equal(play->kind->name, "StatefulSet")) {
        json_object_set_new(json_object_get(object, "spec"), "serviceName", json_string("web"));
        json_object_set_new(
            json_object_get(object, "spec"), "podManagementPolicy",
            json_string(random_chance(&play->random, 50) ? "Parallel" : "OrderedReady"));
    }
    if (stage_ask(&play->stage, "POST", play->kind->path, NULL, object, NULL) < 0)
        give_up("the workload is refused");
}

/* The caller owns it. */
static json_t *plan_of(const struct play *play)
{
    json_t *plan = json_object(), *batches = json_array();
    for (int i = 0; i < play->batches; i++) {
        json_t *batch = json_object();
        if (i + 1 < play->batches)
            json_object_set_new(batch, "replicas",
                                play->scales ? json_sprintf("%d%%", play->percents[i])
                                             : json_integer(play->counts[i]));
        if (play->tolerance)
            json_object_set_new(batch, "maxUnavailable", json_integer(play->tolerance));
        json_array_append_new(batches, batch);
    }
    json_object_set_new(plan, "rolloutBatches", batches);
    if (play->partition >= 0)
        json_object_set_new(plan, "batchPartition", json_integer(play->partition));
    if (play->paused)
        json_object_set_new(plan, "paused", json_true());
    if (play->hooked)
        json_object_set_new(plan, "rolloutWebhooks",
                            json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "type",
                                      "pre-batch-rollout", "name", "before", "url", "http://h/",
                                      "type", "post-batch-rollout", "name", "behind", "url",
                                      "http://h/"));
    return plan;
}

static void make_rollout(struct play *play)
{
    json_t *object AUTO_JSON = json_pack(
        "{s:s, s:s, s:{s:s}, s:{s:{s:s, s:s, s:s}, s:b, s:o}}", "apiVersion", "sluice.dev/v1alpha1",
        "kind", "Rollout", "metadata", "name", "web", "spec", "workloadRef", "apiVersion",
        play->kind->api_version, "kind", play->kind->name, "name", "web", "revertOnDelete",
        (int)random_chance(&play->random, 30), "rolloutPlan", plan_of(play));
    if (stage_ask(&play->stage, "POST", ROLLOUTS, NULL, object, NULL) < 0)
        give_up("the rollout is refused");
}

static void change_plan(struct play *play)
{
    json_t *patch AUTO_JSON = json_pack("[{s:s, s:s, s:o}]", "op", "replace", "path",
                                        "/spec/rolloutPlan", "value", plan_of(play));
    stage_ask(&play->stage, "PATCH", ROLLOUT, PATCH_JSON, patch, NULL);
}

/* ── People ───────────────────────────────────────────────────────────────────────────────── */

static void choose_plan(struct play *play)
{
    int left = play->size;
    play->batches = 0;
    while (left > 1 && play->batches < 4) {
        int count = random_int(&play->random, 1, left - 1);
        play->percents[play->batches] = 100 * count / play->size;
        play->counts[play->batches++] = count;
        left -= count;
    }
    play->counts[play->batches++] = left;
    play->tolerance = random_chance(&play->random, 20);
    play->hooked = random_chance(&play->random, 40);
    play->partition =
        random_chance(&play->random, 30) ? random_int(&play->random, 0, play->batches - 1) : -1;
}

static struct roll roll_of(const struct play *play)
{
    struct roll roll = {.size = play->size,
                        .batches = play->batches,
                        .tolerance = play->tolerance,
                        .partition = play->partition,
                        .held = play->paused,
                        .hooked = play->hooked,
                        .strict = !play->disturbed};
    snprintf(roll.image, sizeof roll.image, "web:v%d", play->image);
    json_t *json AUTO_JSON = plan_of(play);
    struct plan *plan = NULL;
    struct error err = {0};
    if (plan_read(json, "plan", &plan, &err) < 0)
        give_up("%s", err.text);
    for (int i = 0; i < play->batches; i++)
        roll.until[i] = plan_target(plan, (struct span){0, play->size}, i);
    plan_free(plan);
    return roll;
}

#define AT_REST "/metadata/annotations/rollout.sluice.dev~1at-rest"

static bool is_at_rest(struct play *play)
{
    json_t *workload AUTO_JSON = NULL;
    return stage_ask(&play->stage, "GET", play->workload, NULL, NULL, &workload) == OK &&
           json_at(workload, AT_REST);
}

/* Pods that a roll has let go take any newer template at once; and those that have it already may
 * be taken back. */
static int let_go(const struct roll *roll)
{
    int until = !roll->strict ? SIZE_MOST : roll->until[roll->frontier];
    return until > roll->loose ? until : roll->loose;
}

static void change_template(struct play *play, int image)
{
    struct roll before = play->truth.roll;
    play->image = image;
    struct roll roll = roll_of(play);
    if (!is_at_rest(play))
        roll.loose = let_go(&before);
    play->disturbed = false;
    roll.strict = true;
    truth_roll(&play->truth, &roll);
    json_t *patch AUTO_JSON =
        json_pack("{s:{s:{s:{s:o}}}}", "spec", "template", "spec", "containers", containers(image));
    tell(play, "the template goes to v%d", image);
    if (stage_ask(&play->stage, "PATCH", play->workload, PATCH_MERGE, patch, NULL) < 0)
        give_up("the template is refused");
    play->tally->rolls++;
}

static void approve(struct play *play)
{
    play->partition = play->partition + 1 < play->batches - 1 ? play->partition + 1 : -1;
    play->paused = false;
    truth_let_on(&play->truth, play->partition);
    tell(play, "on to batch %d", play->partition);
    change_plan(play);
}

static void pause(struct play *play)
{
    play->paused = !play->paused;
    if (!play->paused)
        truth_let_on(&play->truth, play->partition);
    tell(play, play->paused ? "paused" : "resumed");
    change_plan(play);
}

/* Batches are in proportion to the size from now on: what the truth knows of them is too strict. */
static void scale(struct play *play)
{
    if (!play->scales)
        return;
    play->size = random_int(&play->random, 1, SIZE_MOST);
    play->disturbed = true;
    play->truth.roll.strict = false;
    json_t *patch AUTO_JSON = json_pack("{s:{s:i}}", "spec", "replicas", play->size);
    tell(play, "scaled to %d", play->size);
    stage_ask(&play->stage, "PATCH", play->workload, PATCH_MERGE, patch, NULL);
}

static void wish(struct play *play, const char *verb)
{
    json_t *rollout AUTO_JSON = NULL;
    if (stage_ask(&play->stage, "GET", ROLLOUT, NULL, NULL, &rollout) < 0)
        return;
    const char *target = json_string_at(rollout, "/status/lastTargetAppRevision");
    char *text AUTO_FREE = str_format("%s %s %s", verb, target ? target : "",
                                      json_string_at(rollout, "/metadata/resourceVersion"));
    json_t *patch AUTO_JSON =
        json_pack("{s:{s:{s:s}}}", "metadata", "annotations", MARK_WISH, text);
    tell(play, "%s", verb);
    play->truth.roll.loose = let_go(&play->truth.roll);
    stage_ask(&play->stage, "PATCH", ROLLOUT, PATCH_MERGE, patch, NULL);
}

static void delete(struct play *play)
{
    play->deleted = true;
    play->truth.roll.strict = false;
    tell(play, "deleted");
    stage_ask(&play->stage, "DELETE", ROLLOUT, NULL, NULL, NULL);
}

static void act(struct play *play)
{
    int what = random_int(&play->random, 1, 100);
    if (what <= 40)
        change_template(play, play->image + 1);
    else if (what <= 50)
        change_template(play, play->image > 1 ? play->image - 1 : 2);
    else if (what <= 65)
        approve(play);
    else if (what <= 80)
        pause(play);
    else if (what <= 87)
        scale(play);
    else if (what <= 92)
        wish(play, "abort");
    else if (what <= 96)
        wish(play, "retry");
    else if (what == 100)
        delete (play);
}

/* ── What happens to the controller ───────────────────────────────────────────────────────── */

/* The key ends with the batch, the gate and which of its hooks it is. */
static int batch_of(const struct hook_spec *spec)
{
    const char *at = spec->idempotency_key + strlen(spec->idempotency_key);
    for (int slashes = 0; slashes < 3; slashes += *at == '/')
        at--;
    return atoi(at + 1);
}

static int on_hook(void *data, const char *kind, const struct hook_spec *spec)
{
    struct play *play = data;
    (void)kind;
    if (!play->calm && random_chance(&play->random, 30))
        return HOOK_TROUBLE;
    if (str_equal(spec->hook->name, "before"))
        truth_passed(&play->truth, batch_of(spec));
    return HOOK_PASSED;
}

static void choose_death(struct play *play)
{
    struct unreliable *unreliable = &play->stage.unreliable;
    unreliable->kill_at = 0;
    if (play->calm || !random_chance(&play->random, 80))
        return;
    unreliable->kill_at = unreliable->writes + random_int(&play->random, 1, 12);
    unreliable->kill_unheard = random_chance(&play->random, 50);
}

static void start_again(struct play *play)
{
    tell(play, "killed after write %d", play->stage.unreliable.writes);
    play->tally->kills++;
    stage_stop(&play->stage);
    if (random_chance(&play->random, 50))
        stage_play(&play->stage, &(bool){false}, random_int(&play->random, 1, 20000));
    choose_death(play);
    if (play->stage.unreliable.plant != PLANT_STANDS)
        stage_start(&play->stage);
}

static void live(struct play *play, int64_t ms)
{
    int64_t end = clock_monotonic_ms() + ms, left;
    while ((left = end - clock_monotonic_ms()) > 0 && !play->truth.violation[0]) {
        stage_play(&play->stage, &play->stage.unreliable.dead, left);
        if (play->stage.unreliable.dead && play->stage.controller)
            start_again(play);
        else if (!play->stage.controller)
            stage_play(&play->stage, &(bool){false}, left);
    }
}

/* ── The end ──────────────────────────────────────────────────────────────────────────────── */

static void judge_deleted(struct play *play, const json_t *workload)
{
    json_t *rollout AUTO_JSON = NULL;
    if (stage_ask(&play->stage, "GET", ROLLOUT, NULL, NULL, &rollout) != ERR_MISSING)
        truth_violated(&play->truth, "the rollout was deleted and is still there");
    if (json_at(workload, "/metadata/annotations/rollout.sluice.dev~1holder"))
        truth_violated(&play->truth, "the rollout is gone and the workload still held");
}

static void judge_rolled(struct play *play, const json_t *workload)
{
    json_t *rollout AUTO_JSON = NULL;
    if (stage_ask(&play->stage, "GET", ROLLOUT, NULL, NULL, &rollout) < 0) {
        truth_violated(&play->truth, "the rollout is lost");
        return;
    }
    const char *state = json_string_at(rollout, "/status/rollingState");
    if (!str_equal(state, "rolloutSucceed"))
        truth_violated(&play->truth, "it has come to rest in %s: %s", state ? state : "no state",
                       json_string_at(rollout, "/status/reason/message"));
    if (play->truth.updated_ready != play->size || play->truth.count != play->size)
        truth_violated(&play->truth, "in the end %d of %d pods are ready with v%d, of %d",
                       play->truth.updated_ready, play->size, play->image, play->truth.count);
    if (!json_at(workload, AT_REST))
        truth_violated(&play->truth, "in the end the workload isn't marked as at rest");
}

static void show(const struct play *play, const json_t *object)
{
    char *text AUTO_FREE = play->verbose ? json_dumps(object, JSON_INDENT(1)) : NULL;
    if (text)
        puts(text);
}

static void judge_end(struct play *play)
{
    json_t *workload AUTO_JSON = NULL;
    if (stage_ask(&play->stage, "GET", play->workload, NULL, NULL, &workload) < 0)
        give_up("the workload is lost");
    show(play, workload);
    if (play->deleted)
        judge_deleted(play, workload);
    else
        judge_rolled(play, workload);
}

/* Faults stop, and people let on what waits for them. */
static void calm_down(struct play *play)
{
    struct unreliable *unreliable = &play->stage.unreliable;
    play->calm = true;
    unreliable->percent = 0;
    unreliable->kill_at = 0;
    live(play, 60 * 1000);
    if (play->deleted)
        return;
    play->paused = false;
    play->partition = -1;
    truth_let_on(&play->truth, -1);
    change_plan(play);
    live(play, 60 * 1000);
    wish(play, "retry");
}

static void play_all(struct play *play)
{
    live(play, 60 * 1000);
    for (int i = 0; i < ACTIONS && !play->truth.violation[0] && !play->deleted; i++) {
        act(play);
        live(play, random_int(&play->random, 0, 1) ? random_int(&play->random, 0, 3000)
                                                   : random_int(&play->random, 0, 120000));
    }
    calm_down(play);
    if (!play->truth.violation[0] && !stage_rest(&play->stage, LIMIT_MS))
        truth_violated(&play->truth, "it comes to no rest");
    if (!play->truth.violation[0])
        judge_end(play);
}

static void begin(struct play *play)
{
    struct unreliable *unreliable = &play->stage.unreliable;
    play->kind = &kinds[random_int(&play->random, 0, sizeof kinds / sizeof *kinds - 1)];
    snprintf(play->workload, sizeof play->workload, "%s/web", play->kind->path);
    play->size = random_int(&play->random, 1, SIZE_MOST);
    play->image = 1;
    play->scales = random_chance(&play->random, 30);
    choose_plan(play);
    tell(play, "a %s of %d pods, %d batches", play->kind->name, play->size, play->batches);
    truth_open(&play->truth, &play->stage);
    play->truth.verbose = play->verbose;
    play->truth.roll = roll_of(play);
    play->truth.roll.strict = false;
    make_workload(play);
    live(play, 60 * 1000);
    make_rollout(play);
    live(play, 60 * 1000);
    unreliable->percent = random_int(&play->random, 0, 3) * random_int(&play->random, 3, 10);
    unreliable->kinds = random_chance(&play->random, 50)
                            ? ~0u
                            : (unsigned)random_next(&play->random) | 1u << FAULT_LOSE_ANSWER;
    choose_death(play);
}

char *schedule_play(const char *plugins, uint64_t seed, enum plant plant, bool verbose,
                    struct tally *tally)
{
    struct play *play = mem_alloc(sizeof *play);
    *play = (struct play){.random = {.state = seed}, .verbose = verbose, .tally = tally};
    stage_open(&play->stage, plugins, &play->random, on_hook, play);
    play->stage.unreliable.plant = plant;
    play->stage.unreliable.verbose = verbose;
    begin(play);
    play_all(play);
    tally->versions += play->truth.versions;
    tally->writes += play->stage.unreliable.writes;
    tally->planted += play->stage.unreliable.planted;
    for (int i = 0; i < FAULTS; i++)
        tally->faults[i] += play->stage.unreliable.faults[i];
    char *violation = play->truth.violation[0] ? str_copy(play->truth.violation) : NULL;
    truth_close(&play->truth);
    stage_close(&play->stage);
    free(play);
    return violation;
}
