// SPDX-License-Identifier: Apache-2.0
#include "reconcile/other_writer.h"

#include "base/alloc.h"
#include "cluster/managed_fields.h"
#include "cluster/watch.h"
#include "oam/revision.h"

#include <stdio.h>

bool template_changed(const json_t *workload)
{
    const char *put = object_mark(workload, MARK_TEMPLATE);
    const char *now = json_string_value(json_object_get(workload, WATCH_DIGEST));
    return put && now && !str_equal(put, now);
}

/* As much as fits of a value, for people. */
static void say_value(const json_t *value, char *ret_text, size_t size)
{
    char *text AUTO_FREE = json_is_string(value) ? str_copy(json_string_value(value))
                           : value               ? json_text(value)
                                                 : str_copy("nothing");
    snprintf(ret_text, size, "%s", text);
}

static void fill(struct other_write *seen, const struct foreign_write *write)
{
    snprintf(seen->who, sizeof seen->who, "%s", write->manager);
    snprintf(seen->how, sizeof seen->how, "%s at %s", write->operation, write->time);
    snprintf(seen->field, sizeof seen->field, "%s", write->field);
    if (json_is_object(write->found) || json_is_object(write->wanted))
        return; /* too much for a sentence */
    say_value(write->wanted, seen->expected, sizeof seen->expected);
    say_value(write->found, seen->found, sizeof seen->found);
}

static void look_into(struct component *component, const json_t *live)
{
    const struct located_component *located = component_located(component);
    const struct adapter_kind *kind = component->kind->kind;
    struct foreign_write write;
    bool found = false;
    for (size_t i = 0; located && !found && i < kind->template_count; i++)
        found = managed_foreign_write(live, located->workload, kind->template[i], FIELD_MANAGER,
                                      &write);
    if (!found)
        return;
    fill(&component->observation.template_write, &write);
    free(write.field);
}

static void on_live(void *data, const struct reply *reply)
{
    struct component *component = data;
    component->task->call = NULL;
    if (reply->error.code == OK)
        look_into(component, json_at(reply->body, "/items/0"));
    component->then(component);
}

/* A list of one, because adapters have the right to list their workloads but perhaps not to get
 * one.
 */
void other_writer_ask(struct component *component, void (*then)(struct component *component))
{
    struct task *task = component->task;
    char *path AUTO_FREE = object_path(&component->kind->info, task->rollout.ns, NULL, NULL);
    char *query AUTO_FREE = str_format("%s?fieldSelector=metadata.name%%3D%s", path,
                                       json_string_at(component->workload, "/metadata/name"));
    struct call_spec spec = {.method = "GET", .path = query, .whole = true};
    component->then = then;
    task->call = cluster_call(task->controller->cluster, &spec, on_live, component);
}
