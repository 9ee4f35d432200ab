// SPDX-License-Identifier: Apache-2.0
/*
 * core/cluster against a real API server:
 *
 *     cluster_live --kubeconfig FILE [--restart COMMAND]
 *
 * prints a line "ok …" for each thing that it has seen work, and ends with status 1 at the first
 * that doesn't. COMMAND kills the API server and starts it again; without it that part is left out.
 * Everything it makes is in a namespace and a CRD of its own, which it deletes.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "cluster/kinds.h"
#include "cluster/recorder.h"
#include "cluster/store.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MANY = 600, LIMIT_MS = 60 * 1000 };

struct live {
    struct loop *loop;
    struct cluster *cluster;
    char ns[64], group[64], crd[96];
    const char *restart;
    int64_t began_ms;
};

__attribute__((format(printf, 1, 2), noreturn)) static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("FAILED ", stdout);
    vprintf(format, args);
    puts("");
    va_end(args);
    exit(1);
}

__attribute__((format(printf, 2, 3))) static void ok(struct live *live, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("ok %6lld ms  ", (long long)(clock_monotonic_ms() - live->began_ms));
    vprintf(format, args);
    puts("");
    va_end(args);
    fflush(stdout);
    live->began_ms = clock_monotonic_ms();
}

/* Turning the loop until something is so */

struct wish {
    struct loop *loop;
    bool (*until)(void *data);
    void *data;
    bool done;
    struct timer timer;
};

static void on_wish(void *data)
{
    struct wish *wish = data;
    wish->done = wish->until(wish->data);
    if (!wish->done)
        timer_start(wish->loop, &wish->timer, 10, on_wish, wish);
}

static void wait_for(struct live *live, bool (*until)(void *data), void *data, const char *what)
{
    struct wish wish = {.loop = live->loop, .until = until, .data = data};
    on_wish(&wish);
    if (loop_run_until(live->loop, &wish.done, LIMIT_MS, NULL) < 0)
        fail("waited too long for %s", what);
    timer_stop(live->loop, &wish.timer);
}

static void rest(struct live *live, int64_t ms)
{
    bool never = false;
    loop_run_until(live->loop, &never, ms, NULL);
}

/* Calls */

struct answer {
    bool done;
    int status;
    struct error error;
    json_t *body;
};

static void on_reply(void *data, const struct reply *reply)
{
    struct answer *answer = data;
    answer->done = true;
    answer->status = reply->status;
    answer->error = reply->error;
    answer->body = json_incref(reply->body);
}

/* Sends one request and waits for its answer; the body is the caller's. */
static struct answer ask(struct live *live, const char *method, const char *content_type,
                         const char *path, const char *body)
{
    struct answer answer = {0};
    struct call_spec spec = {
        .method = method, .path = path, .content_type = content_type, .body = body};
    cluster_call(live->cluster, &spec, on_reply, &answer);
    if (loop_run_until(live->loop, &answer.done, LIMIT_MS, NULL) < 0)
        fail("%s %s: no answer", method, path);
    return answer;
}

/* The same, for which only the code matters. */
static void expect(struct live *live, int code, const char *method, const char *content_type,
                   const char *path, const char *body)
{
    struct answer answer = ask(live, method, content_type, path, body);
    if (answer.error.code != code)
        fail("%s %s: %s instead of %s: %s", method, path, err_name(answer.error.code),
             err_name(code), answer.error.text);
    json_decref(answer.body);
}

static char *in_ns(const struct live *live, const char *rest_of_path)
{
    return str_format("/api/v1/namespaces/%s%s", live->ns, rest_of_path);
}

/* The parts */

/* How many TCP connections this process has open. */
static int connections(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        if (getpeername(fd, (struct sockaddr *)&peer, &size) == 0 &&
            (peer.ss_family == AF_INET || peer.ss_family == AF_INET6))
            count++;
    }
    return count;
}

