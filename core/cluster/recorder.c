// SPDX-License-Identifier: Apache-2.0
#include "cluster/recorder.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/list.h"
#include "cluster/correlate.h"

#include <stdlib.h>
#include <string.h>

enum {
    POSTS_AT_ONCE = 4,    /* so that Events never stand in the way of real work */
    POSTS_WAITING = 1000, /* further ones are dropped */
    MESSAGE_MOST = 1024,  /* bytes */
    CLEAN_MS = 10 * 60 * 1000,
};

/* The writing of one Event. What happens to it meanwhile is written by the next request. */
struct post {
    struct list link;
    struct recorder *recorder;
    struct observation *observation;
    char *path;   /* of the collection */
    char *name;   /* of the Event */
    char *whole;  /* the Event, as text because a thousand may wait … */
    char *change; /* … and what of it is sent when it is there already */
    bool again;   /* changed since it was made or sent */
    struct call *call;
};

struct recorder {
    struct cluster *cluster;
    char *component;
    struct correlator correlator;
    struct list waiting, running; /* posts */
    size_t waiting_count, running_count;
    uint64_t dropped;
    struct timer clean;
    void (*on_state)(void *data, const struct error *err); /* may be NULL */
    void *data;
    bool denied; /* and told so */
};

static void post_free(struct post *post)
{
    call_cancel(post->call);
    list_remove(&post->link);
    post->observation->post = NULL;
    post->observation->item.pinned = false;
    free(post->path);
    free(post->name);
    free(post->whole);
    free(post->change);
    free(post);
}

static void posts_free(struct list *head)
{
    while (!list_empty(head))
        post_free(list_entry(head->next, struct post, link));
}

static void on_clean(void *data)
{
    struct recorder *recorder = data;
    if (correlator_clean(&recorder->correlator, clock_wall_ms()))
        timer_start(cluster_loop(recorder->cluster), &recorder->clean, CLEAN_MS, on_clean,
                    recorder);
}

struct recorder *recorder_new(struct cluster *cluster, const char *component)
{
    struct recorder *recorder = mem_alloc(sizeof *recorder);
    recorder->cluster = cluster;
    recorder->component = str_copy(component);
    correlator_init(&recorder->correlator);
    list_init(&recorder->waiting);
    list_init(&recorder->running);
    return recorder;
}

void recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return;
    posts_free(&recorder->waiting);
    posts_free(&recorder->running);
    timer_stop(cluster_loop(recorder->cluster), &recorder->clean);
    correlator_done(&recorder->correlator);
    free(recorder->component);
    free(recorder);
}

void recorder_on_state(struct recorder *recorder,
                       void (*on_state)(void *data, const struct error *err), void *data)
{
    recorder->on_state = on_state;
    recorder->data = data;
}

static void recorder_tell_state(struct recorder *recorder, const struct error *err)
{
    bool denied = err->code == ERR_DENIED;
    if ((err->code != OK && !denied) || denied == recorder->denied)
        return;
    recorder->denied = denied;
    if (recorder->on_state)
        recorder->on_state(recorder->data, err);
}

uint64_t recorder_dropped(const struct recorder *recorder)
{
    return recorder->dropped;
}

static void post_send(struct post *post);

static void posts_pump(struct recorder *recorder)
{
    while (recorder->running_count < POSTS_AT_ONCE && !list_empty(&recorder->waiting)) {
        struct post *post = list_entry(recorder->waiting.next, struct post, link);
        list_remove(&post->link);
        list_append(&recorder->running, &post->link);
        recorder->waiting_count--;
        recorder->running_count++;
        post_send(post);
    }
}

static void post_done(struct post *post, bool written)
{
    struct recorder *recorder = post->recorder;
    recorder->running_count--;
    if (!written)
        recorder->dropped++;
    post_free(post);
    posts_pump(recorder);
}

static void on_posted(void *data, const struct reply *reply)
{
    struct post *post = data;
    struct observation *observation = post->observation;
    post->call = NULL;
    int code = reply->error.code;
    recorder_tell_state(post->recorder, &reply->error);
    if (code == ERR_MISSING && observation->written) {
        /* The server has forgotten it: write it anew. */
        observation->written = false;
        post_send(post);
        return;
    }
    /* A conflict means that it is there: a request of ours that seemed lost has arrived. */
    bool written = code == OK || (code == ERR_CONFLICT && !observation->written);
    if (written)
        observation->written = true;
    if (written && post->again)
        post_send(post);
    else
        post_done(post, written);
}

