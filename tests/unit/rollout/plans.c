// SPDX-License-Identifier: Apache-2.0
#include "plans.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *quoted_json(const char *text)
{
    struct error err = {0};
    json_t *json = NULL;
    char *copy AUTO_FREE = str_copy(text);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    if (json_parse(copy, strlen(copy), &json, &err) == OK)
        return json;
    fprintf(stderr, "%s: %s\n", copy, err.text);
    abort();
}

struct plan *plan_of(const char *text)
{
    struct error err = {0};
    struct plan *plan = NULL;
    json_t *json AUTO_JSON = quoted_json(text);
    if (plan_read(json, "spec.rolloutPlan", &plan, &err) == OK)
        return plan;
    fprintf(stderr, "%s: %s: %s\n", text, err.path, err.text);
    abort();
}