/* With the system's authorities instead of the cluster's own, the server must not be believed. */
static void check_tls(struct live *live)
{
    struct error err = {0};
    char path[] = "/tmp/sluice-live-XXXXXX";
    int fd = mkstemp(path);
    struct access *access;
    struct cluster *cluster;
    dprintf(fd,
            "clusters: [{name: c, cluster: {server: '%s'}}]\n"
            "users: [{name: u, user: {token: secret}}]\n"
            "contexts: [{name: x, context: {cluster: c, user: u}}]\ncurrent-context: x\n",
            access_server(cluster_access(live->cluster)));
    close(fd);
    struct access_options from = {.kubeconfig = path};
    struct cluster_options options = {.timeout_ms = 500};
    if (access_open(&from, &access, &err) < 0 ||
        cluster_new_take(live->loop, access, &options, &cluster, &err) < 0)
        fail("%s", err.text);
    unlink(path);
    struct live stranger = {.loop = live->loop, .cluster = cluster};
    struct answer answer = ask(&stranger, "GET", NULL, "/version", NULL);
    if (answer.status != 0 || !strstr(answer.error.text, "certificate"))
        fail("a server with an unknown authority was believed: %d %s", answer.status,
             answer.error.text);
    cluster_free(cluster);
    ok(live, "TLS: %s", answer.error.text);
}

struct burst {
    int left;
    int failed;
};

static void on_burst(void *data, const struct reply *reply)
{
    struct burst *burst = data;
    burst->left--;
    if (reply->error.code < 0)
        burst->failed++;
}

static bool burst_is_over(void *data)
{
    return ((struct burst *)data)->left == 0;
}

static void make_many(struct live *live)
{
    struct burst burst = {.left = MANY};
    char *path AUTO_FREE = in_ns(live, "/configmaps");
    for (int i = 0; i < MANY; i++) {
        char *body AUTO_FREE = str_format("{\"metadata\":{\"name\":\"cm-%d\",\"labels\":{\"live\":"
                                          "\"yes\"}},\"data\":{\"n\":\"%d\"}}",
                                          i, i);
        struct call_spec spec = {.method = "POST", .path = path, .body = body};
        cluster_call(live->cluster, &spec, on_burst, &burst);
    }
    wait_for(live, burst_is_over, &burst, "600 ConfigMaps to be made");
    if (burst.failed)
        fail("%d of %d ConfigMaps could not be made", burst.failed, MANY);
    ok(live, "HTTP/2: %d writes over %d connection(s)", MANY, connections());
    if (connections() != 1)
        fail("there should be one connection");
}

/* A store of ConfigMaps that counts what it is told. */
struct shelf {
    struct store *store;
    size_t changes, deletions, synced;
    char last[64];
    const char *wanted;
    int states;
};

static void on_shelf_state(void *data, const struct error *err)
{
    ((struct shelf *)data)->states++;
}

static void on_change(void *data, const char *ns, const char *name, const json_t *object,
                      bool deleted)
{
    struct shelf *shelf = data;
    shelf->changes++;
    shelf->deletions += deleted;
    snprintf(shelf->last, sizeof shelf->last, "%s%s", deleted ? "-" : "+", name);
}

static void on_synced(void *data)
{
    ((struct shelf *)data)->synced++;
}

static bool is_synced(void *data)
{
    return store_synced(((struct shelf *)data)->store);
}

static bool has_last(void *data)
{
    struct shelf *shelf = data;
    return strcmp(shelf->last, shelf->wanted) == 0;
}

static const struct store_events shelf_events = {
    .on_change = on_change, .on_synced = on_synced, .on_state = on_shelf_state};

static void expect_change(struct live *live, struct shelf *shelf, const char *change)
{
    shelf->wanted = change;
    wait_for(live, has_last, shelf, change);
}

static void check_watch(struct live *live, struct shelf *shelf)
{
    static const char *const keep[] = {"/data"};
    char *path AUTO_FREE = in_ns(live, "/configmaps");
    struct watch_spec spec = {
        .path = path, .label_selector = "live=yes", .keep = keep, .keep_count = 1};
    uint64_t before = cluster_counts(live->cluster).reads;
    shelf->store = store_open(live->cluster, &spec, &shelf_events, shelf);
    wait_for(live, is_synced, shelf, "the list");
    if (store_count(shelf->store) != MANY || shelf->changes != MANY)
        fail("%zu ConfigMaps and %zu changes instead of %d", store_count(shelf->store),
             shelf->changes, MANY);
    /* The stream has perhaps been asked for already. */
    ok(live, "list: %d objects with %d requests", MANY,
       (int)(cluster_counts(live->cluster).reads - before));

    char *one AUTO_FREE = in_ns(live, "/configmaps/cm-7");
    expect(live, OK, "PATCH", PATCH_MERGE, one, "{\"data\":{\"n\":\"seven\"}}");
    expect_change(live, shelf, "+cm-7");
    json_t *object AUTO_JSON = store_get(shelf->store, live->ns, "cm-7");
    if (!str_equal(json_string_at(object, "/data/n"), "seven") ||
        !str_equal(json_string_at(object, "/kind"), "ConfigMap"))
        fail("the store has the wrong object");
    expect(live, OK, "DELETE", NULL, one, NULL);
    expect_change(live, shelf, "-cm-7");
    ok(live, "watch: change and deletion arrive");
}

