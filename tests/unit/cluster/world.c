// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include "base/clock.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *folder_new(void)
{
    char *folder = str_copy("/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

void folder_remove(const char *folder)
{
    DIR *open = opendir(folder);
    struct dirent *entry;
    while (open && (entry = readdir(open))) {
        char *path AUTO_FREE = str_format("%s/%s", folder, entry->d_name);
        if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
            continue;
        if (unlink(path) < 0)
            folder_remove(path);
    }
    if (open)
        closedir(open);
    rmdir(folder);
}

char *folder_file(const char *folder, const char *name, const char *text)
{
    char *path = str_format("%s/%s", folder, name);
    char *beside AUTO_FREE = str_format("%s.new", path);
    FILE *file = fopen(beside, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(beside, path), 0);
    return path;
}

char *world_file(const struct world *world, const char *name, const char *text)
{
    return folder_file(world->folder, name, text);
}

static void on_request(void *data, const struct fake_request *request)
{
    struct world *world = data;
    if (world->on_request)
        world->on_request(world->data, request);
}

struct world *world_new(const char *user, const struct cluster_options *options)
{
    struct error err = {0};
    struct world *world = mem_alloc(sizeof *world);
    world->folder = folder_new();
    assert_int_equal(loop_new(&world->loop, &err), OK);
    world->api = fake_api_new(world->loop, on_request, world);
    char *text AUTO_FREE = str_format("clusters: [{name: c, cluster: {server: "
                                      "'http://127.0.0.1:%d'}}]\n"
                                      "users: [{name: u, user: %s}]\n"
                                      "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
                                      "current-context: x\n",
                                      fake_api_port(world->api), user);
    char *path AUTO_FREE = world_file(world, "kubeconfig", text);
    struct access *access;
    struct access_options from = {.kubeconfig = path};
    if (access_open(&from, &access, &err) < 0)
        fail_msg("%s", err.text);
    struct cluster_options none = {0};
    assert_int_equal(
        cluster_new_take(world->loop, access, options ? options : &none, &world->cluster, &err),
        OK);
    return world;
}

void world_free(struct world *world)
{
    cluster_free(world->cluster);
    fake_api_free(world->api);
    loop_free(world->loop);
    folder_remove(world->folder);
    free(world->folder);
    free(world);
}

/* Asks after every few milliseconds; the loop itself never waits longer for anything. */
struct question {
    struct loop *loop;
    bool (*until)(void *data);
    void *data;
    bool done;
    struct timer timer;
};

static void on_question(void *data)
{
    struct question *question = data;
    question->done = question->until(question->data);
    if (!question->done)
        timer_start(question->loop, &question->timer, 5, on_question, question);
}

void world_turn(struct world *world, bool (*until)(void *data), void *data, const char *file,
                int line)
{
    struct question question = {.loop = world->loop, .until = until, .data = data};
    on_question(&question);
    struct error err = {0};
    int code = loop_run_until(world->loop, &question.done, 10000, &err);
    timer_stop(world->loop, &question.timer);
    if (code < 0)
        _fail(file, line);
}

void world_rest(struct world *world, int64_t ms)
{
    bool never = false;
    loop_run_until(world->loop, &never, ms, NULL);
}
