// SPDX-License-Identifier: Apache-2.0
/*
 * An adapter for Widgets (example.com/v1), a custom resource that nobody has. Its controller runs
 * `spec.replicas` pods by `spec.recipe` and leaves `spec.heldBack` of them at the recipe before.
 * What such an adapter must do is told, step by step, in docs/adapter-guide.md.
 */
#include <sluice/json.h>

#define HOLDER    "rollout.sluice.dev/holder"
#define APPLIED   "rollout.sluice.dev/applied"
#define HELD_BACK "/spec/heldBack"

static int64_t at_least_zero(int64_t number)
{
    return number > 0 ? number : 0;
}

static int32_t observe_widget(const struct sluice_request *request)
{
    json_t *widget = sluice_at(request->json, "/workload");
    json_t *status = sluice_at(widget, "/status");
    bool settled = !widget || sluice_int(status, "/seenGeneration", 0) >=
                                  sluice_int(widget, "/metadata/generation", 0);
    return sluice_emit_take(
        request, SLUICE_STATUS,
        json_pack("{s:I, s:I, s:I, s:I, s:b}", "size",
                  (json_int_t)sluice_int(widget, "/spec/replicas", 0), "updated",
                  (json_int_t)sluice_int(status, "/fresh", 0), "updatedReady",
                  (json_int_t)sluice_int(status, "/freshReady", 0), "ready",
                  (json_int_t)sluice_int(status, "/ready", 0), "settled", settled));
}

/* Has begin been here already? The target's marks are on the live object then. */
static bool begun(json_t *widget, json_t *target)
{
    return strcmp(sluice_annotation(widget, HOLDER), sluice_annotation(target, HOLDER)) == 0 &&
           strcmp(sluice_annotation(widget, APPLIED), sluice_annotation(target, APPLIED)) == 0;
}

/* The new recipe, and as many pods held back as there are: nothing moves yet. One that isn't there
 * begins without a pod when they are to come in batches. */
static int32_t begin_widget(const struct sluice_request *request)
{
    json_t *widget = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (widget && begun(widget, target))
        return SLUICE_OK;
    json_t *object = json_deep_copy(target);
    if (widget) {
        int64_t size = sluice_int(widget, "/spec/replicas", 0);
        const char *version = sluice_string(widget, "/metadata/resourceVersion");
        sluice_put_take(object, "/spec/replicas", json_integer(size));
        sluice_put_take(object, HELD_BACK, json_integer(size));
        sluice_put_take(object, "/metadata/resourceVersion", json_string(version));
    } else if (sluice_bool(request->json, "/scale", false)) {
        sluice_put_take(object, "/spec/replicas", json_integer(0));
    }
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "apply", "body", object));
}

/* Changes the live object, and tests that its size still is what we counted with. */
static int32_t hold_back(const struct sluice_request *request, int64_t updated, bool let_go)
{
    static const char *const relies_on[] = {"/spec/replicas", NULL};
    json_t *widget = sluice_at(request->json, "/workload");
    json_t *after = json_deep_copy(widget);
    int64_t held = at_least_zero(sluice_int(widget, "/spec/replicas", 0) - updated);
    sluice_put_take(after, HELD_BACK, json_integer(held));
    if (let_go)
        sluice_remove(after, "/metadata/annotations/rollout.sluice.dev~1holder");
    int32_t result = sluice_emit_changes(request, widget, after, relies_on);
    json_decref(after);
    return result;
}

/* So many replicas, of whatever recipe. */
static int32_t resize(const struct sluice_request *request, int64_t size)
{
    json_t *widget = sluice_at(request->json, "/workload");
    json_t *after = json_deep_copy(widget);
    sluice_put_take(after, "/spec/replicas", json_integer(size));
    int32_t result = sluice_emit_changes(request, widget, after, NULL);
    json_decref(after);
    return result;
}

static int32_t advance_widget(const struct sluice_request *request)
{
    json_t *widget = sluice_at(request->json, "/workload");
    int64_t updated = sluice_int(widget, "/status/fresh", 0);
    int64_t goal = sluice_int(request->json, "/goal", 0);
    if (widget && sluice_bool(request->json, "/templateChanged", false))
        return hold_back(request, 0, false); /* whatever the counts are about */
    if (!widget || sluice_int(widget, "/status/seenGeneration", 0) <
                       sluice_int(widget, "/metadata/generation", 0))
        return sluice_fail(request, SLUICE_STALE, "/workload", "the counts are not there yet");
    bool paused = sluice_bool(request->json, "/paused", false);
    if (sluice_bool(request->json, "/scale", false))
        return paused ? SLUICE_OK : resize(request, goal);
    return hold_back(request, paused || updated > goal ? updated : goal, false);
}

/* Where it stands, whatever the outcome: after success that is everything. */
static int32_t finish_widget(const struct sluice_request *request)
{
    json_t *widget = sluice_at(request->json, "/workload");
    if (!widget || !*sluice_annotation(widget, HOLDER))
        return SLUICE_OK;
    return hold_back(request, sluice_int(widget, "/status/fresh", 0), true);
}

static int32_t observe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, observe_widget);
}

static int32_t begin(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, begin_widget);
}

static int32_t advance(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, advance_widget);
}

static int32_t finish(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, finish_widget);
}

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "template": ["/spec/recipe"],
        "keep": ["/metadata/annotations/rollout.sluice.dev~1holder",
                 "/metadata/annotations/rollout.sluice.dev~1applied", "/spec", "/status"]
    }],
    "rights": [{"apiGroups": ["example.com"], "resources": ["widgets"],
                "verbs": ["list", "watch", "create", "patch"]}]
});
/* clang-format on */

SLUICE_ADAPTER(.name = "widget", .version = "1.0.0", .manifest = manifest,
               .provides = SLUICE_PROVIDES_SCALE, .observe = observe, .begin = begin,
               .advance = advance, .finish = finish)
