// SPDX-License-Identifier: Apache-2.0
#include "kruise.h"

#include "base/alloc.h"
#include "base/json.h"
#include "patch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int max(int a, int b)
{
    return a > b ? a : b;
}

static int min(int a, int b)
{
    return a < b ? a : b;
}

void kruise_init(struct kruise *kruise)
{
    memset(kruise, 0, sizeof *kruise);
}

void kruise_done(struct kruise *kruise)
{
    json_decref(kruise->object);
}

/* ---- the API server ---- */

static void default_at(json_t *object, const char *pointer, json_t *value)
{
    if (!json_at(object, pointer))
        json_put_take(object, pointer, json_incref(value));
    json_decref(value);
}

static void set_defaults(json_t *object)
{
    default_at(object, "/spec/replicas", json_integer(1));
    default_at(object, "/spec/updateStrategy/type", json_string("ReCreate"));
    default_at(object, "/spec/updateStrategy/partition", json_integer(0));
    default_at(object, "/spec/updateStrategy/maxSurge", json_integer(0));
    default_at(object, "/spec/updateStrategy/maxUnavailable", json_string("20%"));
}

/* OpenKruise's types leave a false `paused` out. */
static void drop_zero(json_t *object)
{
    if (!json_bool_at(object, "/spec/updateStrategy/paused", false))
        json_remove_at(object, "/spec/updateStrategy/paused");
}

static void written(struct kruise *kruise, const json_t *spec_before)
{
    json_t *object = kruise->object;
    int64_t generation = json_int_at(object, "/metadata/generation", 0);
    char version[16];
    set_defaults(object);
    drop_zero(object);
    if (!spec_before || !json_equal(json_at(object, "/spec"), (json_t *)(uintptr_t)spec_before))
        generation++;
    snprintf(version, sizeof version, "%d", ++kruise->version);
    json_put_take(object, "/metadata/generation", json_integer(generation));
    json_put_take(object, "/metadata/resourceVersion", json_string(version));
    json_put_take(object, "/metadata/uid", json_string("c1"));
}

void kruise_act(struct kruise *kruise, const struct actions *actions)
{
    static const char *const types[] = {"apply", "merge", "json"};
    for (size_t i = 0; i < actions->count; i++) {
        const struct action *action = &actions->items[i];
        assert_int_equal(action->kind, ACTION_PATCH);
        assert_null(action->pod);
        json_t *before AUTO_JSON = json_deep_copy(json_at(kruise->object, "/spec"));
        json_t *patch AUTO_JSON =
            json_pack("{s:s, s:O}", "type", types[action->patch], "body", action->body);
        struct error err = {0};
        if (patch_apply(&kruise->object, patch, &err) < 0)
            fail_msg("%s", err.text);
        written(kruise, before);
    }
}

void kruise_scale(struct kruise *kruise, int replicas)
{
    json_t *before AUTO_JSON = json_deep_copy(json_at(kruise->object, "/spec"));
    json_put_take(kruise->object, "/spec/replicas", json_integer(replicas));
    written(kruise, before);
}

/* ---- the controller ---- */

/* What one pass works with. */
struct pass {
    struct kruise *kruise;
    char update[HASH_SIZE], current[HASH_SIZE];
    int replicas, partition, surge, unavailable;
    int new_pods, old_pods, new_unready, old_unready, new_going, old_going;
    int use_surge;
};

static int scaled(const json_t *value, int size, bool up)
{
    if (json_is_integer(value))
        return (int)json_integer_value(value);
    int percent = value ? atoi(json_string_value(value)) : 0;
    return (percent * size + (up ? 99 : 0)) / 100;
}

static void read_strategy(struct pass *pass)
{
    const json_t *strategy = json_at(pass->kruise->object, "/spec/updateStrategy");
    const json_t *partition = json_object_get(strategy, "partition");
    int size = pass->replicas;
    pass->partition = scaled(partition, size, true);
    if (size > 1 && pass->partition == size && json_is_string(partition) &&
        strcmp(json_string_value(partition), "100%") != 0)
        pass->partition = size - 1;
    pass->partition = max(min(pass->partition, size), 0);
    pass->surge = json_is_true(json_object_get(strategy, "paused"))
                      ? 0
                      : scaled(json_object_get(strategy, "maxSurge"), size, true);
    pass->unavailable = scaled(json_object_get(strategy, "maxUnavailable"), size, pass->surge == 0);
}

static bool is_new(const struct pass *pass, const struct kruise_pod *pod)
{
    return strcmp(pod->revision, pass->update) == 0;
}

