// SPDX-License-Identifier: Apache-2.0
#include "cluster/lease.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cluster/backoff.h"
#include "cluster/lease_object.h"

#include <stdlib.h>

struct lease {
    struct cluster *cluster;
    char *ns, *name, *identity;
    struct lease_terms terms;
    json_t *metadata; /* what it is made with; NULL: nothing */
    struct lease_events events;
    void *data;
    struct store *store;
    struct candidate candidate;
    json_t *spec; /* of the record that was seen last; NULL: none */
    struct timer next;
    struct call *call;
    int64_t asked_ms; /* when it was sent */
    int state;        /* as on_state was told */
    struct error trouble;
    bool over; /* released or lost */
    bool released;
};

static void lease_look(void *data);

/* ── What is seen ─────────────────────────────────────────────────────────────────────────── */

static void tell_holder(struct lease *lease, const char *before)
{
    const char *holder = json_string_at(lease->spec, "/holderIdentity");
    const struct candidate *candidate = &lease->candidate;
    if (!candidate->vacant && !candidate->ours && !candidate->renewed_ms &&
        !str_equal(holder, before))
        lease->events.on_other(lease->data, holder);
}

/* Only the record counts: a label that somebody puts on the Lease renews nothing. */
static void record_see(struct lease *lease, const json_t *object)
{
    struct candidate *candidate = &lease->candidate;
    const json_t *spec = json_object_get(object, "spec");
    candidate->exists = true;
    if (lease->spec && json_equal(spec, lease->spec))
        return;
    json_t *before AUTO_JSON = lease->spec;
    lease->spec = json_deep_copy(spec);
    const char *holder = json_string_at(spec, "/holderIdentity");
    candidate->vacant = !holder || !*holder;
    candidate->ours = str_equal(holder, lease->identity);
    candidate->counts_ms = json_int_at(spec, "/leaseDurationSeconds", 0) * 1000;
    candidate->observed_ms = clock_boot_ms();
    candidate->tried_ms = candidate->renewed_ms ? candidate->tried_ms : 0;
    tell_holder(lease, json_string_at(before, "/holderIdentity"));
}

static void record_gone(struct lease *lease)
{
    json_decref(lease->spec);
    lease->spec = NULL;
    lease->candidate.exists = lease->candidate.ours = false;
}

static void tell_state(struct lease *lease, const struct error *err)
{
    if (lease->state == err->code)
        return;
    lease->state = err->code;
    lease->events.on_state(lease->data, err);
}

static void on_change(void *data, const char *ns, const char *name, const json_t *object,
                      bool deleted)
{
    struct lease *lease = data;
    (void)ns;
    (void)name;
    if (deleted)
        record_gone(lease);
    else
        record_see(lease, object);
    lease_look(lease);
}

static void on_synced(void *data)
{
    struct lease *lease = data;
    lease->candidate.known = true;
    lease_look(lease);
}

static void on_state(void *data, const struct error *err)
{
    tell_state(data, err);
}

/* ── What is asked ────────────────────────────────────────────────────────────────────────── */

static json_t *record_new(const struct lease *lease, bool ours)
{
    const struct lease_record record = {
        .holder = lease->identity,
        .acquired = ours ? json_string_at(lease->spec, "/acquireTime") : NULL,
        .duration_ms = lease->terms.duration_ms,
        .transitions =
            json_int_at(lease->spec, "/leaseTransitions", 0) + (lease->spec && !ours ? 1 : 0),
    };
    return lease_record_new(&record);
}

/* As client-go does: whoever takes it next goes on from these transitions. */
static json_t *record_given_away(const struct lease *lease)
{
    const struct lease_record record = {
        .holder = "",
        .duration_ms = 1000,
        .transitions = json_int_at(lease->spec, "/leaseTransitions", 0),
    };
    return lease_record_new(&record);
}

/* The object about which something is asked now. */
static struct lease_object ask_about(struct lease *lease)
{
    lease->candidate.asking = true;
    lease->candidate.tried_ms = lease->asked_ms = clock_boot_ms();
    return (struct lease_object){.cluster = lease->cluster,
                                 .store = lease->store,
                                 .ns = lease->ns,
                                 .name = lease->name,
                                 .renew_ms = lease->terms.renew_ms};
}

static void ask_read(struct lease *lease, reply_fn *on_reply)
{
    const struct lease_object object = ask_about(lease);
    lease->call = lease_object_read(&object, on_reply, lease);
}

static void ask_patch(struct lease *lease, json_t *record_take, reply_fn *on_reply)
{
    const struct lease_object object = ask_about(lease);
    lease->call = lease_object_patch(&object, record_take, on_reply, lease);
}

static void ask_create(struct lease *lease, reply_fn *on_reply)
{
    const struct lease_object object = ask_about(lease);
    lease->call =
        lease_object_create(&object, lease->metadata, record_new(lease, false), on_reply, lease);
}

/* ── What comes of it ─────────────────────────────────────────────────────────────────────── */

static void answered(struct lease *lease)
{
    lease->call = NULL;
    lease->candidate.asking = false;
}

static void take_object(struct lease *lease, const json_t *object)
{
    store_put(lease->store, object);
    json_t *latest AUTO_JSON = store_get(lease->store, lease->ns, lease->name);
    if (latest)
        record_see(lease, latest);
}

static void on_read(void *data, const struct reply *reply)
{
    struct lease *lease = data;
    answered(lease);
    if (reply->error.code == OK) {
        take_object(lease, reply->body);
        lease->candidate.tried_ms = 0;
    }
    lease_look(lease);
}

