// SPDX-License-Identifier: Apache-2.0
#include "cli/feed.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cluster/watch.h"

#include <stdlib.h>

enum { KINDS_MOST = 4 };

/* One kind's watch. */
struct source {
    struct feed *feed;
    const struct rollout_kind *kind;
    struct watch *watch;
    struct error trouble;
};

struct feed {
    struct found_list list;
    struct source sources[KINDS_MOST];
    size_t source_count;
    const struct feed_events *events;
    void *data;
};

static void on_put(void *data, json_t *object)
{
    const struct source *source = data;
    struct feed *feed = source->feed;
    const struct found found = {source->kind, object};
    found_list_put(&feed->list, found.kind, object);
    feed->events->on_put(feed->data, &found);
}

static void on_delete(void *data, json_t *object)
{
    const struct source *source = data;
    struct feed *feed = source->feed;
    const struct found found = {source->kind, object};
    found_list_remove(&feed->list, found.kind, object);
    feed->events->on_delete(feed->data, &found);
}

/* A kind that isn't there has no rollouts, and nothing is wrong. */
static void on_state(void *data, const struct error *err)
{
    static const struct error fine;
    struct source *source = data;
    source->trouble = err->code == ERR_MISSING ? fine : *err;
    source->feed->events->on_trouble(source->feed->data);
}

const struct error *feed_trouble(const struct feed *feed)
{
    const struct error *found = NULL;
    for (size_t i = 0; i < feed->source_count; i++) {
        const struct error *trouble = &feed->sources[i].trouble;
        if (trouble->code != OK && (!found || trouble->code == ERR_DENIED))
            found = trouble;
    }
    return found;
}

static void source_add(struct feed *feed, struct session *session, const struct rollout_kind *kind,
                       const char *selector)
{
    static const struct watch_events events = {
        .on_put = on_put, .on_delete = on_delete, .on_state = on_state};
    struct source *source = &feed->sources[feed->source_count++];
    char *path AUTO_FREE = object_path(&kind->info, session->ns, NULL, NULL);
    const struct watch_spec spec = {.path = path, .field_selector = selector};
    *source = (struct source){.feed = feed, .kind = kind};
    source->watch = watch_open(session->cluster, &spec, &events, source);
}

struct feed *feed_open_take(struct session *session, struct found_list *list, bool one,
                            const struct feed_events *events, void *data)
{
    struct feed *feed = mem_alloc(sizeof *feed);
    *feed = (struct feed){.list = *list, .events = events, .data = data};
    *list = (struct found_list){0};
    if (one) {
        const struct found *found = &feed->list.items[0];
        char *selector AUTO_FREE =
            str_format("metadata.name=%s", json_string_at(found->object, "/metadata/name"));
        source_add(feed, session, found->kind, selector);
        return feed;
    }
    for (const struct rollout_kind *kind = rollout_kinds; kind->info.kind; kind++)
        if (kind != feed->list.unread)
            source_add(feed, session, kind, NULL);
    return feed;
}

void feed_close(struct feed *feed)
{
    for (size_t i = 0; i < feed->source_count; i++)
        watch_close(feed->sources[i].watch);
    found_list_done(&feed->list);
    free(feed);
}

const struct found_list *feed_list(const struct feed *feed)
{
    return &feed->list;
}
