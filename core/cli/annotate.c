// SPDX-License-Identifier: Apache-2.0
#include "cli/annotate.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/json_patch.h"

#include <string.h>

#define ANNOTATIONS "/metadata/annotations"

/* Does an earlier step make room? */
static bool has_room(const json_t *patch)
{
    return json_find(patch, "/path", ANNOTATIONS) != NULL;
}

void annotation_add(json_t *patch, const json_t *object, const char *name, const char *text)
{
    const char *slash = strchrnul(name, '/');
    char *path AUTO_FREE = str_format(ANNOTATIONS "/%.*s%s%s", (int)(slash - name), name,
                                      *slash ? "~1" : "", *slash ? slash + 1 : "");
    if (!json_at(object, ANNOTATIONS) && !has_room(patch))
        json_array_append_new(patch, json_patch_step_take("add", ANNOTATIONS, json_object()));
    json_array_append_new(patch, json_patch_step_take("add", path, json_string(text)));
}
