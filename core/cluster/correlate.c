// SPDX-License-Identifier: Apache-2.0
#include "cluster/correlate.h"

#include <string.h>

/* client-go's own numbers, but for the sizes, which are smaller. */
enum {
    SIMILAR_MOST = 10,               /* messages of one reason that are told apart, less one */
    SIMILAR_FOR_MS = 600 * 1000,     /* while they follow each other within this time */
    BURST = 25,                      /* events of one object, … */
    REFILL_MS = 300 * 1000,          /* … and then one each five minutes */
    REMEMBERED = 1024,               /* of each sort */
    REMEMBERED_FOR_MS = 3600 * 1000, /* as long as an API server keeps Events by default */
};

/* An object: a bucket of tokens. */
struct bucket {
    struct recent_item item;
    double tokens;
    int64_t filled_ms;
};

/* Events of one object that differ by their messages only. */
struct similar {
    struct recent_item item;
    int count;
    uint32_t messages[SIMILAR_MOST]; /* hashes of the different ones */
    int64_t last_ms;
};

void correlator_init(struct correlator *correlator)
{
    recent_init(&correlator->objects, sizeof(struct bucket), REMEMBERED);
    recent_init(&correlator->similar, sizeof(struct similar), REMEMBERED);
    recent_init(&correlator->observations, sizeof(struct observation), REMEMBERED);
}

void correlator_done(struct correlator *correlator)
{
    recent_done(&correlator->objects);
    recent_done(&correlator->similar);
    recent_done(&correlator->observations);
}

bool correlator_clean(struct correlator *correlator, int64_t now_ms)
{
    struct recent *const all[] = {&correlator->objects, &correlator->similar,
                                  &correlator->observations};
    size_t left = 0;
    for (size_t i = 0; i < 3; i++) {
        recent_forget(all[i], now_ms - REMEMBERED_FOR_MS);
        left += all[i]->items.count;
    }
    return left > 0;
}

static bool object_may(struct correlator *correlator, const struct event_about *about,
                       int64_t now_ms)
{
    const char *const parts[] = {about->api_version, about->kind, about->ns, about->name,
                                 about->uid};
    char key[RECENT_KEY_SIZE];
    bool is_new;
    recent_key(key, parts, 5);
    struct bucket *bucket = recent_use(&correlator->objects, key, now_ms, &is_new);
    if (is_new) {
        bucket->tokens = BURST;
    } else {
        bucket->tokens += (double)(now_ms - bucket->filled_ms) / REFILL_MS;
        if (bucket->tokens > BURST)
            bucket->tokens = BURST;
    }
    bucket->filled_ms = now_ms;
    if (bucket->tokens < 1)
        return false;
    bucket->tokens -= 1;
    return true;
}

static uint32_t message_hash(const char *message)
{
    uint32_t hash = 2166136261u;
    for (; *message; message++)
        hash = (hash ^ (unsigned char)*message) * 16777619u;
    return hash;
}

/* Whether so many different messages have come lately that this one is told in a combined event. */
static bool is_combined(struct similar *similar, const char *message, int64_t now_ms)
{
    uint32_t hash = message_hash(message);
    if (now_ms - similar->last_ms > SIMILAR_FOR_MS)
        similar->count = 0;
    similar->last_ms = now_ms;
    bool seen = false;
    for (int i = 0; i < similar->count; i++)
        seen = seen || similar->messages[i] == hash;
    if (!seen && similar->count < SIMILAR_MOST)
        similar->messages[similar->count++] = hash;
    if (similar->count < SIMILAR_MOST)
        return false;
    similar->count--; /* forgets one, so that memory stays bounded and the next one is new again */
    return true;
}

static uint64_t number_new(int64_t now_ms)
{
    static uint64_t last;
    uint64_t number = (uint64_t)now_ms * 1000000;
    last = number > last ? number : last + 1;
    return last;
}

struct observation *correlator_add(struct correlator *correlator, const struct event_about *about,
                                   const struct event *event, int64_t now_ms, bool *ret_combined)
{
    const char *const parts[] = {about->api_version, about->kind,
                                 about->ns,          about->name,
                                 about->uid,         event->warning ? "Warning" : "Normal",
                                 event->reason,      event->message};
    char key[RECENT_KEY_SIZE];
    bool is_new;
    recent_key(key, parts, 7); /* all but the message */
    struct similar *similar = recent_use(&correlator->similar, key, now_ms, &is_new);
    *ret_combined = is_combined(similar, event->message, now_ms);
    if (!*ret_combined)
        recent_key(key, parts, 8);
    if (!object_may(correlator, about, now_ms))
        return NULL;
    struct observation *observation = recent_use(&correlator->observations, key, now_ms, &is_new);
    if (is_new) {
        observation->number = number_new(now_ms);
        observation->first_ms = now_ms;
    }
    observation->count++;
    return observation;
}