/* A command that runs beside the loop. */
struct command {
    FILE *pipe;
    struct fd_watch *watch;
    bool done;
};

static void on_command(void *data, short revents)
{
    struct command *command = data;
    char line[256];
    if (!fgets(line, sizeof line, command->pipe)) {
        fd_unwatch(command->watch);
        command->done = true;
    }
}

static bool command_is_done(void *data)
{
    return ((struct command *)data)->done;
}

/* Killed and started again in the middle of a watch; nothing is asked meanwhile, so that the watch
 * finds its way back alone. */
static void check_restart(struct live *live, struct shelf *shelf)
{
    char *two AUTO_FREE = in_ns(live, "/configmaps/cm-8");
    struct command command = {.pipe = popen(live->restart, "r")};
    command.watch = fd_watch(live->loop, fileno(command.pipe), POLLIN, on_command, &command);
    shelf->changes = 0;
    shelf->states = 0;
    wait_for(live, command_is_done, &command, live->restart);
    if (pclose(command.pipe) != 0)
        fail("%s failed", live->restart);
    int64_t back = clock_monotonic_ms();
    ok(live, "restart: the server is back");
    expect(live, OK, "PATCH", PATCH_MERGE, two, "{\"data\":{\"n\":\"eight\"}}");
    expect_change(live, shelf, "+cm-8");
    if (shelf->changes != 1 || store_count(shelf->store) != MANY - 1)
        fail("after the restart %zu changes were told instead of one", shelf->changes);
    ok(live, "restart: the watch goes on after %lld ms, %d changes of state",
       (long long)(clock_monotonic_ms() - back), shelf->states);
}

