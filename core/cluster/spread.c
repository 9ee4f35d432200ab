// SPDX-License-Identifier: Apache-2.0
#include "cluster/spread.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "cluster/lease_object.h"
#include "cluster/shards.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_SPREAD "rollout.sluice.dev/spread"
#define MARK_SHARDS  "rollout.sluice.dev/shards"
#define POINTER      "/metadata/annotations/rollout.sluice.dev~1shards"

enum { FORGOTTEN = 2 }; /* a dead member's Lease is removed after so many times of its length */

/* A record in a Lease, as it was seen to change last. */
struct record {
    json_t *spec;
    bool exists;
    int64_t observed_ms, counts_ms; /* clock_boot_ms(), and for how long from then on */
};

struct member {
    struct record record;
    unsigned shards; /* as it counts them */
};

struct shard {
    struct spread *spread;
    unsigned number;
    char *name; /* of its Lease */
    struct record record;
    enum { SHARD_AWAY, SHARD_TAKING, SHARD_OURS, SHARD_LEAVING, SHARD_GIVING } state;
    struct call *call;
};

struct spread {
    struct cluster *cluster;
    char *ns, *name, *identity, *own_name;
    struct lease_terms terms;
    unsigned count;
    struct spread_events events;
    void *data;
    struct lease *own;
    struct store *leases;
    struct map members; /* name of the Lease → struct member */
    struct shard *shards;
    struct timer look;
    struct call *sweep;
    bool strangers; /* who count shards in another way */
    bool over;
};

static void look_soon(struct spread *spread);

/* Of the Lease by which somebody is a member. The caller frees it. */
static char *member_name(const char *spread_name, const char *identity)
{
    char hex[HASH_HEX_SIZE];
    hash_sha256(identity, strlen(identity), hex);
    return str_format("%s-member-%.16s", spread_name, hex);
}

/* ── What is seen ─────────────────────────────────────────────────────────────────────────── */

static const char *record_holder(const struct record *record)
{
    const char *holder = json_string_at(record->spec, "/holderIdentity");
    return holder ? holder : "";
}

static void record_see(struct record *record, const json_t *object)
{
    const json_t *spec = json_object_get(object, "spec");
    record->exists = true;
    if (record->spec && json_equal(spec, record->spec))
        return;
    json_decref(record->spec);
    record->spec = json_deep_copy(spec);
    record->counts_ms = json_int_at(spec, "/leaseDurationSeconds", 0) * 1000;
    record->observed_ms = clock_boot_ms();
}

/* Whoever it names may not know yet. */
static void record_gone(struct record *record)
{
    record->exists = false;
    record->observed_ms = clock_boot_ms();
}

static bool record_counts(const struct record *record, int64_t now_ms)
{
    return record->spec && *record_holder(record) &&
           now_ms < record->observed_ms + record->counts_ms;
}

static void member_free(void *value)
{
    struct member *member = value;
    json_decref(member->record.spec);
    free(member);
}

static struct shard *shard_named(const struct spread *spread, const char *name)
{
    for (unsigned i = 0; i < spread->count; i++)
        if (str_equal(spread->shards[i].name, name))
            return &spread->shards[i];
    return NULL;
}

static void member_see(struct spread *spread, const char *name, const json_t *object, bool deleted)
{
    struct member *member = map_get(&spread->members, name);
    const char *shards = json_string_at(object, POINTER);
    if (deleted && member)
        record_gone(&member->record);
    if (deleted || !shards)
        return;
    if (!member) {
        member = mem_alloc(sizeof *member);
        map_put(&spread->members, name, member);
    }
    member->shards = (unsigned)strtoul(shards, NULL, 10);
    record_see(&member->record, object);
}

static void on_change(void *data, const char *ns, const char *name, const json_t *object,
                      bool deleted)
{
    struct spread *spread = data;
    struct shard *shard = shard_named(spread, name);
    (void)ns;
    if (!shard)
        member_see(spread, name, object, deleted);
    else if (deleted)
        record_gone(&shard->record);
    else
        record_see(&shard->record, object);
    look_soon(spread);
}

static void on_synced(void *data)
{
    look_soon(data);
}

static void on_leases_state(void *data, const struct error *err)
{
    struct spread *spread = data;
    spread->events.on_state(spread->data, err);
}

/* ── Who there is ─────────────────────────────────────────────────────────────────────────── */

/* Does it know of every member that has begun before it? The API server tells of them in order, so
 * it does once it was told of itself. */
