// SPDX-License-Identifier: Apache-2.0
#include "watch.h"

#include "base/alloc.h"
#include "base/json.h"
#include "object.h"
#include "read.h"
#include "select.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH_BYTES = 256 << 10, /* read from the log at once */
    BOOKMARK_MS = 60 * 1000,
    LEAST_S = 1800, /* of a watch that doesn't say how long it is to last, … */
    MORE_S = 1800,  /* … and at random up to this much longer */
};

struct watch {
    struct list link;
    struct sandbox *sandbox;
    const struct kind *kind; /* NULL: it is served no longer */
    char *prefix;            /* of the keys */
    struct selector *selector;
    struct view view;
    struct stream *stream;
    int64_t seen; /* the revision up to which all has been told */
    bool initial; /* what there is has to be told first, as added, … */
    bool marked;  /* … and then a bookmark that says that this was it */
    bool bookmarks, bookmark_due, ended;
    bool told;       /* anything yet */
    bool over;       /* a fault has ended it */
    char *agent;     /* who watches; NULL: it doesn't say */
    int64_t excused; /* the version about which faults have been asked */
    struct timer bookmark, end, late;
};

/* ── Events ───────────────────────────────────────────────────────────────────────────────── */

static void add_event(struct watch *watch, const char *type, const char *stored, struct text *out)
{
    text_addf(out, "{\"type\":\"%s\",\"object\":", type);
    view_event(watch->view, watch->kind, stored, !watch->told, out);
    text_puts(out, "}\n");
    watch->told = true;
}

static bool is_ours(const struct watch *watch, const struct entry *entry)
{
    return entry->collection == watch->kind->collection &&
           strncmp(entry->key, watch->prefix, strlen(watch->prefix)) == 0;
}

static bool is_selected(const struct watch *watch, const struct version *version)
{
    if (!version || version->change == CHANGE_DELETED)
        return false;
    if (!watch->selector)
        return true;
    json_t *object AUTO_JSON = object_of(watch->kind, version);
    return selector_matches(watch->selector, object);
}

/* An object that is selected no longer was deleted, as far as this watch can see: it is told as it
 * was last seen, with the version of the change. */
static void add_vanished(struct watch *watch, const struct version *version, struct text *out)
{
    json_t *object AUTO_JSON = object_of(watch->kind, version->older);
    json_put_take(object, "/metadata/resourceVersion",
                  json_sprintf("%lld", (long long)version->revision));
    json_object_del(object, "kind");
    json_object_del(object, "apiVersion");
    char *text AUTO_FREE = json_text(object);
    add_event(watch, "DELETED", text + 1, out);
}

static void add_version(struct watch *watch, const struct version *version, struct text *out)
{
    bool before = is_selected(watch, version->older), now = is_selected(watch, version);
    if (!is_ours(watch, version->entry))
        return;
    if (before && version->change == CHANGE_DELETED)
        add_event(watch, "DELETED", version->text, out);
    else if (before && !now)
        add_vanished(watch, version, out);
    else if (now)
        add_event(watch, before ? "MODIFIED" : "ADDED", version->text, out);
}

static void add_existing(struct watch *watch, struct text *out)
{
    struct collection *collection = watch->kind->collection;
    watch->initial = false;
    watch->seen = store_revision(watch->sandbox->store);
    for (size_t at = collection_after(collection, ""); at < collection_size(collection); at++) {
        const struct entry *entry = collection_at(collection, at);
        if (is_ours(watch, entry) && is_selected(watch, entry->newest))
            add_event(watch, "ADDED", entry->newest->text, out);
    }
}

static void add_bookmark(struct watch *watch, struct text *out)
{
    const char *end =
        watch->marked ? ",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}" : "";
    char *stored AUTO_FREE =
        str_format("\"metadata\":{\"resourceVersion\":\"%lld\"%s}}", (long long)watch->seen, end);
    text_addf(out, "{\"type\":\"BOOKMARK\",\"object\":%s%s}\n", watch->kind->head, stored);
    watch->bookmark_due = watch->marked = false;
}

