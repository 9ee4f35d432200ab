// SPDX-License-Identifier: Apache-2.0
#include "oam/render_message.h"

#include "base/alloc.h"
#include "base/json.h"

#include <string.h>

char *render_request(int64_t id, const char *template, const json_t *context,
                     const json_t *parameter)
{
    json_t *request AUTO_JSON = json_pack("{s:I, s:s}", "id", (json_int_t)id, "template", template);
    json_object_set_new(request, "context", json_deep_copy(context));
    json_object_set_new(request, "parameter", json_deep_copy(parameter));
    return json_text(request);
}

/* Parameters are where the user wrote them, everything else is the template's. */
static void fault_read(const json_t *fault, struct error *err)
{
    const char *code = json_string_at(fault, "/code");
    const char *message = json_string_at(fault, "/message");
    const char *path = json_string_at(fault, "/path");
    int64_t line = json_int_at(fault, "/line", 0), column = json_int_at(fault, "/column", 0);
    bool engine = str_equal(code, "internal");
    char where[64] = "";
    if (line > 0)
        snprintf(where, sizeof where, " (template line %lld, column %lld)", (long long)line,
                 (long long)column);
    error_at(err, engine ? ERR_RETRY : ERR_INVALID, path ? path : "", "%s%s%s",
             engine ? "the renderer failed: " : "", message ? message : "no reason was given",
             where);
}

/* One request is out at a time, so an answer with a number that can't be held is the answer to it
 * although its id can't be read. */
static int unreadable(const json_error_t *where, struct render_answer *ret_answer,
                      struct error *err)
{
    if (json_error_code(where) != json_error_numeric_overflow)
        return error_set(err, ERR_BUG, "its answer is not JSON: %s", where->text);
    *ret_answer = (struct render_answer){0};
    error_at(&ret_answer->err, ERR_INVALID, "output",
             "the template makes a number that doesn't fit in 64 bits");
    return OK;
}

int render_answer_read(const char *bytes, size_t length, int64_t id,
                       struct render_answer *ret_answer, struct error *err)
{
    json_error_t where;
    json_t *json AUTO_JSON = json_loadb(bytes, length, JSON_ALLOW_NUL, &where);
    if (!json)
        return unreadable(&where, ret_answer, err);
    json_t *output = json_object_get(json, "output"), *outputs = json_object_get(json, "outputs");
    const json_t *fault = json_object_get(json, "error");
    if (json_int_at(json, "/id", -1) != id)
        return error_set(err, ERR_BUG, "it answered a request that was not asked");
    if (!json_is_object(fault) && !(json_is_object(output) && json_is_object(outputs)))
        return error_set(err, ERR_BUG, "its answer has neither output and outputs nor an error");
    *ret_answer = (struct render_answer){0};
    if (fault) {
        fault_read(fault, &ret_answer->err);
        return OK;
    }
    ret_answer->output = json_incref(output);
    ret_answer->outputs = json_incref(outputs);
    return OK;
}

void render_answer_done(struct render_answer *answer)
{
    json_decref(answer->output);
    json_decref(answer->outputs);
    *answer = (struct render_answer){0};
}