static bool knows_itself(const struct spread *spread)
{
    return lease_is_held(spread->own) && store_synced(spread->leases) &&
           map_get(&spread->members, spread->own_name);
}

/* Who acts, or may: of those who count shards as we do, or of the others. */
static size_t members_alive(const struct spread *spread, bool like_us, const char **ret_names)
{
    size_t found = 0, cursor = 0;
    const struct map_entry *entry;
    int64_t now_ms = clock_boot_ms();
    while ((entry = map_next(&spread->members, &cursor))) {
        const struct member *member = entry->value;
        bool own = str_equal(entry->key, spread->own_name);
        bool alive = own || record_counts(&member->record, now_ms);
        if (alive && (member->shards == spread->count) == like_us)
            ret_names[found++] = entry->key;
    }
    return found;
}

/* A shard is its holder's as long as he is a member, or may believe it. Of one whose own Lease
 * isn't known only the shard's tells. */
static bool holder_counts(const struct spread *spread, const struct record *record)
{
    int64_t now_ms = clock_boot_ms();
    if (!*record_holder(record))
        return false;
    char *name AUTO_FREE = member_name(spread->name, record_holder(record));
    const struct member *member = map_get(&spread->members, name);
    return record_counts(member ? &member->record : record, now_ms);
}

/* ── What is asked ────────────────────────────────────────────────────────────────────────── */

static json_t *shard_record(const struct shard *shard, const char *holder)
{
    int64_t transitions = json_int_at(shard->record.spec, "/leaseTransitions", 0);
    const struct lease_record record = {
        .holder = holder,
        .duration_ms = shard->spread->terms.duration_ms,
        .transitions = transitions + (shard->record.spec && *holder ? 1 : 0),
    };
    return lease_record_new(&record);
}

static struct lease_object lease_object_of(const struct spread *spread, const char *name)
{
    return (struct lease_object){.cluster = spread->cluster,
                                 .store = spread->leases,
                                 .ns = spread->ns,
                                 .name = name,
                                 .renew_ms = spread->terms.renew_ms};
}

static void shard_write(struct shard *shard, const char *holder, reply_fn *on_reply)
{
    const struct spread *spread = shard->spread;
    const struct lease_object object = lease_object_of(spread, shard->name);
    json_t *known AUTO_JSON = store_get(spread->leases, spread->ns, shard->name);
    json_t *record = shard_record(shard, holder);
    if (known) {
        shard->call = lease_object_patch(&object, record, on_reply, shard);
        return;
    }
    json_t *metadata AUTO_JSON = json_pack("{s:{s:s}}", "labels", LABEL_SPREAD, spread->name);
    shard->call = lease_object_create(&object, metadata, record, on_reply, shard);
}

static void shard_learn(struct shard *shard, const struct reply *reply)
{
    shard->call = NULL;
    if (reply->error.code == OK) {
        store_put(shard->spread->leases, reply->body);
        record_see(&shard->record, reply->body);
        look_soon(shard->spread);
    } /* or at the next look, which is soon enough for what has failed */
}

/* ── Taking and giving ────────────────────────────────────────────────────────────────────── */

static bool names_us(const struct shard *shard)
{
    return str_equal(record_holder(&shard->record), shard->spread->identity);
}

static void shard_enter(struct shard *shard)
{
    struct spread *spread = shard->spread;
    shard->state = SHARD_OURS;
    cluster_shard_open(spread->cluster, shard->number, true);
    spread->events.on_take(spread->data, shard->number);
}

/* What the Lease says now counts, whatever was answered. */
static void on_taken(void *data, const struct reply *reply)
{
    struct shard *shard = data;
    shard->state = SHARD_AWAY;
    shard_learn(shard, reply);
}

static void on_put_back(void *data, const struct reply *reply)
{
    shard_learn(data, reply);
}

static void on_given(void *data, const struct reply *reply)
{
    struct shard *shard = data;
    shard_learn(shard, reply);
    shard->state = reply->error.code == OK ? SHARD_AWAY : SHARD_LEAVING; /* once more */
}

/* What has left is answered first; nothing new leaves. */
static void shard_leave(struct shard *shard)
{
    cluster_shard_open(shard->spread->cluster, shard->number, false);
    shard->state = SHARD_LEAVING;
}

static void shard_give(struct shard *shard)
{
    struct spread *spread = shard->spread;
    if (cluster_shard_writes(spread->cluster, shard->number) || shard->call)
        return;
    spread->events.on_leave(spread->data, shard->number);
    shard->state = names_us(shard) ? SHARD_GIVING : SHARD_AWAY; /* where the answer was lost */
    if (shard->state == SHARD_GIVING)
        shard_write(shard, "", on_given);
}