static void check_apply(struct live *live)
{
    char *a AUTO_FREE = in_ns(live, "/configmaps/applied?fieldManager=a");
    char *b AUTO_FREE = in_ns(live, "/configmaps/applied?fieldManager=b");
    char *force AUTO_FREE = in_ns(live, "/configmaps/applied?fieldManager=b&force=true");
    char *plain AUTO_FREE = in_ns(live, "/configmaps/applied");
    static const char one[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
        "\"applied\"},\"data\":{\"k\":\"1\"}}";
    static const char two[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
        "\"applied\"},\"data\":{\"k\":\"2\"}}";
    expect(live, OK, "PATCH", PATCH_APPLY, a, one);
    struct answer answer = ask(live, "PATCH", PATCH_APPLY, b, two);
    if (answer.error.code != ERR_CONFLICT)
        fail("a conflict of managers is %s: %s", err_name(answer.error.code), answer.error.text);
    json_decref(answer.body);
    expect(live, OK, "PATCH", PATCH_APPLY, force, two);
    ok(live, "apply: %s", answer.error.text);

    expect(live, ERR_CONFLICT, "PATCH", PATCH_MERGE, plain,
           "{\"metadata\":{\"resourceVersion\":\"1\"},\"data\":{\"k\":\"3\"}}");
    expect(live, ERR_INVALID, "PATCH", PATCH_JSON, plain,
           "[{\"op\":\"test\",\"path\":\"/data/k\",\"value\":\"1\"},"
           "{\"op\":\"replace\",\"path\":\"/data/k\",\"value\":\"3\"}]");
    expect(live, OK, "PATCH", PATCH_JSON, plain,
           "[{\"op\":\"test\",\"path\":\"/data/k\",\"value\":\"2\"},"
           "{\"op\":\"replace\",\"path\":\"/data/k\",\"value\":\"3\"}]");
    expect(live, ERR_MISSING, "GET", NULL, "/api/v1/namespaces/default/configmaps/nowhere", NULL);
    ok(live, "patches with preconditions");
}

/* A kind that comes, and goes. */
struct newcomer {
    struct live *live;
    struct kinds *kinds;
    struct shelf shelf;
    int state; /* of the store's watch */
    int answers, code;
    int64_t served_ms;
};

static void on_new_state(void *data, const struct error *err)
{
    struct newcomer *newcomer = data;
    newcomer->state = err->code;
}

static void on_new_change(void *data, const char *ns, const char *name, const json_t *object,
                          bool deleted)
{
    struct newcomer *newcomer = data;
    on_change(&newcomer->shelf, ns, name, object, deleted);
}

static void on_kinds_change(void *data)
{
    struct newcomer *newcomer = data;
    if (newcomer->shelf.store)
        store_kick(newcomer->shelf.store);
}

static void on_found(void *data, const struct kind_info *info, const struct error *err)
{
    struct newcomer *newcomer = data;
    newcomer->answers++;
    newcomer->code = err->code;
}

static bool is_found(void *data)
{
    struct newcomer *newcomer = data;
    return newcomer->answers > 0;
}

static bool is_missing(void *data)
{
    return ((struct newcomer *)data)->state == ERR_MISSING;
}

static bool is_there(void *data)
{
    return is_synced(&((struct newcomer *)data)->shelf);
}

static int find(struct newcomer *newcomer, const char *api_version)
{
    newcomer->answers = 0;
    kind_find(newcomer->kinds, api_version, "Newcomer", on_found, newcomer);
    wait_for(newcomer->live, is_found, newcomer, "discovery");
    return newcomer->code;
}

static void make_crd(struct live *live)
{
    char *crd AUTO_FREE = str_format(
        "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\","
        "\"metadata\":{\"name\":\"%s\"},\"spec\":{\"group\":\"%s\",\"scope\":\"Namespaced\","
        "\"names\":{\"plural\":\"newcomers\",\"kind\":\"Newcomer\"},\"versions\":[{\"name\":\"v1\","
        "\"served\":true,\"storage\":true,\"schema\":{\"openAPIV3Schema\":{\"type\":\"object\","
        "\"x-kubernetes-preserve-unknown-fields\":true}}}]}}",
        live->crd, live->group);
    expect(live, OK, "POST", NULL, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd);
}

static void check_newcomer(struct live *live)
{
    struct newcomer newcomer = {.live = live, .state = 1};
    char *api_version AUTO_FREE = str_format("%s/v1", live->group);
    char *all AUTO_FREE = str_format("/apis/%s/v1/newcomers", live->group);
    char *ours AUTO_FREE = str_format("/apis/%s/v1/namespaces/%s/newcomers", live->group, live->ns);
    char *crd AUTO_FREE =
        str_format("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/%s", live->crd);
    newcomer.kinds = kinds_new(live->cluster, on_kinds_change, &newcomer);
    struct watch_spec spec = {.path = all};
    struct store_events events = {.on_change = on_new_change, .on_state = on_new_state};
    newcomer.shelf.store = store_open(live->cluster, &spec, &events, &newcomer);
    wait_for(live, is_missing, &newcomer, "the kind to be missing");
    if (find(&newcomer, api_version) != ERR_MISSING)
        fail("a kind that isn't there was found");
    rest(live, 8000); /* long enough for the tries to have become rare */
    ok(live, "a kind that isn't there is missing");

    make_crd(live);
    wait_for(live, is_there, &newcomer, "the new kind's store");
    ok(live, "a new kind is watched after its CRD has come");
    while (find(&newcomer, api_version) != OK)
        rest(live, 50);
    ok(live, "… and found by discovery");
    char *body AUTO_FREE = str_format(
        "{\"apiVersion\":\"%s/v1\",\"kind\":\"Newcomer\",\"metadata\":{\"name\":\"first\"}}",
        live->group);
    expect(live, OK, "POST", NULL, ours, body);
    expect_change(live, &newcomer.shelf, "+first");
    expect(live, OK, "DELETE", NULL, crd, NULL);
    wait_for(live, is_missing, &newcomer, "the kind to be gone");
    if (store_count(newcomer.shelf.store) != 0)
        fail("objects of a kind that has gone are still there");
    ok(live, "a kind that goes takes its objects along");
    store_close(newcomer.shelf.store);
    kinds_free(newcomer.kinds);
}

static void check_events(struct live *live)
{
    struct recorder *recorder = recorder_new(live->cluster, "cluster-live");
    struct event_about about = {
        .api_version = "v1", .kind = "ConfigMap", .ns = live->ns, .name = "applied", .uid = "4711"};
    struct event same = {.reason = "Repeated", .message = "the same again"};
    for (int i = 0; i < 3; i++) {
        recorder_event(recorder, &about, &same);
        rest(live, 200);
    }
    for (int i = 1; i <= 12; i++) {
        char *message AUTO_FREE = str_format("message %d", i);
        struct event event = {.warning = true, .reason = "Different", .message = message};
        recorder_event(recorder, &about, &event);
    }
    rest(live, 1000);
    if (recorder_dropped(recorder))
        fail("%d Events were dropped", (int)recorder_dropped(recorder));
    recorder_free(recorder);
    char *path AUTO_FREE = in_ns(
        live, "/events?fieldSelector=involvedObject.name%3Dapplied,involvedObject.uid%3D4711");
    struct answer answer = ask(live, "GET", NULL, path, NULL);
    json_t *items = json_at(answer.body, "/items"), *item;
    size_t i;
    int repeated = 0, combined = 0;
    json_array_foreach (items, i, item) {
        const char *message = json_string_at(item, "/message");
        if (str_equal(message, "the same again"))
            repeated = (int)json_int_at(item, "/count", 0);
        if (str_equal(message, "(combined from similar events): message 12"))
            combined = (int)json_int_at(item, "/count", 0);
    }
    if (json_array_size(items) != 11 || repeated != 3 || combined != 3)
        fail("Events: %zu, repeated %d, combined %d", json_array_size(items), repeated, combined);
    json_decref(answer.body);
    ok(live, "Events: 15 became 11, one counted to 3, one combined of 3");
}

static void clean_up(struct live *live, struct shelf *shelf)
{
    char *path AUTO_FREE = in_ns(live, "");
    store_close(shelf->store);
    expect(live, OK, "DELETE", NULL, path, NULL);
    struct cluster_counts counts = cluster_counts(live->cluster);
    ok(live, "%d reads, %d writes, %d tried again, %d watch events", (int)counts.reads,
       (int)counts.writes, (int)counts.retries, (int)counts.watch_events);
    cluster_free(live->cluster);
    loop_free(live->loop);
}

static void open_cluster(struct live *live, const char *kubeconfig)
{
    struct error err = {0};
    struct access *access;
    struct access_options from = {.kubeconfig = kubeconfig};
    struct cluster_options options = {.user_agent = "sluice-cluster-live"};
    if (loop_new(&live->loop, &err) < 0 || access_open(&from, &access, &err) < 0 ||
        cluster_new_take(live->loop, access, &options, &live->cluster, &err) < 0)
        fail("%s", err.text);
    long long number = (long long)clock_wall_ms();
    snprintf(live->ns, sizeof live->ns, "live-%lld", number);
    snprintf(live->group, sizeof live->group, "live-%lld.sluice.test", number);
    snprintf(live->crd, sizeof live->crd, "newcomers.%s", live->group);
    live->began_ms = clock_monotonic_ms();
    struct answer answer = ask(live, "GET", NULL, "/version", NULL);
    if (answer.error.code < 0)
        fail("%s", answer.error.text);
    ok(live, "%s, version %s", access_server(cluster_access(live->cluster)),
       json_string_at(answer.body, "/gitVersion"));
    json_decref(answer.body);
    char *body AUTO_FREE = str_format("{\"metadata\":{\"name\":\"%s\"}}", live->ns);
    expect(live, OK, "POST", NULL, "/api/v1/namespaces", body);
}

int main(int argc, char **argv)
{
    struct live live = {0};
    struct shelf shelf = {0};
    const char *kubeconfig = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--kubeconfig") == 0)
            kubeconfig = argv[i + 1];
        else if (strcmp(argv[i], "--restart") == 0)
            live.restart = argv[i + 1];
    }
    open_cluster(&live, kubeconfig);
    check_tls(&live);
    make_many(&live);
    check_watch(&live, &shelf);
    if (live.restart)
        check_restart(&live, &shelf);
    check_apply(&live);
    check_newcomer(&live);
    check_events(&live);
    clean_up(&live, &shelf);
    return 0;
}
