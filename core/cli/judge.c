// SPDX-License-Identifier: Apache-2.0
#include "cli/judge.h"

#include "base/alloc.h"
#include "base/json.h"
#include "reconcile/knows.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- hooks ---- */

static bool host_address(const char *host, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret_address;
    char bare[INET6_ADDRSTRLEN + 1];
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(host + (*host == '['), "]"),
             host + (*host == '['));
    *ret_address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, bare, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        return true;
    }
    v6->sin6_family = AF_INET6;
    return inet_pton(AF_INET6, bare, &v6->sin6_addr) == 1;
}

/* What a name resolves to is known when the hook is called; an address can be judged now. */
static int check_host(const struct allow *allow, CURLU *url, const char *path, struct error *err)
{
    char *allowed AUTO_FREE = allow ? allow_text(allow) : NULL;
    enum allow_verdict verdict = allow_url(allow, url);
    struct sockaddr_storage address;
    char *host = NULL;
    int code = OK;
    curl_url_get(url, CURLUPART_HOST, &host, 0);
    const char *kind = host && host_address(host, &address)
                           ? allow_refusal(allow, verdict, (struct sockaddr *)&address)
                           : NULL;
    if (verdict == ALLOW_NOT)
        code = error_at(err, ERR_INVALID, path,
                        "found the host %.253s; hooks.allow in the controller's config lets hooks "
                        "go to %.300s",
                        host ? host : "", allowed);
    else if (kind)
        code = error_at(err, ERR_INVALID, path,
                        "found %.64s, which is %s; hooks.allow in the controller's config has no "
                        "such address",
                        host, kind);
    curl_free(host);
    return code;
}

static int check_hooks(const struct allow *allow, const struct hook *hooks, size_t count,
                       const char *where, struct error *err)
{
    int code = OK;
    for (size_t i = 0; i < count && code == OK; i++) {
        char *path AUTO_FREE = str_format("%s[%zu].url", where, i);
        CURLU *url = curl_url();
        if (curl_url_set(url, CURLUPART_URL, hooks[i].url, 0) == CURLUE_OK)
            code = check_host(allow, url, path, err);
        else
            code =
                error_at(err, ERR_INVALID, path,
                         "found what is no URL; expected one such as https://gates.shop.svc/ask");
        curl_url_cleanup(url);
    }
    return code;
}

static int check_all_hooks(const struct allow *allow, const struct plan *plan, struct error *err)
{
    int code =
        check_hooks(allow, plan->hooks, plan->hook_count, "spec.rolloutPlan.rolloutWebhooks", err);
    for (size_t i = 0; i < plan->batch_count && code == OK; i++) {
        char *where AUTO_FREE =
            str_format("spec.rolloutPlan.rolloutBatches[%zu].batchRolloutWebhooks", i);
        code = check_hooks(allow, plan->batches[i].hooks, plan->batches[i].hook_count, where, err);
    }
    return code;
}

/* ---- a rollout ---- */

static int check_known(const struct judge *judge, const struct rollout_kind *kind,
                       const json_t *object, const struct plan *plan, struct error *err)
{
    int size = -1;
    if (!judge->controller || !kind->follows)
        return OK;
    int code = controller_knows(judge->controller, object, &size, err);
    return code == OK && size >= 0 ? rollout_sum_check(plan, size, err) : code;
}

static int judge_object(const struct judge *judge, const struct rollout_kind *kind,
                        const json_t *object, struct error *err)
{
    struct approllout rollout;
    int code = rollout_check(kind, object, err);
    if (code < 0)
        return code;
    kind->read(object, &rollout);
    code = rollout_plan_check(kind, &rollout, err);
    if (code == OK)
        code = check_all_hooks(judge->config->hook_allow, rollout.plan, err);
    if (code == OK)
        code = check_known(judge, kind, object, rollout.plan, err);
    approllout_done(&rollout);
    return code;
}

/* Its finalizers and marks may be written whatever stands in its spec, and when it is to go, too.
 */
static bool is_of_no_concern(const struct review *review)
{
    const json_t *spec = json_object_get(review->object, "spec");
    const json_t *before = json_object_get(review->before, "spec");
    return !review->kind || !review->object ||
           json_at(review->object, "/metadata/deletionTimestamp") ||
           (spec && before && json_equal((json_t *)(uintptr_t)spec, (json_t *)(uintptr_t)before));
}

int judge_review(const struct judge *judge, const struct review *review, struct error *err)
{
    struct error before = {0};
    if (is_of_no_concern(review))
        return OK;
    int code = judge_object(judge, review->kind, review->object, err);
    if (code == OK || !review->before)
        return code;
    bool old = judge_object(judge, review->kind, review->before, &before) < 0 &&
               strcmp(before.path, err->path) == 0;
    return old ? OK : code;
}
