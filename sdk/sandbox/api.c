// SPDX-License-Identifier: Apache-2.0
#include "api.h"

#include "base/alloc.h"
#include "base/json.h"
#include "discovery.h"
#include "failure.h"
#include "faults_api.h"
#include "read.h"
#include "scale.h"
#include "target.h"
#include "watch.h"
#include "write.h"

#include <stdlib.h>
#include <string.h>

typedef int verb_fn(struct sandbox *sandbox, const struct target *target,
                    const struct request *request, struct answer *answer, struct failure *failure);

static int get(struct sandbox *sandbox, const struct target *target, const struct request *request,
               struct answer *answer, struct failure *failure)
{
    const char *watch = request_query(request, "watch");
    if (!target->subresource && (str_equal(watch, "1") || str_equal(watch, "true")))
        return watch_begin_stream(sandbox, target, request, answer, failure);
    if (str_equal(target->subresource, "scale"))
        return scale_read(sandbox, target, request, answer, failure);
    if (target->name)
        return read_object(sandbox, target, request, answer, failure);
    return read_list(sandbox, target, request, answer, failure);
}

static int delete(struct sandbox *sandbox, const struct target *target,
                  const struct request *request, struct answer *answer, struct failure *failure)
{
    if (target->name)
        return write_delete(sandbox, target, request, answer, failure);
    return write_delete_all(sandbox, target, request, answer, failure);
}

static verb_fn *verb_of(const struct target *target, const char *method)
{
    if (strcmp(method, "GET") == 0)
        return get;
    if (strcmp(method, "DELETE") == 0)
        return delete;
    if (strcmp(method, "POST") == 0 && !target->name)
        return write_create;
    if (strcmp(method, "PUT") == 0 && target->name)
        return write_replace;
    if (strcmp(method, "PATCH") == 0 && target->name)
        return write_patch;
    return NULL;
}

/* A subresource says itself what can be done to it. */
static bool is_allowed(const struct target *target, const char *method)
{
    static const char *const verbs[][2] = {{"GET", "get"}, {"PUT", "update"}, {"PATCH", "patch"}};
    if (!target->subresource)
        return true;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i][0], method) == 0)
            return kind_allows(target->kind, target->subresource, verbs[i][1]);
    return false;
}

static int dispatch(struct sandbox *sandbox, const struct target *target,
                    const struct request *request, struct answer *answer, struct failure *failure)
{
    verb_fn *verb = verb_of(target, request->method);
    if (request->too_large)
        return fail(failure, 413, "RequestEntityTooLarge",
                    "Request entity too large: limit is 3145728");
    if (!verb || !is_allowed(target, request->method))
        return fail_method(failure);
    return verb(sandbox, target, request, answer, failure);
}

static void answer_failure(struct answer *answer, const struct failure *failure)
{
    json_t *status AUTO_JSON = failure_status(failure);
    char *text AUTO_FREE = json_text(status);
    text_done(&answer->body);
    text_puts(&answer->body, text);
    answer->status = failure->code;
    answer->type = "application/json";
}

/* Of a group version that is served, a kind that isn't. */
static bool is_of_known_group(const struct sandbox *sandbox, const char *path)
{
    for (size_t i = 0; i < registry_count(sandbox->kinds); i++) {
        const struct kind *kind = registry_at(sandbox->kinds, i);
        char *root AUTO_FREE =
            str_format("/%s/%s/", *kind->group ? "apis" : "api", kind->api_version);
        if (strncmp(path, root, strlen(root)) == 0)
            return true;
    }
    return false;
}

static void answer_nothing(const struct sandbox *sandbox, const char *path, struct answer *answer)
{
    struct failure failure = {0};
    if (is_of_known_group(sandbox, path)) {
        fail(&failure, 404, "NotFound", "the server could not find the requested resource");
        failure.details = json_object();
        answer_failure(answer, &failure);
        failure_done(&failure);
        return;
    }
    answer->status = 404;
    answer->type = "text/plain; charset=utf-8";
    text_puts(&answer->body, "404 page not found\n");
}

/* The answer is made first, and then what the fault does to it. */
static int answer_with(struct sandbox *sandbox, const struct target *target,
                       const struct fault *fault, const struct request *request,
                       struct answer *answer, struct failure *failure)
{
    answer->retry_after_s = fault->retry_after_s;
    answer->delay_ms = fault->delay_ms;
    if (fault->cut != CUT_NOT)
        answer->cut = fault->cut == CUT_BODY ? ANSWER_TORN : ANSWER_LOST;
    if (fault->kind == FAULT_ANSWER)
        return fault_fail(fault, failure);
    if (fault->cut == CUT_REQUEST)
        return 0;
    int code = dispatch(sandbox, target, request, answer, failure);
    if (answer->stream && answer->cut)
        answer->cut = ANSWER_LOST; /* there is no half of what has no end */
    return code;
}

static int answer_target(struct sandbox *sandbox, const struct target *target,
                         const struct request *request, struct answer *answer,
                         struct failure *failure)
{
    const struct fault *fault = faults_of_request(sandbox, target, request);
    return fault ? answer_with(sandbox, target, fault, request, answer, failure)
                 : dispatch(sandbox, target, request, answer, failure);
}

void api_answer(void *data, const struct request *request, struct answer *answer)
{
    struct sandbox *sandbox = data;
    struct failure failure = {0};
    struct target target;
    if (faults_answer(sandbox, request, answer) || discovery_answer(sandbox, request, answer))
        return;
    if (!target_read(sandbox->kinds, request->path, &target))
        answer_nothing(sandbox, request->path, answer);
    else if (answer_target(sandbox, &target, request, answer, &failure) < 0)
        answer_failure(answer, &failure);
    target_done(&target);
    failure_done(&failure);
}
