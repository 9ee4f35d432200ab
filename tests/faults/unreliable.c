// SPDX-License-Identifier: Apache-2.0
#include "unreliable.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LATE_MS = 4000, LATE_DEAD_MS = 300, LOST_MS = 8000 };

const char *const fault_names[FAULTS] = {"none", "delayed",      "answered late",
                                         "lost", "answers lost", "refused",
                                         "cut",  "duplicated",   "stale"};
const char *const plant_names[PLANTS] = {"nothing", "skip", "hurt", "back", "lose", "stands"};

struct carried {
    struct list link;
    struct unreliable *unreliable;
    const struct carried_events *events; /* NULL: nobody waits for it */
    void *data;
    char *method, *path, *body, *content_type, *accept, *user_agent;
    enum fault fault;
    struct carried *inner; /* on its way there; of the carrier inside */
    struct text answer;    /* so far */
    int status;
    bool watches, lists, writes, ended, begun;
    int64_t cut_after; /* bytes of it; -1: it isn't cut */
    size_t told;       /* bytes that have been handed on */
    struct timer turn;
};

void unreliable_init(struct unreliable *unreliable, struct loop *loop, struct carrier inner,
                     struct random *random)
{
    *unreliable = (struct unreliable){.loop = loop, .inner = inner, .random = random};
    list_init(&unreliable->under_way);
}

static void carried_free(struct carried *carried)
{
    struct unreliable *unreliable = carried->unreliable;
    list_remove(&carried->link);
    timer_stop(unreliable->loop, &carried->turn);
    if (carried->inner)
        unreliable->inner.stop(carried->inner);
    free(carried->method);
    free(carried->path);
    free(carried->body);
    free(carried->content_type);
    free(carried->accept);
    free(carried->user_agent);
    text_done(&carried->answer);
    free(carried);
}

void unreliable_done(struct unreliable *unreliable)
{
    while (!list_empty(&unreliable->under_way))
        carried_free(list_entry(unreliable->under_way.next, struct carried, link));
    map_done(&unreliable->lists, free);
}

/* ── Answers ──────────────────────────────────────────────────────────────────────────────── */

static bool is_heard(const struct carried *carried)
{
    return carried->events && !carried->unreliable->dead;
}

static void tell_end(struct carried *carried, int status)
{
    const struct carried_events *events = is_heard(carried) ? carried->events : NULL;
    void *data = carried->data;
    if (carried->unreliable->verbose)
        printf("%13s  %d to %s %s\n", "", status, carried->method, carried->path);
    if (carried->unreliable->dead && carried->events) {
        carried->ended = true; /* whoever waits still has a hand on it */
        return;
    }
    carried_free(carried);
    if (events)
        events->on_end(data, &(struct carried_end){.status = status});
}

static void tell_some(struct carried *carried, const char *bytes, size_t count)
{
    if (is_heard(carried))
        carried->events->on_some(carried->data, carried->status, bytes, count);
}

/* The last line that has come completely ends here. */
static size_t whole_lines(const struct text *text, size_t from)
{
    size_t end = from;
    for (size_t i = from; i < text->len; i++)
        if (text->at[i] == '\n')
            end = i + 1;
    return end;
}

/* A stream's events, each of them twice now and then. */
static void tell_events(struct carried *carried)
{
    size_t end = whole_lines(&carried->answer, carried->told);
    while (carried->told < end && is_heard(carried)) {
        const char *line = carried->answer.at + carried->told;
        size_t length = strcspn(line, "\n") + 1;
        carried->told += length;
        tell_some(carried, line, length);
        if (random_chance(carried->unreliable->random, 30))
            tell_some(carried, line, length);
    }
}

/* True when that was the end. */
static bool tell_until_cut(struct carried *carried)
{
    size_t limit = (size_t)carried->cut_after;
    size_t end = carried->answer.len < limit ? carried->answer.len : limit;
    tell_some(carried, carried->answer.at + carried->told, end - carried->told);
    carried->told = end;
    if (end < limit && !carried->ended)
        return false;
    tell_end(carried, 0);
    return true;
}

