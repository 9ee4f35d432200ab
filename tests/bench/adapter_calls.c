// SPDX-License-Identifier: Apache-2.0
/*
 * What a call of an adapter costs in this process, in a process of its own that is waited for, and
 * in one that the loop waits for, as the controller does. One call of each in turn, so that
 * whatever else the machine does falls on all of them alike.
 *
 * usage: adapter_calls ADAPTER.so CASE.json HOST CALLS
 * Prints one line for each: its name, the 50th and 99th percentile and the mean of the CPU time
 * that this process alone took for a call, in nanoseconds.
 */
#include "adapter/adapter.h"
#include "base/alloc.h"
#include "base/json.h"
#include "loop/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARM_UP = 200, LONGEST_MS = 10 * 1000 };

struct way {
    const char *name;
    struct adapters *set;
    struct loop *loop; /* NULL: the call is waited for */
    int64_t *nanoseconds;
    size_t count;
    int64_t cpu;
};

/* What is asked, as the case has it. */
struct scene {
    json_t *json;
    struct adapter_request request;
};

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "adapter_calls: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static int64_t now(clockid_t clock)
{
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void way_open(struct way *way, const struct adapter_entry *entry, size_t calls)
{
    way->set = adapters_load("/nowhere", entry, 1);
    way->nanoseconds = mem_alloc(calls * sizeof *way->nanoseconds);
    const struct error *refusal = adapter_refusal(adapters_nth(way->set, 0));
    if (refusal)
        give_up(entry->file, refusal->text);
}

static void way_close(struct way *way)
{
    adapters_free(way->set);
    free(way->nanoseconds);
}

struct waiting {
    struct adapter_asking asking;
    bool done;
};

static void on_reply(void *data, struct adapter_reply *reply)
{
    struct waiting *waiting = data;
    if (reply->err.code < 0)
        give_up("the call failed", reply->err.text);
    actions_done(&reply->actions);
    waiting->done = true;
}

static void call_once(struct way *way, const struct scene *scene, bool counts)
{
    struct waiting waiting = {.asking = {.on_reply = on_reply, .data = &waiting}};
    int64_t cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    int64_t began = now(CLOCK_MONOTONIC);
    adapter_ask(&waiting.asking, adapters_nth(way->set, 0), CALL_ADVANCE, &scene->request);
    if (way->loop)
        loop_run_until(way->loop, &waiting.done, LONGEST_MS, NULL);
    if (!waiting.done)
        give_up(way->name, "no answer");
    int64_t ended = now(CLOCK_MONOTONIC);
    if (!counts)
        return;
    way->nanoseconds[way->count++] = ended - began;
    way->cpu += now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void way_print(struct way *way)
{
    qsort(way->nanoseconds, way->count, sizeof *way->nanoseconds, by_size);
    printf("%s\t%lld\t%lld\t%lld\n", way->name, (long long)way->nanoseconds[way->count / 2],
           (long long)way->nanoseconds[way->count * 99 / 100],
           (long long)way->cpu / (long long)way->count);
}

static void scene_open(struct scene *scene, const char *file)
{
    json_error_t where;
    scene->json = json_load_file(file, 0, &where);
    if (!scene->json)
        give_up(file, where.text);
    const json_t *asked = json_object_get(scene->json, "request");
    scene->request = (struct adapter_request){
        .workload = json_object_get(asked, "workload"),
        .target = json_object_get(asked, "target"),
        .strategy = "IncreaseFirst",
        .goal = (int)json_integer_value(json_object_get(asked, "goal")),
    };
}

int main(int argc, char **argv)
{
    if (argc != 5)
        give_up("usage", "adapter_calls ADAPTER.so CASE.json HOST CALLS");
    size_t calls = strtoul(argv[4], NULL, 10);
    const char *slash = strrchr(argv[1], '/');
    char *name AUTO_FREE =
        str_copy_n(slash ? slash + 1 : argv[1], strcspn(slash ? slash + 1 : argv[1], "."));
    const struct adapter_entry here = {.name = name, .file = argv[1]};
    const struct adapter_entry apart = {
        .name = name, .file = argv[1], .isolation = ISOLATION_PROCESS, .host = argv[3]};
    struct way ways[] = {{.name = "in process"},
                         {.name = "isolated, waited for"},
                         {.name = "isolated, on the loop"}};
    struct scene scene;
    scene_open(&scene, argv[2]);
    way_open(&ways[0], &here, calls);
    way_open(&ways[1], &apart, calls);
    way_open(&ways[2], &apart, calls);
    if (loop_new(&ways[2].loop, NULL) < 0)
        give_up("loop", "there is none");
    adapters_attach(ways[2].set, ways[2].loop);
    for (size_t i = 0; i < WARM_UP + calls; i++)
        for (size_t w = 0; w < 3; w++)
            call_once(&ways[w], &scene, i >= WARM_UP);
    for (size_t w = 0; w < 3; w++)
        way_print(&ways[w]);
    for (size_t w = 0; w < 3; w++)
        way_close(&ways[w]);
    loop_free(ways[2].loop);
    json_decref(scene.json);
    return EXIT_SUCCESS;
}
