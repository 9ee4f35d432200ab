// SPDX-License-Identifier: Apache-2.0
/*
 * A watch whose server sends anything. The first byte says how long the chunks are; the rest comes
 * once in such chunks and once as a whole, as the stream that follows an empty list, and what the
 * watch tells is the same both times.
 */
#include "bytes.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "cluster/cluster.h"
#include "cluster/watch.h"
#include "loop/loop.h"

#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 120 * 1000 }; /* on a machine that is busy with much else */

static const char empty_list[] = "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":"
                                 "{\"resourceVersion\":\"1\"},\"items\":[]}";

/* The one request that is answered at a time: the list, then the stream, then none. */
struct server {
    struct loop *loop;
    const char *bytes;
    size_t count, chunk;
    int requests;
    struct carried *carried;
    bool over; /* the stream has ended */
};

struct carried {
    struct server *server;
    struct carried_events events;
    void *data;
    struct timer timer;
    bool is_list;
    size_t at;
};

static void carried_end(struct carried *carried, int status)
{
    const struct carried_end end = {.status = status};
    const struct carried_events events = carried->events;
    void *data = carried->data;
    carried->server->carried = NULL;
    carried->server->over = !carried->is_list;
    free(carried);
    events.on_end(data, &end);
}

static void on_turn(void *data)
{
    struct carried *carried = data;
    struct server *server = carried->server;
    const char *bytes = carried->is_list ? empty_list : server->bytes;
    size_t count = carried->is_list ? strlen(empty_list) : server->count;
    size_t some = count - carried->at < server->chunk ? count - carried->at : server->chunk;
    if (some == 0) {
        carried_end(carried, 200);
        return;
    }
    timer_start(server->loop, &carried->timer, 0, on_turn, carried);
    carried->at += some;
    carried->events.on_some(carried->data, 200, bytes + carried->at - some, some);
}

static void on_first_turn(void *data)
{
    struct carried *carried = data;
    timer_start(carried->server->loop, &carried->timer, 0, on_turn, carried);
    carried->events.on_some(carried->data, 200, NULL, 0);
}

static struct carried *start(void *data, const struct carried_request *request,
                             const struct carried_events *events, void *receiver)
{
    struct server *server = data;
    struct carried *carried = mem_alloc(sizeof *carried);
    *carried = (struct carried){.server = server,
                                .events = *events,
                                .data = receiver,
                                .is_list = !strstr(request->path, "watch=1")};
    server->carried = carried;
    if (server->requests++ < 2) /* whatever is asked after the stream waits for ever */
        timer_start(server->loop, &carried->timer, 0, on_first_turn, carried);
    return carried;
}

static void stop(struct carried *carried)
{
    timer_stop(carried->server->loop, &carried->timer);
    carried->server->over = carried->server->over || !carried->is_list;
    carried->server->carried = NULL;
    free(carried);
}

static void tell(struct text *told, const char *what, const json_t *object)
{
    char *text AUTO_FREE = json_canonical(object);
    text_addf(told, "%s %s\n", what, text);
}

static void on_put(void *data, json_t *object)
{
    tell(data, "put", object);
}

static void on_delete(void *data, json_t *object)
{
    tell(data, "delete", object);
}

static void on_state(void *data, const struct error *err)
{
    text_addf(data, "%d\n", (int)err->code);
}

static void run(const char *bytes, size_t count, size_t chunk, struct text *told)
{
    static const struct watch_events events = {
        .on_put = on_put, .on_delete = on_delete, .on_state = on_state};
    struct server server = {.bytes = bytes, .count = count, .chunk = chunk};
    struct cluster *cluster;
    struct error err = {0};
    if (loop_new(&server.loop, &err) < 0)
        abort();
    const struct cluster_options options = {
        .user_agent = "fuzz", .carrier = {.server = &server, .start = start, .stop = stop}};
    if (cluster_new_take(server.loop, access_inside(), &options, &cluster, &err) < 0)
        abort();
    const struct watch_spec spec = {.path = "/api/v1/pods"};
    struct watch *watch = watch_open(cluster, &spec, &events, told);
    if (loop_run_until(server.loop, &server.over, PATIENCE_MS, &err) < 0 || !server.over)
        abort();
    watch_close(watch);
    cluster_free(cluster);
    loop_free(server.loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct text some = {0}, all = {0};
    if (count < 2)
        return 0;
    const char *stream = (const char *)bytes + 1;
    run(stream, count - 1, bytes[0] % 64 + 1, &some);
    run(stream, count - 1, count + sizeof empty_list, &all);
    if (some.len != all.len || (some.len && memcmp(some.at, all.at, some.len) != 0))
        abort();
    text_done(&some);
    text_done(&all);
    return 0;
}