static void tell_rest(struct carried *carried)
{
    size_t from = carried->told;
    carried->told = carried->answer.len;
    tell_some(carried, carried->answer.at ? carried->answer.at + from : "", carried->told - from);
}

static void on_turn_to_tell(void *data)
{
    struct carried *carried = data;
    if (carried->fault == FAULT_CUT) {
        if (tell_until_cut(carried))
            return;
    } else if (carried->fault == FAULT_DUPLICATE && carried->watches && carried->status == 200) {
        tell_events(carried);
    } else {
        tell_rest(carried);
    }
    if (carried->ended)
        tell_end(carried, carried->fault == FAULT_LOSE_ANSWER ? 0 : carried->status);
}

static void tell_soon(struct carried *carried)
{
    bool late = carried->fault == FAULT_DELAY_ANSWER;
    int64_t wait = late ? random_int(carried->unreliable->random, 1, LATE_MS) : 0;
    if (!timer_running(&carried->turn))
        timer_start(carried->unreliable->loop, &carried->turn, wait, on_turn_to_tell, carried);
}

static void on_turn_to_send(void *data);

/* ── A bug in the controller's name ───────────────────────────────────────────────────────── */

static void send_anyway(struct unreliable *unreliable, const char *method, const char *path,
                        const char *body)
{
    struct carried *carried = mem_alloc(sizeof *carried);
    carried->unreliable = unreliable;
    carried->method = str_copy(method);
    carried->path = str_copy(path);
    carried->body = str_copy(body);
    carried->content_type = str_copy("application/merge-patch+json");
    carried->accept = str_copy("application/json");
    carried->user_agent = str_copy("sluice");
    carried->cut_after = -1;
    list_append(&unreliable->under_way, &carried->link);
    timer_start(unreliable->loop, &carried->turn, 0, on_turn_to_send, carried);
}

static const char *skipping_patch(const char *path)
{
    if (strstr(path, "/deployments/"))
        return "{\"spec\":{\"paused\":false,\"minReadySeconds\":0,\"strategy\":"
               "{\"rollingUpdate\":{\"maxSurge\":\"100%\"}}}}";
    if (strstr(path, "/statefulsets/"))
        return "{\"spec\":{\"updateStrategy\":{\"rollingUpdate\":{\"partition\":0}}}}";
    return "{\"spec\":{\"updateStrategy\":{\"partition\":0}}}";
}

static const char *hurting_patch(const char *path)
{
    if (strstr(path, "/deployments/"))
        return "{\"spec\":{\"paused\":false,\"strategy\":{\"rollingUpdate\":"
               "{\"maxSurge\":0,\"maxUnavailable\":\"100%\"}}}}";
    return skipping_patch(path);
}

/* Beside each of its own patches of a workload the controller makes one that it shouldn't. */
static void plant_beside(struct carried *carried)
{
    struct unreliable *unreliable = carried->unreliable;
    if (!str_equal(carried->method, "PATCH") || !carried->events ||
        !strstr(carried->path, "/web?fieldManager=sluice"))
        return;
    unreliable->planted++;
    if (unreliable->plant == PLANT_SKIP)
        send_anyway(unreliable, "PATCH", carried->path, skipping_patch(carried->path));
    if (unreliable->plant == PLANT_HURT)
        send_anyway(unreliable, "PATCH", carried->path, hurting_patch(carried->path));
    if (unreliable->plant == PLANT_BACK && unreliable->planted % 4 == 0)
        send_anyway(unreliable, "PATCH", carried->path,
                    "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"web\","
                    "\"image\":\"web:v1\"}]}}}}");
    if (unreliable->plant == PLANT_LOSE)
        send_anyway(unreliable, "DELETE",
                    "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts/web", NULL);
}

/* ── What comes from inside ───────────────────────────────────────────────────────────────── */

