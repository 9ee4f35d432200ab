// SPDX-License-Identifier: Apache-2.0
#include "patch.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"

static int check_version(const json_t *object, const json_t *body, struct error *err)
{
    const json_t *expected = json_at(body, "/metadata/resourceVersion");
    const char *wanted = json_string_value(expected);
    const char *found = json_string_at(object, "/metadata/resourceVersion");
    if (!expected || !object || str_equal(wanted, found))
        return OK;
    return error_set(err, ERR_CONFLICT, "test /metadata/resourceVersion: expected %s, found %s",
                     wanted ? wanted : "no text", found ? found : "nothing");
}

int patch_apply(json_t **object, const json_t *patch, struct error *err)
{
    const char *type = json_string_at(patch, "/type");
    const json_t *body = json_at(patch, "/body");
    if (json_is_array(body))
        return json_patch(object, body, err);
    if (!*object && !str_equal(type, "apply"))
        return error_set(err, ERR_MISSING, "a %s patch of an object that isn't there", type);
    int result = check_version(*object, body, err);
    if (result < 0)
        return result;
    if (!*object)
        *object = json_object();
    json_merge(*object, body);
    return OK;
}