static void lease_won(struct lease *lease)
{
    bool first = !lease->candidate.renewed_ms;
    lease->candidate.renewed_ms = lease->asked_ms;
    cluster_fence(lease->cluster, lease->asked_ms + lease->terms.renew_ms,
                  lease->asked_ms + lease->terms.duration_ms);
    if (first)
        lease->events.on_held(lease->data);
}

static void on_reply(void *data, const struct reply *reply)
{
    struct lease *lease = data;
    answered(lease);
    lease->trouble = reply->error;
    if (reply->error.code == ERR_CONFLICT) {
        ask_read(lease, on_read);
        return;
    }
    if (reply->error.code == OK) {
        take_object(lease, reply->body);
        if (lease->candidate.ours)
            lease_won(lease);
    }
    tell_state(lease, &reply->error);
    lease_look(lease);
}

static void lease_end(struct lease *lease)
{
    lease->over = true;
    cluster_fence(lease->cluster, 0, 0);
    timer_stop(cluster_loop(lease->cluster), &lease->next);
    call_cancel(lease->call);
    answered(lease);
}

static void lease_lose(struct lease *lease)
{
    const char *holder = json_string_at(lease->spec, "/holderIdentity");
    struct error why = {0};
    lease_end(lease);
    if (lease->candidate.exists && !lease->candidate.ours)
        error_set(&why, ERR_CONFLICT, "the Lease %s/%s is held by \"%s\"", lease->ns, lease->name,
                  holder ? holder : "");
    else
        error_set(&why, ERR_RETRY, "the Lease %s/%s wasn't renewed for %lld s%s%s", lease->ns,
                  lease->name, (long long)((clock_boot_ms() - lease->candidate.renewed_ms) / 1000),
                  *lease->trouble.text ? ": " : "", lease->trouble.text);
    lease->events.on_lost(lease->data, &why);
}

/* Candidates that wait for the same moment don't all come at once. */
static void look_after(struct lease *lease, int64_t wait_ms)
{
    if (!lease->candidate.renewed_ms)
        wait_ms += random_below(lease->terms.retry_ms / 4 + 1);
    timer_start(cluster_loop(lease->cluster), &lease->next, wait_ms, lease_look, lease);
}

static void lease_look(void *data)
{
    struct lease *lease = data;
    int64_t wait_ms = 0;
    if (lease->over)
        return;
    switch (election_next(&lease->candidate, &lease->terms, clock_boot_ms(), &wait_ms)) {
    case ELECTION_CREATE:
        ask_create(lease, on_reply);
        break;
    case ELECTION_TAKE:
    case ELECTION_RENEW:
        ask_patch(lease, record_new(lease, lease->candidate.ours), on_reply);
        break;
    case ELECTION_LOST:
        lease_lose(lease);
        return;
    case ELECTION_WAIT:
        look_after(lease, wait_ms);
        return;
    }
    lease_look(lease); /* which is to wait, now that something is asked */
}

/* ── Its life ─────────────────────────────────────────────────────────────────────────────── */

struct lease *lease_open(struct cluster *cluster, const struct lease_spec *spec,
                         const struct lease_events *events, void *data)
{
    static const char *const keep[] = {"/spec"};
    const struct store_events told = {
        .on_change = on_change, .on_synced = on_synced, .on_state = on_state};
    struct lease *lease = mem_alloc(sizeof *lease);
    lease->cluster = cluster;
    lease->ns = str_copy(spec->ns);
    lease->name = str_copy(spec->name);
    lease->identity = str_copy(spec->identity);
    lease->terms = spec->terms;
    lease->metadata = spec->metadata ? json_deep_copy(spec->metadata) : NULL;
    lease->events = *events;
    lease->data = data;
    char *path AUTO_FREE = leases_path(spec->ns);
    char *selector AUTO_FREE = str_format("metadata.name=%s", spec->name);
    const struct watch_spec watch = {
        .path = path, .field_selector = selector, .keep = keep, .keep_count = 1};
    cluster_fence(cluster, 0, 0);
    lease->store = store_open(cluster, &watch, &told, lease);
    return lease;
}

bool lease_is_held(const struct lease *lease)
{
    return lease->candidate.renewed_ms && !lease->over;
}

static void on_released(void *data, const struct reply *reply);

/* The last renewal was still under way, or somebody has put a label on it: once more. */
static void on_read_again(void *data, const struct reply *reply)
{
    struct lease *lease = data;
    answered(lease);
    if (reply->error.code == OK)
        take_object(lease, reply->body);
    if (reply->error.code == OK && lease->candidate.ours)
        ask_patch(lease, record_given_away(lease), on_released);
    else
        lease->released = true;
}

static void on_released(void *data, const struct reply *reply)
{
    struct lease *lease = data;
    answered(lease);
    lease->trouble = reply->error;
    if (reply->error.code == ERR_CONFLICT)
        ask_read(lease, on_read_again);
    else
        lease->released = true;
}

int lease_release(struct lease *lease, int64_t timeout_ms, struct error *err)
{
    bool held = lease_is_held(lease) && lease->candidate.exists;
    lease_end(lease);
    if (!held)
        return OK;
    ask_patch(lease, record_given_away(lease), on_released);
    int code = loop_run_until(cluster_loop(lease->cluster), &lease->released, timeout_ms, err);
    if (code == OK && lease->released && lease->trouble.code < 0) {
        *err = lease->trouble;
        code = err->code;
    }
    return code;
}

void lease_close(struct lease *lease)
{
    if (!lease)
        return;
    lease_end(lease);
    store_close(lease->store);
    json_decref(lease->spec);
    json_decref(lease->metadata);
    free(lease->ns);
    free(lease->name);
    free(lease->identity);
    free(lease);
}