static void add_expired(struct watch *watch, struct text *out)
{
    struct failure failure = {0};
    fail(&failure, 410, "Expired", "too old resource version: %lld (%lld)", (long long)watch->seen,
         (long long)store_horizon(watch->sandbox->store));
    json_t *status AUTO_JSON = failure_status(&failure);
    char *text AUTO_FREE = json_text(status);
    text_addf(out, "{\"type\":\"ERROR\",\"object\":%s}\n", text);
    failure_done(&failure);
}

/* ── Faults ───────────────────────────────────────────────────────────────────────────────── */

/* What is to go wrong with the telling of a version, once for each watch. */
static const struct fault *fault_of(struct watch *watch, const struct version *version)
{
    const char *key = version->entry->key, *slash = strchr(key, '/');
    char *ns AUTO_FREE = slash ? str_copy_n(key, (size_t)(slash - key)) : NULL;
    const struct fault_subject subject = {.resource = watch->kind->plural,
                                          .ns = ns,
                                          .name = slash ? slash + 1 : key,
                                          .agent = watch->agent};
    if (watch->excused == version->revision)
        return NULL;
    watch->excused = version->revision;
    return faults_pick(watch->sandbox->faults, FAULTS_OF_EVENTS, &subject);
}

static void on_late(void *data)
{
    struct watch *watch = data;
    stream_wake(watch->stream);
}

/* Adds `event` as the fault wants it. False: there is nothing more to read, for now or for good. */
static bool add_faulty(struct watch *watch, const struct fault *fault, const struct text *event,
                       struct text *out)
{
    if (fault->kind == FAULT_WATCH_LATE) {
        watch->seen--;
        timer_start(watch->sandbox->loop, &watch->late, fault->delay_ms, on_late, watch);
        return false;
    }
    if (fault->kind == FAULT_WATCH_TWICE) {
        text_add(out, event->at, event->len);
        text_add(out, event->at, event->len);
        return true;
    }
    watch->over = true;
    if (fault->kind == FAULT_WATCH_GONE) {
        add_expired(watch, out);
    } else {
        text_add(out, event->at, event->len / 2);
        stream_break(watch->stream);
    }
    return false;
}

/* The next version, if it is anything to this watch. False as above. */
static bool tell_next(struct watch *watch, struct text *out)
{
    const struct version *version = store_version(watch->sandbox->store, ++watch->seen);
    struct text event AUTO(text_done) = {0};
    bool told = watch->told;
    add_version(watch, version, &event);
    const struct fault *fault = event.len ? fault_of(watch, version) : NULL;
    if (fault) {
        watch->told = told || fault->kind == FAULT_WATCH_TWICE;
        return add_faulty(watch, fault, &event, out);
    }
    text_add(out, event.at, event.len);
    return true;
}

/* ── The stream ───────────────────────────────────────────────────────────────────────────── */

static bool on_read(void *data, struct text *out)
{
    struct watch *watch = data;
    const struct store *store = watch->sandbox->store;
    if (!watch->kind)
        return false;
    if (watch->initial)
        add_existing(watch, out);
    if (watch->seen < store_horizon(store)) {
        add_expired(watch, out);
        return false;
    }
    if (timer_running(&watch->late))
        return true;
    while (watch->seen < store_revision(store) && out->len < BATCH_BYTES)
        if (!tell_next(watch, out))
            return !watch->over;
    bool all = watch->seen == store_revision(store);
    if (all && (watch->marked || (watch->bookmarks && (watch->bookmark_due || watch->ended))))
        add_bookmark(watch, out);
    return !(all && watch->ended);
}

static void on_close(void *data)
{
    struct watch *watch = data;
    list_remove(&watch->link);
    timer_stop(watch->sandbox->loop, &watch->bookmark);
    timer_stop(watch->sandbox->loop, &watch->end);
    timer_stop(watch->sandbox->loop, &watch->late);
    free(watch->agent);
    selector_free(watch->selector);
    free(watch->prefix);
    free(watch);
}

