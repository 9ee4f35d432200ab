// SPDX-License-Identifier: Apache-2.0
/* What the helper that evaluates templates answers. */
#include "bytes.h"

#include "oam/render_message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct render_answer answer = {0};
    struct error err = {0};
    int code = render_answer_read((const char *)bytes, count, 1, &answer, &err);
    bytes_judge(code, &err);
    if (code == OK && answer.err.code == OK && !answer.output)
        abort();
    if (code == OK)
        render_answer_done(&answer);
    return 0;
}
