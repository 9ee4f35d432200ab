// SPDX-License-Identifier: Apache-2.0
/* AdmissionReview (admission.k8s.io/v1): what the API server asks a webhook, and what it is
 * answered. Pure. */
#ifndef CLI_REVIEW_H
#define CLI_REVIEW_H

#include "cli/rollout_kinds.h"

struct review {
    json_t *root;
    const char *uid;                 /* these, and the rest, borrowed from `root` */
    const struct rollout_kind *kind; /* NULL: none of ours */
    const json_t *object;            /* as it is to become; NULL: it is deleted */
    const json_t *before;            /* NULL: it is new */
};

/* Release with review_done(). ERR_INVALID: it isn't one; the words say what was expected. */
int review_read(const char *bytes, size_t length, struct review *ret_review, struct error *err);
void review_done(struct review *review);

/* The answer: yes when `refusal` is NULL, otherwise no with its path and its words. What is said as
 * a warning, NULL for nothing, stands beside either. The caller frees it. */
char *review_answer(const struct review *review, const struct error *refusal, const char *warning);

#endif