/* Of an Event that is there only what has changed is sent. */
static char *change_text(const json_t *event)
{
    json_t *patch AUTO_JSON = json_object();
    static const char *const changing[] = {"count", "lastTimestamp", "message"};
    for (size_t i = 0; i < 3; i++)
        json_object_set(patch, changing[i], json_object_get(event, changing[i]));
    return json_text(patch);
}

static void post_set(struct post *post, const json_t *event)
{
    free(post->whole);
    free(post->change);
    post->whole = json_text(event);
    post->change = change_text(event);
}

static void post_send(struct post *post)
{
    bool written = post->observation->written;
    char *object AUTO_FREE = str_format("%s/%s", post->path, post->name);
    struct call_spec spec = {
        .method = written ? "PATCH" : "POST",
        .path = written ? object : post->path,
        .content_type = written ? PATCH_MERGE : NULL,
        .body = written ? post->change : post->whole,
    };
    post->again = false;
    post->call = cluster_call(post->recorder->cluster, &spec, on_posted, post);
}

/* Words that came from somewhere else may be no UTF-8, which JSON can't hold. */
static void message_clean(char *text)
{
    json_t *probe AUTO_JSON = json_string(text);
    if (probe)
        return;
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            *text = '?';
}

/* The message within its limit, not cut inside a character. The caller frees it. */
static char *message_cut(const char *message, bool combined)
{
    char *text = str_format("%s%s", combined ? "(combined from similar events): " : "", message);
    size_t length = strlen(text);
    if (length > MESSAGE_MOST) {
        length = MESSAGE_MOST;
        while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
        text[length] = '\0';
    }
    message_clean(text);
    return text;
}

static void put_string(json_t *event, const char *pointer, const char *value)
{
    if (value && *value)
        json_put_take(event, pointer, json_string(value));
}

static void put_object(json_t *event, const struct event_about *about)
{
    put_string(event, "/involvedObject/apiVersion", about->api_version);
    put_string(event, "/involvedObject/kind", about->kind);
    put_string(event, "/involvedObject/namespace", about->ns);
    put_string(event, "/involvedObject/name", about->name);
    put_string(event, "/involvedObject/uid", about->uid);
    put_string(event, "/involvedObject/resourceVersion", about->resource_version);
}

static json_t *event_object(const struct recorder *recorder, const struct event_about *about,
                            const struct event *event, const struct observation *observation,
                            const char *message)
{
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
    clock_format(observation->first_ms, first);
    clock_format(observation->item.used_ms, last);
    char *name AUTO_FREE =
        str_format("%s.%016llx", about->name, (unsigned long long)observation->number);
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:i}", "apiVersion", "v1", "kind", "Event",
                               "type", event->warning ? "Warning" : "Normal", "reason",
                               event->reason, "count", observation->count);
    put_string(object, "/metadata/name", name);
    put_string(object, "/metadata/namespace", about->ns && *about->ns ? about->ns : "default");
    put_string(object, "/message", message);
    put_string(object, "/source/component", recorder->component);
    put_string(object, "/reportingComponent", recorder->component);
    put_string(object, "/firstTimestamp", first);
    put_string(object, "/lastTimestamp", last);
    put_object(object, about);
    return object;
}

static void post_new(struct recorder *recorder, struct observation *observation,
                     const json_t *event)
{
    struct post *post = mem_alloc(sizeof *post);
    post->recorder = recorder;
    post->observation = observation;
    post->path =
        str_format("/api/v1/namespaces/%s/events", json_string_at(event, "/metadata/namespace"));
    post->name = str_copy(json_string_at(event, "/metadata/name"));
    post_set(post, event);
    observation->post = post;
    observation->item.pinned = true;
    list_append(&recorder->waiting, &post->link);
    recorder->waiting_count++;
    posts_pump(recorder);
}

void recorder_event(struct recorder *recorder, const struct event_about *about,
                    const struct event *event)
{
    bool combined;
    struct observation *observation =
        correlator_add(&recorder->correlator, about, event, clock_wall_ms(), &combined);
    if (!timer_running(&recorder->clean))
        timer_start(cluster_loop(recorder->cluster), &recorder->clean, CLEAN_MS, on_clean,
                    recorder);
    if (!observation)
        return;
    char *message AUTO_FREE = message_cut(event->message, combined);
    json_t *object AUTO_JSON = event_object(recorder, about, event, observation, message);
    struct post *post = observation->post;
    if (post) {
        post_set(post, object);
        post->again = true;
    } else if (recorder->waiting_count < POSTS_WAITING) {
        post_new(recorder, observation, object);
    } else {
        recorder->dropped++;
    }
}