static char *list_key(const struct carried *carried)
{
    return str_format("%s %s", carried->accept, carried->path);
}

static void remember_list(struct carried *carried)
{
    char *key AUTO_FREE = list_key(carried);
    if (!map_get(&carried->unreliable->lists, key) ||
        random_chance(carried->unreliable->random, 30))
        free(map_put(&carried->unreliable->lists, key, str_copy(carried->answer.at)));
}

static void on_inner_some(void *data, int status, const char *bytes, size_t count)
{
    struct carried *carried = data;
    carried->status = status;
    text_add(&carried->answer, bytes, count);
    if (carried->watches)
        tell_soon(carried);
}

static void on_inner_end(void *data, const struct carried_end *end)
{
    struct carried *carried = data;
    struct unreliable *unreliable = carried->unreliable;
    carried->inner = NULL;
    carried->ended = true;
    carried->status = end->status;
    if (carried->lists && end->status == 200 && carried->answer.at)
        remember_list(carried);
    if (carried->fault == FAULT_CUT && carried->cut_after < 0)
        carried->cut_after = random_int(unreliable->random, 0, (int)carried->answer.len);
    if (carried->fault == FAULT_LOSE_ANSWER)
        text_clear(&carried->answer);
    tell_soon(carried);
}

/* ── Requests ─────────────────────────────────────────────────────────────────────────────── */

static void refuse(struct carried *carried)
{
    static const int reads[] = {429, 500, 503}, writes[] = {409, 429, 500, 503},
                     lists[] = {410, 429, 500, 503};
    struct random *random = carried->unreliable->random;
    carried->status = carried->writes                      ? writes[random_int(random, 0, 3)]
                      : carried->watches || carried->lists ? lists[random_int(random, 0, 3)]
                                                           : reads[random_int(random, 0, 2)];
    text_clear(&carried->answer);
    text_addf(&carried->answer,
              "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","
              "\"message\":\"as the seed says\",\"reason\":\"%s\",\"code\":%d}",
              carried->status == 409   ? "Conflict"
              : carried->status == 410 ? "Expired"
                                       : "ServiceUnavailable",
              carried->status);
    carried->ended = true;
    tell_soon(carried);
}

static bool answer_stale(struct carried *carried)
{
    char *key AUTO_FREE = list_key(carried);
    const char *once = map_get(&carried->unreliable->lists, key);
    if (!once)
        return false;
    carried->status = 200;
    text_puts(&carried->answer, once);
    carried->ended = true;
    tell_soon(carried);
    return true;
}

/* The process is killed with this write: it is the last that leaves. */
static void count_write(struct carried *carried)
{
    struct unreliable *unreliable = carried->unreliable;
    if (!carried->writes || ++unreliable->writes != unreliable->kill_at)
        return;
    if (unreliable->kill_unheard)
        unreliable->dead = true;
}

/* True when the process was killed by what has just come back. */
static void on_write_done(void *data, const struct carried_end *end)
{
    struct carried *carried = data;
    struct unreliable *unreliable = carried->unreliable;
    on_inner_end(data, end);
    if (unreliable->kill_at && unreliable->writes >= unreliable->kill_at)
        unreliable->dead = true;
}

static void send_on(struct carried *carried)
{
    static const struct carried_events reads = {on_inner_some, on_inner_end},
                                       writes = {on_inner_some, on_write_done};
    struct unreliable *unreliable = carried->unreliable;
    const struct carried_request request = {.method = carried->method,
                                            .path = carried->path,
                                            .body = carried->body,
                                            .content_type = carried->content_type,
                                            .accept = carried->accept,
                                            .user_agent = carried->user_agent};
    count_write(carried);
    if (unreliable->plant)
        plant_beside(carried);
    carried->inner = unreliable->inner.start(unreliable->inner.server, &request,
                                             carried->writes ? &writes : &reads, carried);
}

