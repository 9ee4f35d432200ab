// SPDX-License-Identifier: Apache-2.0
#include "adapter/call.h"

#include <stdlib.h>

const struct call_limits call_limits_default = {
    .memory = 64u << 20,
    .bytes = 4u << 20,
    .emissions = 1000,
};

const char *call_name(enum call_kind kind)
{
    static const char *const names[CALL_COUNT] = {
        [CALL_VALIDATE] = "validate", [CALL_OBSERVE] = "observe", [CALL_BEGIN] = "begin",
        [CALL_ADVANCE] = "advance",   [CALL_FINISH] = "finish",   [CALL_DESCRIBE] = "describe",
    };
    return kind < CALL_COUNT ? names[kind] : "unknown";
}

void answer_done(struct answer *answer)
{
    for (size_t i = 0; i < answer->emission_count; i++)
        free(answer->emissions[i].text);
    free(answer->emissions);
    free(answer->fail_pointer);
    free(answer->fail_text);
    text_done(&answer->log);
    *answer = (struct answer){0};
}
