// SPDX-License-Identifier: Apache-2.0
/* What the API server's answers mean. */
#include "base/alloc.h"
#include "base/json.h"
#include "cluster/cluster_private.h"

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
