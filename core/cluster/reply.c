// SPDX-License-Identifier: Apache-2.0
/* What the API server's answers mean. */
#include "base/alloc.h"
#include "base/json.h"
#include "cluster/cluster_private.h"

#include <stdlib.h>
#include <string.h>

static int status_code(int status)
{
    if (status >= 200 && status < 300)
        return OK;
    switch (status) {
    case 400:
    case 405:
    case 406:
    case 415:
    case 422:
        return ERR_INVALID;
    case 401:
    case 403:
        return ERR_DENIED;
    case 404:
        return ERR_MISSING;
    case 409:
        return ERR_CONFLICT;
    case 410:
        return ERR_GONE;
    case 413:
        return ERR_LIMIT;
    default:
        return ERR_RETRY;
    }
}

/* Words for an answer that has none of its own. */
static const char *status_words(int status)
{
    switch (status) {
    case 401:
        return " (the credentials are not accepted)";
    case 403:
        return " (a right is missing)";
    case 404:
        return " (not found)";
    case 429:
        return " (too many requests)";
    default:
        return "";
    }
}

char *request_name(const char *method, const char *path)
{
    return str_format("%s %.*s", method, (int)strcspn(path, "?"), path);
}

void reply_error(int status, const json_t *body, const char *method, const char *path,
                 struct error *ret_err)
{
    int code = status_code(status);
    *ret_err = (struct error){0};
    if (code == OK)
        return;
    char *name AUTO_FREE = request_name(method, path);
    const char *message = json_string_at(body, "/message");
    if (!message)
        message = json_string_value(body); /* an answer that isn't JSON stands here as a string */
    if (message && *message)
        error_set(ret_err, code, "%s: %s", name, message);
    else
        error_set(ret_err, code, "%s: the server answered %d%s", name, status,
                  status_words(status));
}

const char *const request_verbs[REQUEST_VERBS] = {"get",   "list",   "watch", "create",
                                                  "patch", "update", "delete"};
const char *const request_codes[REQUEST_CODES] = {
    "none", "200", "201", "202", "400", "401", "403", "404", "405", "406", "409",
    "410",  "413", "415", "422", "429", "500", "502", "503", "504", "3xx", "other"};

static int verb_index(const char *verb)
{
    static const char *const methods[REQUEST_VERBS] = {"GET",   "LIST", "WATCH", "POST",
                                                       "PATCH", "PUT",  "DELETE"};
    int at = 0;
    while (at < REQUEST_VERBS - 1 && strcmp(methods[at], verb) != 0)
        at++;
    return at;
}

static int code_index(int status)
{
    enum { OTHER = REQUEST_CODES - 1, REDIRECTS = OTHER - 1 };
    if (status == 0)
        return 0;
    if (status / 100 == 3)
        return REDIRECTS;
    for (int at = 1; at < REDIRECTS; at++)
        if (atoi(request_codes[at]) == status)
            return at;
    return OTHER;
}

void count_request(struct cluster *cluster, const char *verb, int status)
{
    cluster->counts.requests[verb_index(verb)][code_index(status)]++;
}
