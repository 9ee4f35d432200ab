// SPDX-License-Identifier: Apache-2.0
/* What an API server, or whoever says he is one, asks the webhook. */
#include "bytes.h"

#include "cli/review.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct review review = {0};
    struct error err = {0};
    int code = review_read((const char *)bytes, count, &review, &err);
    bytes_judge(code, &err);
    if (code == OK) {
        const struct error refusal = {.code = ERR_INVALID, .path = "spec", .text = "no"};
        free(review_answer(&review, &refusal, NULL));
        free(review_answer(&review, NULL, "careful"));
        review_done(&review);
    }
    return 0;
}