static void on_bookmark(void *data)
{
    struct watch *watch = data;
    watch->bookmark_due = true;
    timer_start(watch->sandbox->loop, &watch->bookmark, BOOKMARK_MS, on_bookmark, watch);
    stream_wake(watch->stream);
}

static void on_end(void *data)
{
    struct watch *watch = data;
    watch->ended = true;
    stream_wake(watch->stream);
}

/* ── Opening ──────────────────────────────────────────────────────────────────────────────── */

static bool is_true(const char *text)
{
    return str_equal(text, "true") || str_equal(text, "1");
}

/* One object is selected by its name; the prefix alone would take longer names too. */
static int select_from(struct watch *watch, const struct target *target,
                       const struct request *request, struct failure *failure)
{
    const char *fields = request_query(request, "fieldSelector");
    char *name AUTO_FREE = target->name ? str_format("metadata.name=%s%s%s", target->name,
                                                     fields ? "," : "", fields ? fields : "")
                                        : NULL;
    watch->prefix = target->ns ? str_format("%s/", target->ns) : str_copy("");
    return selector_read(target->kind, request_query(request, "labelSelector"),
                         name ? name : fields, &watch->selector, failure);
}

static int watch_read(struct watch *watch, const struct target *target,
                      const struct request *request, struct failure *failure)
{
    int64_t revision = revision_read(request_query(request, "resourceVersion"), failure);
    bool everything = is_true(request_query(request, "sendInitialEvents"));
    if (revision < 0 || select_from(watch, target, request, failure) < 0)
        return -1;
    if (view_or_fail(request, &watch->view, failure) < 0)
        return -1;
    watch->kind = target->kind;
    watch->agent = str_copy(request_header(request, "User-Agent"));
    watch->seen = revision;
    watch->initial = revision == 0 || everything;
    watch->bookmarks = is_true(request_query(request, "allowWatchBookmarks"));
    watch->marked = everything && watch->bookmarks;
    return 0;
}

int watch_begin_stream(struct sandbox *sandbox, const struct target *target,
                       const struct request *request, struct answer *answer,
                       struct failure *failure)
{
    const char *timeout = request_query(request, "timeoutSeconds");
    int64_t seconds = timeout ? strtoll(timeout, NULL, 10) : 0;
    struct watch *watch = mem_alloc(sizeof *watch);
    list_init(&watch->link);
    watch->sandbox = sandbox;
    if (watch_read(watch, target, request, failure) < 0) {
        on_close(watch);
        return -1;
    }
    list_append(&sandbox->watches, &watch->link);
    answer->type = view_type(watch->view, false);
    watch->stream = answer_stream(answer, (struct stream_source){on_read, on_close, watch});
    if (watch->bookmarks)
        timer_start(sandbox->loop, &watch->bookmark, BOOKMARK_MS, on_bookmark, watch);
    if (seconds <= 0)
        seconds = LEAST_S + random() % MORE_S;
    timer_start(sandbox->loop, &watch->end, seconds * 1000, on_end, watch);
    return 0;
}

void watches_wake(struct sandbox *sandbox, const struct collection *collection)
{
    for (struct list *at = sandbox->watches.next; at != &sandbox->watches; at = at->next) {
        struct watch *watch = list_entry(at, struct watch, link);
        if (watch->kind && watch->kind->collection == collection)
            stream_wake(watch->stream);
    }
}

void watches_end(struct sandbox *sandbox, const struct kind *kind)
{
    for (struct list *at = sandbox->watches.next; at != &sandbox->watches; at = at->next) {
        struct watch *watch = list_entry(at, struct watch, link);
        if (watch->kind != kind)
            continue;
        watch->kind = NULL;
        stream_wake(watch->stream);
    }
}
