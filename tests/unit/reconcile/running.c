// SPDX-License-Identifier: Apache-2.0
#include "running.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_request(void *data, const struct fake_request *request)
{
    (void)data;
    if (strstr(request->target, "watch="))
        fake_begin(request->connection);
    else
        fake_answer(request->connection, 200, "",
                    "{\"kind\":\"List\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":"
                    "\"1\"},\"items\":[]}");
}

char *config_with(const char *file, const char *more)
{
    const char *folder = file[0] == '/' ? "" : HOSTILE_DIR "/", *end = file[0] == '/' ? "" : ".so";
    return str_format("adapters:\n  enabled:\n    - {name: hostile, isolation: inProcess, file: "
                      "%s%s%s%s}\n",
                      folder, file, end, more);
}

char *running_copy(const struct running *running, const char *from, const char *name)
{
    char *source AUTO_FREE = str_format("%s/%s.so", HOSTILE_DIR, from);
    char *target = str_format("%s/%s", running->world->folder, name);
    char buffer[8192];
    FILE *in = fopen(source, "re"), *out = fopen(target, "we");
    assert_true(in && out);
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, in));)
        assert_int_equal(fwrite(buffer, 1, got, out), got);
    fclose(in);
    fclose(out);
    return target;
}

void running_write(struct running *running, const char *text)
{
    free(world_file(running->world, "sluice.yaml", text));
}

struct running *running_new(const char *text)
{
    struct running *running = mem_alloc(sizeof *running);
    struct error err = {0};
    running->world = world_new("{token: t}", NULL);
    running->world->on_request = on_request;
    running->file = world_file(running->world, "sluice.yaml", text);
    if (config_load(running->file, &running->config, &err) < 0)
        fail_msg("%s", err.text);
    struct adapters *adapters =
        adapters_load("/nowhere", running->config.adapters, running->config.adapter_count);
    running->controller = controller_new_take(running->world->cluster, adapters, &running->config);
    if (reload_new(running->controller, running->file, &running->config, &running->reload, &err) <
        0)
        fail_msg("%s", err.text);
    return running;
}

void running_free(struct running *running)
{
    reload_free(running->reload);
    controller_free(running->controller);
    config_done(&running->config);
    world_free(running->world);
    free(running->file);
    free(running);
}