static void on_turn_to_send(void *data)
{
    struct carried *carried = data;
    carried->begun = true;
    if (carried->fault == FAULT_LOSE_REQUEST)
        tell_end(carried, 0);
    else if (carried->fault == FAULT_REFUSE)
        refuse(carried);
    else if (carried->fault != FAULT_STALE || !answer_stale(carried))
        send_on(carried);
}

static bool is_possible(const struct carried *carried, enum fault fault)
{
    switch (fault) {
    case FAULT_DUPLICATE:
        return carried->watches;
    case FAULT_STALE:
        return carried->lists;
    case FAULT_NONE:
    case FAULT_DELAY_REQUEST:
    case FAULT_DELAY_ANSWER:
    case FAULT_LOSE_REQUEST:
    case FAULT_LOSE_ANSWER:
    case FAULT_REFUSE:
    case FAULT_CUT:
    case FAULTS:
        break;
    }
    return true;
}

static enum fault choose_fault(const struct carried *carried)
{
    struct unreliable *unreliable = carried->unreliable;
    enum fault fault = (enum fault)random_int(unreliable->random, FAULT_NONE + 1, FAULTS - 1);
    if (!random_chance(unreliable->random, unreliable->percent) ||
        !(unreliable->kinds & 1u << fault) || !is_possible(carried, fault))
        return FAULT_NONE;
    return fault;
}

static int64_t wait_of(const struct carried *carried)
{
    struct random *random = carried->unreliable->random;
    if (carried->fault == FAULT_DELAY_REQUEST)
        return random_int(random, 1, LATE_MS);
    return carried->fault == FAULT_LOSE_REQUEST ? random_int(random, 0, LOST_MS) : 0;
}

static void describe(struct carried *carried)
{
    bool reads = str_equal(carried->method, "GET");
    const char *name = strrchr(carried->path, '/');
    carried->writes = !reads;
    carried->watches = reads && strstr(carried->path, "watch=1");
    carried->lists = reads && !carried->watches && name && strstr(name, "?limit=");
}

static struct carried *carried_start(void *server, const struct carried_request *request,
                                     const struct carried_events *events, void *data)
{
    struct unreliable *unreliable = server;
    struct carried *carried = mem_alloc(sizeof *carried);
    carried->unreliable = unreliable;
    carried->events = events;
    carried->data = data;
    carried->method = str_copy(request->method);
    carried->path = str_copy(request->path);
    carried->body = str_copy(request->body);
    carried->content_type = str_copy(request->content_type);
    carried->accept = str_copy(request->accept);
    carried->user_agent = str_copy(request->user_agent);
    carried->cut_after = -1;
    list_append(&unreliable->under_way, &carried->link);
    describe(carried);
    carried->fault = choose_fault(carried);
    unreliable->faults[carried->fault]++;
    if (carried->fault == FAULT_CUT && carried->watches)
        carried->cut_after = random_int(unreliable->random, 0, 20000);
    if (unreliable->verbose)
        printf("%13s  %s %s, %s\n", "", carried->method, carried->path,
               fault_names[carried->fault]);
    if (!unreliable->dead)
        timer_start(unreliable->loop, &carried->turn, wait_of(carried), on_turn_to_send, carried);
    return carried;
}

/* A request that has left arrives, whether anybody waits for its answer or not; one that hasn't may
 * still do so. */
static void carried_stop(struct carried *carried)
{
    if (!carried)
        return;
    bool leaves = carried->writes && !carried->ended &&
                  (carried->inner || (timer_running(&carried->turn) && !carried->begun &&
                                      random_chance(carried->unreliable->random, 50)));
    if (!leaves) {
        carried_free(carried);
        return;
    }
    carried->events = NULL;
    if (!carried->inner)
        timer_start(carried->unreliable->loop, &carried->turn,
                    random_int(carried->unreliable->random, 0, LATE_DEAD_MS), on_turn_to_send,
                    carried);
}

struct carrier unreliable_carrier(struct unreliable *unreliable)
{
    return (struct carrier){.server = unreliable, .start = carried_start, .stop = carried_stop};
}
