// SPDX-License-Identifier: Apache-2.0
#include "adapter/request.h"

#include "base/json.h"

enum {
    FOR_VALIDATE = 1 << CALL_VALIDATE,
    FOR_OBSERVE = 1 << CALL_OBSERVE,
    FOR_BEGIN = 1 << CALL_BEGIN,
    FOR_ADVANCE = 1 << CALL_ADVANCE,
    FOR_FINISH = 1 << CALL_FINISH,
    FOR_DESCRIBE = 1 << CALL_DESCRIBE, /* knows of no workload */
    FOR_ALL = FOR_VALIDATE | FOR_OBSERVE | FOR_BEGIN | FOR_ADVANCE | FOR_FINISH,
};

/* jansson counts references, so it takes no const; nothing else of the object changes. */
static json_t *shared(const json_t *json)
{
    return json_incref((json_t *)(uintptr_t)json);
}

/* What is part of the request. A member that the call doesn't get is released. */
struct draft {
    json_t *json;
    int bit; /* of the call */
};

static void add_take(struct draft *draft, int calls, const char *name, json_t *value)
{
    if (value && (calls & draft->bit))
        json_object_set_new(draft->json, name, value);
    else
        json_decref(value);
}

char *request_text(enum call_kind kind, const struct adapter_request *request,
                   const json_t *options)
{
    json_t *json AUTO_JSON = json_object();
    struct draft draft = {.json = json, .bit = 1 << kind};
    add_take(&draft, FOR_ALL, "workload",
             request->workload ? shared(request->workload) : json_null());
    add_take(&draft, FOR_ALL, "target", shared(request->target));
    add_take(&draft, FOR_ALL, "pods", shared(request->pods));
    add_take(&draft, FOR_ALL, "owned", shared(request->owned));
    add_take(&draft, FOR_ALL & ~FOR_OBSERVE, "strategy",
             request->strategy ? json_string(request->strategy) : NULL);
    add_take(&draft, FOR_ALL & ~FOR_OBSERVE, "strategyGiven",
             request->strategy_given ? json_true() : NULL);
    add_take(&draft, FOR_VALIDATE, "inSteps", request->in_steps ? json_true() : NULL);
    add_take(&draft, FOR_ALL & ~FOR_OBSERVE, "scale", json_boolean(request->scale));
    add_take(&draft, FOR_BEGIN, "hold", request->hold ? json_true() : NULL);
    add_take(&draft, FOR_ADVANCE, "goal", json_integer(request->goal));
    add_take(&draft, FOR_ADVANCE, "paused", json_boolean(request->paused));
    add_take(&draft, FOR_ADVANCE, "templateChanged",
             request->template_changed ? json_true() : NULL);
    add_take(&draft, FOR_VALIDATE | FOR_ADVANCE, "maxUnavailable",
             json_integer(request->max_unavailable));
    add_take(&draft, FOR_VALIDATE | FOR_ADVANCE, "podNames", shared(request->pod_names));
    add_take(&draft, FOR_FINISH, "outcome",
             request->outcome ? json_string(request->outcome) : NULL);
    add_take(&draft, FOR_DESCRIBE, "native", shared(request->native));
    add_take(&draft, FOR_ALL | FOR_DESCRIBE, "options", options ? shared(options) : json_object());
    return json_text(json);
}