static void spread_lose(struct spread *spread, const struct error *why)
{
    spread->over = true;
    cluster_fence(spread->cluster, 0, 0);
    timer_stop(cluster_loop(spread->cluster), &spread->look);
    spread->events.on_lost(spread->data, why);
}

/* Somebody has written himself into what is ours: it can't be told what he does. */
static void shard_lose(struct shard *shard)
{
    struct error why = {0};
    error_set(&why, ERR_CONFLICT, "the Lease %s/%s is held by \"%s\"", shard->spread->ns,
              shard->name, record_holder(&shard->record));
    spread_lose(shard->spread, &why);
}

static void shard_look(struct shard *shard, bool wanted)
{
    struct spread *spread = shard->spread;
    switch (shard->state) {
    case SHARD_AWAY:
        if (names_us(shard) && shard->record.exists)
            wanted ? shard_enter(shard) : shard_leave(shard);
        else if (wanted && !shard->call && !holder_counts(spread, &shard->record)) {
            shard->state = SHARD_TAKING;
            shard_write(shard, spread->identity, on_taken);
        }
        break;
    case SHARD_OURS:
        if (!names_us(shard))
            shard_lose(shard);
        else if (!wanted)
            shard_leave(shard);
        else if (!shard->record.exists && !shard->call)
            shard_write(shard, spread->identity, on_put_back);
        break;
    case SHARD_LEAVING:
        shard_give(shard);
        break;
    case SHARD_TAKING:
    case SHARD_GIVING:
        break;
    }
}

/* ── Looking ──────────────────────────────────────────────────────────────────────────────── */

/* Members that have been dead for long, one at a time. */
static const char *member_to_sweep(const struct spread *spread)
{
    size_t cursor = 0;
    const struct map_entry *entry;
    int64_t dead_ms = clock_boot_ms() - FORGOTTEN * spread->terms.duration_ms;
    while ((entry = map_next(&spread->members, &cursor))) {
        const struct record *record = &((const struct member *)entry->value)->record;
        if (!str_equal(entry->key, spread->own_name) &&
            record->observed_ms + record->counts_ms < dead_ms)
            return entry->key;
    }
    return NULL;
}

static void on_swept(void *data, const struct reply *reply)
{
    struct spread *spread = data;
    (void)reply; /* if it is still there, it is tried again */
    spread->sweep = NULL;
}

static void sweep(struct spread *spread)
{
    const char *name = spread->sweep ? NULL : member_to_sweep(spread);
    if (!name)
        return;
    json_t *known AUTO_JSON = store_get(spread->leases, spread->ns, name);
    if (!known) {
        member_free(map_remove(&spread->members, name));
        return;
    }
    const struct lease_object object = lease_object_of(spread, name);
    spread->sweep = lease_object_delete(&object, on_swept, spread);
}

static void tell_strangers(struct spread *spread, bool there)
{
    struct error err = {0};
    if (there)
        error_set(&err, ERR_CONFLICT,
                  "another member doesn't count %u shards, as this one does: no shard is taken "
                  "before it has gone",
                  spread->count);
    spread->events.on_state(spread->data, &err);
}

static void look(void *data);

static void look_after(struct spread *spread, int64_t wait_ms)
{
    timer_start(cluster_loop(spread->cluster), &spread->look, wait_ms, look, spread);
}

static void look_soon(struct spread *spread)
{
    if (!spread->over)
        look_after(spread, 0);
}

static void look_at_shards(struct spread *spread)
{
    size_t most = spread->members.count;
    const char **names AUTO_FREE = mem_alloc(most * sizeof *names);
    size_t *assigned AUTO_FREE = mem_alloc(spread->count * sizeof *assigned);
    bool strangers = members_alive(spread, false, names) > 0;
    size_t alive = members_alive(spread, true, names);
    if (strangers != spread->strangers)
        tell_strangers(spread, strangers);
    spread->strangers = strangers;
    shards_assign(names, alive, spread->count, assigned);
    for (unsigned i = 0; i < spread->count && !spread->over; i++) {
        struct shard *shard = &spread->shards[i];
        bool wanted = str_equal(names[assigned[i]], spread->own_name);
        if (!strangers || shard->state != SHARD_AWAY)
            shard_look(shard, wanted);
    }
}