static void count_pods(struct pass *pass)
{
    const struct kruise *kruise = pass->kruise;
    for (int i = 0; i < kruise->count; i++) {
        const struct kruise_pod *pod = &kruise->pods[i];
        bool unready = !pod->ready && !pod->going;
        if (is_new(pass, pod)) {
            pass->new_pods++;
            pass->new_going += pod->going;
            pass->new_unready += unready;
        } else {
            pass->old_pods++;
            pass->old_going += pod->going;
            pass->old_unready += unready;
        }
    }
}

static int to_update(const struct pass *pass)
{
    int old_diff = max(pass->old_pods - pass->partition, 0);
    int new_diff = min(pass->new_pods - (pass->replicas - pass->partition), 0);
    return min(old_diff, -new_diff);
}

static int unready(const struct pass *pass)
{
    return pass->new_unready + pass->old_unready;
}

static void choose_surge(struct pass *pass)
{
    int going = pass->new_going + pass->old_going;
    int for_going = min(max(unready(pass) + going - pass->unavailable, 0), going);
    pass->use_surge = min(pass->surge, max(for_going, to_update(pass)));
}

static struct pass pass_begin(struct kruise *kruise)
{
    struct pass pass = {.kruise = kruise};
    json_hash(json_at(kruise->object, "/spec/template"), pass.update);
    const char *current = json_string_at(kruise->object, "/status/currentRevision");
    snprintf(pass.current, sizeof pass.current, "%s", current ? current : pass.update);
    pass.replicas = kruise_size(kruise);
    read_strategy(&pass);
    count_pods(&pass);
    choose_surge(&pass);
    return pass;
}

static void create(struct kruise *kruise, const char *revision)
{
    assert_true(kruise->count < PODS_MAX);
    struct kruise_pod *pod = &kruise->pods[kruise->count++];
    *pod = (struct kruise_pod){.id = ++kruise->next_id};
    snprintf(pod->revision, sizeof pod->revision, "%s", revision);
}

static void delete_at(struct kruise *kruise, int index)
{
    kruise->count--;
    memmove(&kruise->pods[index], &kruise->pods[index + 1],
            (size_t)(kruise->count - index) * sizeof *kruise->pods);
}

static bool scale_up(struct pass *pass)
{
    int wanted = pass->replicas + pass->use_surge - pass->kruise->count;
    int old = max(pass->partition - pass->old_pods, 0);
    for (int i = 0; i < wanted; i++)
        create(pass->kruise, i < old ? pass->current : pass->update);
    return wanted > 0;
}

static int ready_limit(const struct pass *pass)
{
    return max(pass->unavailable + pass->kruise->count - pass->replicas - unready(pass), 0);
}

static bool delete_going(struct pass *pass)
{
    struct kruise *kruise = pass->kruise;
    int limit = ready_limit(pass);
    bool any = false;
    for (int i = kruise->count - 1; i >= 0; i--) {
        if (!kruise->pods[i].going || (kruise->pods[i].ready && limit-- <= 0))
            continue;
        delete_at(kruise, i);
        any = true;
    }
    return any;
}

/* The pod to give up next: of the old ones while there are too many of these, unready first. */
static int surplus(const struct pass *pass, bool old)
{
    const struct kruise *kruise = pass->kruise;
    int chosen = -1;
    for (int i = 0; i < kruise->count; i++) {
        const struct kruise_pod *pod = &kruise->pods[i];
        if (pod->going || is_new(pass, pod) == old)
            continue;
        if (chosen < 0 || (!pod->ready && kruise->pods[chosen].ready))
            chosen = i;
    }
    return chosen;
}

static bool scale_down(struct pass *pass)
{
    struct kruise *kruise = pass->kruise;
    int going = pass->new_going + pass->old_going;
    int wanted = kruise->count - going - pass->replicas - pass->use_surge;
    int old = max(pass->old_pods - pass->old_going - pass->partition, 0);
    int limit = ready_limit(pass);
    bool any = false;
    for (; wanted > 0 && !going; wanted--) {
        int index = surplus(pass, old-- > 0);
        if (index < 0 || (kruise->pods[index].ready && limit-- <= 0))
            break;
        delete_at(kruise, index);
        any = true;
    }
    return any;
}

static int weight(const struct kruise *kruise, const struct kruise_pod *pod)
{
    const json_t *values =
        json_at(kruise->object, "/spec/updateStrategy/priorityStrategy/weightPriority/0/"
                                "matchSelector/matchExpressions/0/values");
    char id[16];
    size_t i;
    json_t *value;
    snprintf(id, sizeof id, "i%d", pod->id);
    json_array_foreach (values, i, value)
        if (str_equal(json_string_value(value), id))
            return 100;
    return 0;
}

