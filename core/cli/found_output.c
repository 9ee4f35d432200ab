// SPDX-License-Identifier: Apache-2.0
#include "cli/found_output.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/output.h"

#include <stdio.h>
#include <string.h>

static const char *const formats[] = {"json", "yaml", "name", NULL};
const struct flag flag_object_output = {
    .name = "output",
    .letter = 'o',
    .value = "FORMAT",
    .text = "json, yaml or name",
    .choices = formats,
};

static void print_name(const struct found *found)
{
    const char *group = found->kind->info.api_version;
    printf("%s.%.*s/%s\n", found->kind->info.plural, (int)strcspn(group, "/"), group,
           json_string_at(found->object, "/metadata/name"));
}

bool found_output(const struct found *found, const char *format)
{
    bool name = str_equal(format, "name");
    if (!name && !str_equal(format, "json") && !str_equal(format, "yaml"))
        return false;
    if (name)
        print_name(found);
    else
        output_json(found->object, format);
    return true;
}
