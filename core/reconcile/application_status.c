// SPDX-License-Identifier: Apache-2.0
/* The status of an Application: the conditions Ready and Rendered and the latest revision. */
#include "base/alloc.h"
#include "base/clock.h"
#include "reconcile/recording.h"

#include <stdlib.h>

void recording_judge(struct recording *recording, const struct verdict *verdict)
{
    json_t *condition = json_find(recording->conditions, "/type", verdict->type);
    if (!condition) {
        condition = json_pack("{s:s}", "type", verdict->type);
        json_array_append_new(recording->conditions, condition);
    }
    if (!str_equal(json_string_at(condition, "/status"), verdict->status)) {
        char now[CLOCK_TEXT_SIZE];
        clock_format(clock_wall_ms(), now);
        json_object_set_new(condition, "lastTransitionTime", json_string(now));
    }
    json_object_set_new(condition, "status", json_string(verdict->status));
    json_object_set_new(condition, "reason", json_string(verdict->reason));
    json_object_set_new(condition, "message", json_string(verdict->message));
}

static json_t *status_wanted(const struct recording *recording)
{
    int64_t generation = json_int_at(recording->application, "/metadata/generation", 0);
    return json_pack("{s:I, s:O*, s:O}", "observedGeneration", (json_int_t)generation,
                     "latestRevision", recording->latest, "conditions", recording->conditions);
}

/* Are all members that are wanted there already? The others aren't ours. */
static bool status_stands(const struct recording *recording, const json_t *wanted)
{
    const json_t *status = json_at(recording->application, "/status");
    for (void *at = json_object_iter((json_t *)(uintptr_t)wanted); at;
         at = json_object_iter_next((json_t *)(uintptr_t)wanted, at))
        if (!json_equal(json_object_get(status, json_object_iter_key(at)),
                        json_object_iter_value(at)))
            return false;
    return true;
}

static void recording_log(const struct recording *recording, bool warning, const char *message)
{
    char *label AUTO_FREE = str_format("Application %s", recording->key);
    log_write(warning ? LOG_WARN : LOG_INFO,
              (struct log_about){.topic = "application", .object = label}, "%s", message);
}

static void recording_event(const struct recording *recording, const struct event *event)
{
    const json_t *application = recording->application;
    const struct event_about about = {
        .api_version = OAM_API,
        .kind = "Application",
        .ns = recording->ns,
        .name = recording->name,
        .uid = json_string_at(application, "/metadata/uid"),
        .resource_version = json_string_at(application, "/metadata/resourceVersion"),
    };
    recorder_event(recording->controller->recorder, &about, event);
    recording_log(recording, event->warning, event->message);
}

/* That all components can be rendered is nothing to tell beside the recording itself. */
static void tell_condition(const struct recording *recording, const char *type, bool tell_true)
{
    const json_t *before =
        json_find(json_at(recording->application, "/status/conditions"), "/type", type);
    const json_t *after = json_find(recording->conditions, "/type", type);
    bool good = str_equal(json_string_at(after, "/status"), "True");
    if (!after || (good && !tell_true) || (before && json_equal(before, after)))
        return;
    const struct event event = {
        .warning = !good,
        .reason = good ? "RevisionRecorded" : json_string_at(after, "/reason"),
        .message = json_string_at(after, "/message"),
    };
    recording_event(recording, &event);
}

static void on_status(void *data, const struct reply *reply)
{
    struct recording *recording = data;
    recording->call = NULL;
    switch (reply->error.code) {
    case OK:
        store_put(recording->controller->applications, reply->body);
        tell_condition(recording, "Ready", true);
        tell_condition(recording, "Rendered", false);
        break;
    case ERR_MISSING: /* deleted meanwhile */
        break;
    case ERR_CONFLICT:
        recording->again = true;
        break;
    default:
        recording->again = true;
        recording_log(recording, true, reply->error.text);
        break;
    }
    recording_end(recording);
}

void recording_write(struct recording *recording)
{
    json_t *wanted AUTO_JSON = status_wanted(recording);
    if (status_stands(recording, wanted)) {
        recording_end(recording);
        return;
    }
    json_t *patch AUTO_JSON = json_pack(
        "{s:{s:s*}, s:O}", "metadata", "resourceVersion",
        json_string_at(recording->application, "/metadata/resourceVersion"), "status", wanted);
    char *body AUTO_FREE = json_text(patch);
    char *path AUTO_FREE = oam_path("applications", recording->ns, recording->name, "status");
    char *query AUTO_FREE = str_format("%s?fieldManager=" FIELD_MANAGER, path);
    struct call_spec spec = {
        .method = "PATCH", .path = query, .content_type = PATCH_MERGE, .body = body};
    recording->call = cluster_call(recording->controller->cluster, &spec, on_status, recording);
}

/* Passing trouble stays in the log; the rest won't pass unless somebody does something. */
static bool takes_a_person(int code)
{
    return code == ERR_DENIED || code == ERR_INVALID || code == ERR_LIMIT;
}

void recording_fail(struct recording *recording, const struct error *err)
{
    recording->again = true;
    if (!takes_a_person(err->code)) {
        recording_log(recording, true, err->text);
        recording_end(recording);
        return;
    }
    recording_judge(recording, &(struct verdict){"Ready", "False", "RecordingFailed", err->text});
    recording_write(recording);
}
