// SPDX-License-Identifier: Apache-2.0
#include "cli/review.h"

#include "base/alloc.h"
#include "base/json.h"

#define REVIEW_API  "admission.k8s.io/v1"
#define REVIEW_KIND "AdmissionReview"

enum { UNPROCESSABLE = 422 };

static const json_t *object_at(const json_t *root, const char *pointer)
{
    const json_t *object = json_at(root, pointer);
    return json_is_object(object) ? object : NULL;
}

static int check_head(const json_t *root, struct error *err)
{
    const char *api = json_string_at(root, "/apiVersion"), *kind = json_string_at(root, "/kind");
    if (str_equal(api, REVIEW_API) && str_equal(kind, REVIEW_KIND))
        return OK;
    return error_set(err, ERR_INVALID,
                     "expected " REVIEW_KIND " (" REVIEW_API "), found %.80s (%.80s)",
                     kind ? kind : "no kind", api ? api : "no apiVersion");
}

static int check_request(const struct review *review, struct error *err)
{
    if (!review->uid)
        return error_at(err, ERR_INVALID, "request.uid", "expected a text, found none");
    if (!review->object && !review->before)
        return error_at(err, ERR_INVALID, "request.object", "expected an object, found none");
    return OK;
}

int review_read(const char *bytes, size_t length, struct review *ret_review, struct error *err)
{
    struct review review = {0};
    int code = json_parse(bytes, length, &review.root, err);
    if (code < 0)
        return code;
    review.uid = json_string_at(review.root, "/request/uid");
    review.object = object_at(review.root, "/request/object");
    review.before = object_at(review.root, "/request/oldObject");
    const json_t *either = review.object ? review.object : review.before;
    review.kind =
        rollout_kind_of(json_string_at(either, "/apiVersion"), json_string_at(either, "/kind"));
    if ((code = check_head(review.root, err)) < 0 || (code = check_request(&review, err)) < 0)
        review_done(&review);
    else
        *ret_review = review;
    return code;
}

void review_done(struct review *review)
{
    json_decref(review->root);
    *review = (struct review){0};
}

static json_t *status_of(const struct error *refusal)
{
    char *words AUTO_FREE =
        str_format("%s%s%s", refusal->path, *refusal->path ? ": " : "", refusal->text);
    return json_pack("{s:s, s:s, s:s, s:i}", "status", "Failure", "reason", "Invalid", "message",
                     words, "code", UNPROCESSABLE);
}

char *review_answer(const struct review *review, const struct error *refusal, const char *warning)
{
    json_t *response = json_pack("{s:s, s:b}", "uid", review->uid, "allowed", !refusal);
    if (refusal)
        json_object_set_new(response, "status", status_of(refusal));
    if (warning)
        json_object_set_new(response, "warnings", json_pack("[s]", warning));
    json_t *answer AUTO_JSON = json_pack("{s:s, s:s, s:o}", "apiVersion", REVIEW_API, "kind",
                                         REVIEW_KIND, "response", response);
    return json_text(answer);
}
