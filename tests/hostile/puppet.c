// SPDX-License-Identifier: Apache-2.0
/*
 * Does what its options say, good or bad, so that a test can try what the host makes of it:
 *   emit       array of {"kind": number, "text": what is emitted, byte for byte}
 *   result     what every call returns
 *   pointer, text   what is said with fail()
 *   repeat     how often each of `emit` is emitted
 *   alloc      bytes to allocate first
 *   echo       true: emits the request as an EVENT's message
 */
#include <sluice/json.h>

static int32_t emit_all(const struct sluice_request *request, json_t *options)
{
    size_t i;
    json_t *item;
    int32_t result = SLUICE_OK;
    json_array_foreach (sluice_at(options, "/emit"), i, item)
        for (int64_t n = sluice_int(options, "/repeat", 1); n > 0; n--)
            result = request->host->emit(request->call, (uint32_t)sluice_int(item, "/kind", 0),
                                         sluice_text_of(sluice_string(item, "/text")));
    return result;
}

static int32_t echo(const struct sluice_request *request)
{
    json_object_del(request->json, "options");
    char *text = json_dumps(request->json, JSON_COMPACT | JSON_SORT_KEYS);
    json_t *event = json_pack("{s:s, s:s, s:s}", "type", "Normal", "reason", "Echo", "message",
                              text ? text : "");
    free(text);
    return sluice_emit_take(request, SLUICE_EVENT, event);
}

static int32_t perform(const struct sluice_request *request)
{
    json_t *options = sluice_at(request->json, "/options");
    if (sluice_bool(options, "/echo", false))
        return echo(request);
    if (sluice_at(options, "/alloc"))
        request->host->alloc(request->call, (uint64_t)sluice_int(options, "/alloc", 0));
    emit_all(request, options);
    if (sluice_at(options, "/text"))
        sluice_fail(request, SLUICE_BUG, sluice_string(options, "/pointer"), "%s",
                    sluice_string(options, "/text"));
    return (int32_t)sluice_int(options, "/result", SLUICE_OK);
}

static int32_t any_call(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return sluice_with_request(host, call, request, perform);
}

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
    "rights": [{"apiGroups": ["x.io"], "resources": ["xs"], "verbs": ["get", "patch"]}],
    "options": {"type": "object"}
});
/* clang-format on */

SLUICE_ADAPTER(.name = "puppet", .version = "1.0.0", .manifest = manifest, .validate = any_call,
               .observe = any_call, .begin = any_call, .advance = any_call, .finish = any_call)
