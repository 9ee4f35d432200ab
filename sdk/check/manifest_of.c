// SPDX-License-Identifier: Apache-2.0
#include "manifest_of.h"

#include "adapter/emissions.h"
#include "base/alloc.h"
#include "base/json.h"
#include "carry.h"

/* What describe() says with the request's options. The caller owns *ret_json. */
static bool described(const struct subject *subject, const json_t *request, json_t **ret_json)
{
    struct answer answer;
    const json_t *options = json_object_get(request, "options");
    json_t *question AUTO_JSON = json_pack("{s:O?}", "options", options);
    if (!options || carry_ask(subject, &manner_normal, CALL_DESCRIBE, question, &answer) < 0)
        return false;
    bool done = answer.result == SLUICE_OK && emissions_manifest(&answer, ret_json, NULL) == OK;
    answer_done(&answer);
    return done;
}

bool manifest_of(const struct subject *subject, const json_t *request,
                 struct manifest *ret_manifest)
{
    struct manifest manifest;
    json_t *json AUTO_JSON = NULL;
    const struct manifest_source source = {
        .text = subject->table->manifest, .newer = subject->newer, .describes = true};
    if (manifest_parse(&source, &manifest, NULL) < 0)
        return false;
    if (manifest.kind_count == 0 &&
        (!described(subject, request, &json) ||
         manifest_describe(&manifest, json, subject->newer, NULL) < 0)) {
        manifest_done(&manifest);
        return false;
    }
    *ret_manifest = manifest;
    return true;
}

const struct adapter_kind *manifest_kind_of(const struct manifest *manifest, const json_t *object)
{
    for (size_t i = 0; i < manifest->kind_count; i++)
        if (str_equal(manifest->kinds[i].api_version, json_string_at(object, "/apiVersion")) &&
            str_equal(manifest->kinds[i].kind, json_string_at(object, "/kind")))
            return &manifest->kinds[i];
    return NULL;
}