/* The old pod that is updated next; `taken` says which are chosen already. */
static int next_update(const struct pass *pass, const bool taken[PODS_MAX])
{
    const struct kruise *kruise = pass->kruise;
    int chosen = -1, best = -1;
    for (int i = 0; i < kruise->count; i++) {
        const struct kruise_pod *pod = &kruise->pods[i];
        if (taken[i] || pod->going || is_new(pass, pod))
            continue;
        int rank = weight(kruise, pod) * 2 + !pod->ready;
        if (rank > best) {
            best = rank;
            chosen = i;
        }
    }
    return chosen;
}

static void update_pod(struct pass *pass, struct kruise_pod *pod)
{
    const char *type = json_string_at(pass->kruise->object, "/spec/updateStrategy/type");
    if (strncmp(type, "InPlace", 7) != 0) {
        pod->going = true;
        return;
    }
    snprintf(pod->revision, sizeof pod->revision, "%s", pass->update);
    pod->ready = false;
}

static bool update(struct pass *pass)
{
    struct kruise *kruise = pass->kruise;
    bool taken[PODS_MAX] = {false};
    int wanted = to_update(pass), updated = 0;
    int limit = pass->unavailable + kruise->count - pass->replicas;
    int down = unready(pass) + pass->old_going + pass->new_going, new_down = pass->new_unready;
    if (json_bool_at(kruise->object, "/spec/updateStrategy/paused", false))
        return false;
    for (; updated < wanted; updated++) {
        int index = next_update(pass, taken);
        if (index < 0 || new_down + updated >= limit ||
            (kruise->pods[index].ready && down >= limit))
            break;
        down += kruise->pods[index].ready;
        taken[index] = true;
        update_pod(pass, &kruise->pods[index]);
    }
    return updated > 0;
}

static void write_status(struct pass *pass)
{
    struct kruise *kruise = pass->kruise;
    int updated = 0, updated_ready = 0;
    for (int i = 0; i < kruise->count; i++) {
        updated += is_new(pass, &kruise->pods[i]);
        updated_ready += is_new(pass, &kruise->pods[i]) && kruise->pods[i].ready;
    }
    bool all = updated == kruise->count && kruise->count == pass->replicas;
    json_object_set_new(
        kruise->object, "status",
        json_pack("{s:I, s:i, s:i, s:i, s:i, s:s, s:s}", "observedGeneration",
                  json_int_at(kruise->object, "/metadata/generation", 0), "replicas", kruise->count,
                  "readyReplicas", kruise_count_ready(kruise), "updatedReplicas", updated,
                  "updatedReadyReplicas", updated_ready, "updateRevision", pass->update,
                  "currentRevision", all ? pass->update : pass->current));
}

bool kruise_step(struct kruise *kruise)
{
    struct pass pass = pass_begin(kruise);
    bool moved = scale_up(&pass) || delete_going(&pass) || scale_down(&pass) || update(&pass);
    write_status(&pass);
    return moved;
}

void kruise_ready(struct kruise *kruise, int chance)
{
    for (int i = 0; i < kruise->count; i++)
        if (!kruise->pods[i].ready && rand() % chance == 0)
            kruise->pods[i].ready = true;
}

void kruise_settle(struct kruise *kruise)
{
    enum { STEPS_MAX = 5000 };
    for (int i = 0; i < STEPS_MAX; i++) {
        bool moved = kruise_step(kruise);
        int ready = kruise_count_ready(kruise);
        kruise_ready(kruise, 1);
        if (!moved && ready == kruise->count) {
            kruise_step(kruise);
            return;
        }
    }
    fail_msg("the CloneSet doesn't come to rest");
}

int kruise_size(const struct kruise *kruise)
{
    return (int)json_int_at(kruise->object, "/spec/replicas", 1);
}

int kruise_updated(const struct kruise *kruise)
{
    char update_hash[HASH_SIZE];
    int updated = 0;
    json_hash(json_at(kruise->object, "/spec/template"), update_hash);
    for (int i = 0; i < kruise->count; i++)
        updated += strcmp(kruise->pods[i].revision, update_hash) == 0;
    return updated;
}

int kruise_count_ready(const struct kruise *kruise)
{
    int ready = 0;
    for (int i = 0; i < kruise->count; i++)
        ready += kruise->pods[i].ready;
    return ready;
}

json_t *kruise_pods(const struct kruise *kruise)
{
    json_t *pods = json_array();
    for (int i = 0; i < kruise->count; i++) {
        char name[32], id[16];
        snprintf(name, sizeof name, "web-%d", kruise->pods[i].id);
        snprintf(id, sizeof id, "i%d", kruise->pods[i].id);
        json_array_append_new(pods, json_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", name,
                                              "labels", "apps.kruise.io/cloneset-instance-id", id));
    }
    return pods;
}