/* Others' Leases run out without a word, so it looks every now and then as well. */
static void look(void *data)
{
    struct spread *spread = data;
    if (knows_itself(spread)) {
        look_at_shards(spread);
        if (!spread->over)
            sweep(spread);
    }
    if (!spread->over && !timer_running(&spread->look))
        look_after(spread, spread->terms.retry_ms);
}

/* ── Its life ─────────────────────────────────────────────────────────────────────────────── */

static void on_own_held(void *data)
{
    look_soon(data);
}

static void on_own_lost(void *data, const struct error *why)
{
    spread_lose(data, why);
}

/* Nobody else has this identity. */
static void on_own_other(void *data, const char *holder)
{
    (void)data;
    (void)holder;
}

static void on_quiet(void *data)
{
    look_soon(data);
}

static void open_shards(struct spread *spread)
{
    spread->shards = mem_alloc(spread->count * sizeof *spread->shards);
    for (unsigned i = 0; i < spread->count; i++) {
        struct shard *shard = &spread->shards[i];
        shard->spread = spread;
        shard->number = i;
        shard->name = str_format("%s-shard-%u-of-%u", spread->name, i, spread->count);
    }
}

static void open_leases(struct spread *spread)
{
    static const char *const keep[] = {"/spec", POINTER};
    const struct store_events told = {
        .on_change = on_change, .on_synced = on_synced, .on_state = on_leases_state};
    char *path AUTO_FREE = leases_path(spread->ns);
    char *selector AUTO_FREE = str_format(LABEL_SPREAD "=%s", spread->name);
    const struct watch_spec watch = {.path = path,
                                     .label_selector = selector,
                                     .keep = keep,
                                     .keep_count = sizeof keep / sizeof *keep};
    spread->leases = store_open(spread->cluster, &watch, &told, spread);
}

static void become_member(struct spread *spread)
{
    static const struct lease_events told = {.on_held = on_own_held,
                                             .on_lost = on_own_lost,
                                             .on_other = on_own_other,
                                             .on_state = on_leases_state};
    char count[16];
    snprintf(count, sizeof count, "%u", spread->count);
    json_t *metadata AUTO_JSON = json_pack("{s:{s:s}, s:{s:s}}", "labels", LABEL_SPREAD,
                                           spread->name, "annotations", MARK_SHARDS, count);
    const struct lease_spec spec = {.ns = spread->ns,
                                    .name = spread->own_name,
                                    .identity = spread->identity,
                                    .terms = spread->terms,
                                    .metadata = metadata};
    spread->own = lease_open(spread->cluster, &spec, &told, spread);
}

struct spread *spread_open(struct cluster *cluster, const struct spread_spec *spec,
                           const struct spread_events *events, void *data)
{
    struct spread *spread = mem_alloc(sizeof *spread);
    spread->cluster = cluster;
    spread->ns = str_copy(spec->lease.ns);
    spread->name = str_copy(spec->lease.name);
    spread->identity = str_copy(spec->lease.identity);
    spread->own_name = member_name(spread->name, spread->identity);
    spread->terms = spec->lease.terms;
    spread->count = spec->shards;
    spread->events = *events;
    spread->data = data;
    cluster_spread(cluster, spread->count, on_quiet, spread);
    open_shards(spread);
    open_leases(spread);
    become_member(spread);
    return spread;
}

unsigned spread_shards_held(const struct spread *spread)
{
    unsigned held = 0;
    for (unsigned i = 0; i < spread->count; i++)
        held += spread->shards[i].state == SHARD_OURS;
    return spread->over ? 0 : held;
}

static void spread_end(struct spread *spread)
{
    spread->over = true;
    timer_stop(cluster_loop(spread->cluster), &spread->look);
    for (unsigned i = 0; i < spread->count; i++) {
        call_cancel(spread->shards[i].call);
        spread->shards[i].call = NULL;
    }
    call_cancel(spread->sweep);
    spread->sweep = NULL;
}

int spread_release(struct spread *spread, int64_t timeout_ms, struct error *err)
{
    spread_end(spread);
    return lease_release(spread->own, timeout_ms, err);
}

void spread_close(struct spread *spread)
{
    if (!spread)
        return;
    spread_end(spread);
    lease_close(spread->own);
    store_close(spread->leases);
    map_done(&spread->members, member_free);
    for (unsigned i = 0; i < spread->count; i++) {
        free(spread->shards[i].name);
        json_decref(spread->shards[i].record.spec);
    }
    free(spread->shards);
    free(spread->ns);
    free(spread->name);
    free(spread->identity);
    free(spread->own_name);
    free(spread);
}
