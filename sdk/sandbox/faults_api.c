// SPDX-License-Identifier: Apache-2.0
#include "faults_api.h"

#include "base/alloc.h"
#include "base/json.h"
#include "nodes.h"
#include "pods.h"

#include <stdlib.h>
#include <string.h>

#define FAULTS_PATH "/sandbox/faults"

/* ── The path ─────────────────────────────────────────────────────────────────────────────── */

static void say_json(struct answer *answer, unsigned status, const json_t *json)
{
    char *text AUTO_FREE = json_text(json);
    text_puts(&answer->body, text);
    answer->status = status;
}

static void say_failure_take(struct answer *answer, struct failure *failure)
{
    json_t *status AUTO_JSON = failure_status(failure);
    say_json(answer, failure->code, status);
    failure_done(failure);
}

static void say_list(struct sandbox *sandbox, struct answer *answer)
{
    json_t *list AUTO_JSON = faults_list(sandbox->faults);
    say_json(answer, 200, list);
}

static void add(struct sandbox *sandbox, const struct request *request, struct answer *answer)
{
    struct failure failure = {0};
    struct error err = {0};
    json_t *rules AUTO_JSON = NULL, *added AUTO_JSON = NULL;
    if (json_parse(request->body, request->body_length, &rules, &err) < 0)
        fail(&failure, 400, "BadRequest", "the rules are no JSON: %s", err.text);
    else if (sandbox_add_faults(sandbox, rules, &added, &err) < 0)
        fail(&failure, 422, "Invalid", "%s", err.text);
    if (failure.code)
        say_failure_take(answer, &failure);
    else
        say_json(answer, 201, added);
}

/* Pods and nodes that a rule had its hands on get well again. */
static void heal(struct sandbox *sandbox)
{
    pods_look(sandbox);
    nodes_look(sandbox);
}

static void drop(struct sandbox *sandbox, const char *id, struct answer *answer)
{
    struct failure failure = {0};
    char *end = NULL;
    long long number = *id ? strtoll(id + 1, &end, 10) : 0;
    if (!*id)
        faults_clear(sandbox->faults);
    else if (*end || !faults_remove(sandbox->faults, number))
        fail(&failure, 404, "NotFound", "there is no fault %s", id + 1);
    heal(sandbox);
    if (failure.code)
        say_failure_take(answer, &failure);
    else
        say_list(sandbox, answer);
}

bool faults_answer(struct sandbox *sandbox, const struct request *request, struct answer *answer)
{
    size_t length = strlen(FAULTS_PATH);
    const char *id = request->path + length;
    struct failure failure = {0};
    if (strncmp(request->path, FAULTS_PATH, length) != 0 || (*id && *id != '/'))
        return false;
    if (strcmp(request->method, "GET") == 0 && !*id)
        say_list(sandbox, answer);
    else if (strcmp(request->method, "POST") == 0 && !*id)
        add(sandbox, request, answer);
    else if (strcmp(request->method, "DELETE") == 0)
        drop(sandbox, id, answer);
    else {
        fail_method(&failure);
        say_failure_take(answer, &failure);
    }
    return true;
}

/* ── Requests ─────────────────────────────────────────────────────────────────────────────── */

static const char *verb_of(const struct target *target, const struct request *request)
{
    static const char *const verbs[][3] = {
        {"POST", "create", "create"}, {"PUT", "update", "update"},
        {"PATCH", "patch", "patch"},  {"DELETE", "delete", "deletecollection"},
        {"GET", "get", "list"},
    };
    const char *watch = request_query(request, "watch");
    if (str_equal(watch, "1") || str_equal(watch, "true"))
        return "watch";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verbs[i][0], request->method) == 0)
            return verbs[i][target->name ? 1 : 2];
    return "";
}

const struct fault *faults_of_request(struct sandbox *sandbox, const struct target *target,
                                      const struct request *request)
{
    char *resource AUTO_FREE =
        str_format("%s%s%s", target->kind->plural, target->subresource ? "/" : "",
                   target->subresource ? target->subresource : "");
    const struct fault_subject subject = {.verb = verb_of(target, request),
                                          .resource = resource,
                                          .ns = target->ns,
                                          .name = target->name,
                                          .agent = request_header(request, "User-Agent")};
    return faults_pick(sandbox->faults, FAULTS_OF_REQUESTS, &subject);
}

/* As Kubernetes calls them; a code that it doesn't know has no reason. */
int fault_fail(const struct fault *fault, struct failure *failure)
{
    static const struct {
        unsigned code;
        const char *reason, *message;
    } known[] = {
        {401, "Unauthorized", "Unauthorized"},
        {403, "Forbidden", "forbidden by a fault"},
        {404, "NotFound", "not found, by a fault"},
        {409, "Conflict",
         "Operation cannot be fulfilled: the object has been modified; please apply your changes "
         "to the latest version and try again"},
        {410, "Expired", "The resourceVersion for the provided watch is too old."},
        {429, "TooManyRequests", "too many requests, please try again later"},
        {500, "InternalError", "Internal error occurred: a fault"},
        {503, "ServiceUnavailable", "the server is currently unable to handle the request"},
        {504, "Timeout", "the request did not complete within the allotted timeout"},
    };
    const char *reason = "", *message = "a fault";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == fault->code) {
            reason = known[i].reason;
            message = known[i].message;
        }
    fail(failure, fault->code, reason, "%s", message);
    if (fault->retry_after_s)
        failure->details = json_pack("{sI}", "retryAfterSeconds", (json_int_t)fault->retry_after_s);
    return -1;
}
