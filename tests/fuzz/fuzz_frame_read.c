// SPDX-License-Identifier: Apache-2.0
/* Any bytes as what an adapter's process says, the first of them choosing between a hello and an
 * answer: they are read into something within its limits that can be written and read again as the
 * same, or refused with words. */
#include "adapter/frame.h"
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static const char *body_of(const struct text *frame, size_t *ret_length)
{
    *ret_length = frame->len - sizeof(struct frame_header);
    return frame->at + sizeof(struct frame_header);
}

static void must_be_same(const struct text *a, const struct text *b)
{
    must(a->len == b->len && memcmp(a->at, b->at, a->len) == 0);
}

static void check_hello(struct hello *hello)
{
    struct text once AUTO(text_done) = {0}, twice AUTO(text_done) = {0};
    struct hello again;
    struct error err = {0};
    size_t length;
    must(hello->code == OK ? hello->version && hello->manifest : hello->refusal != NULL);
    frame_put_hello(&once, hello);
    const char *body = body_of(&once, &length);
    must(frame_read_hello(body, length, &again, &err) == OK);
    frame_put_hello(&twice, &again);
    must_be_same(&once, &twice);
    hello_done(&again);
    hello_done(hello);
}

static void check_limits(const struct answer *answer)
{
    size_t bytes = 0;
    must(answer->emission_count <= call_limits_default.emissions);
    for (size_t i = 0; i < answer->emission_count; i++) {
        must(answer->emissions[i].text[answer->emissions[i].length] == '\0');
        bytes += answer->emissions[i].length;
    }
    must(bytes == answer->emitted_bytes && bytes <= call_limits_default.bytes);
}

static void check_answer(struct answer *answer)
{
    struct text once AUTO(text_done) = {0}, twice AUTO(text_done) = {0};
    struct answer again;
    struct error err = {0};
    size_t length;
    check_limits(answer);
    frame_put_answer(&once, answer);
    const char *body = body_of(&once, &length);
    must(frame_read_answer(body, length, &call_limits_default, &again, &err) == OK);
    frame_put_answer(&twice, &again);
    must_be_same(&once, &twice);
    answer_done(&again);
    answer_done(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct hello hello;
    struct answer answer;
    struct error err = {0};
    if (!count)
        return 0;
    const char *body = (const char *)bytes + 1;
    int result;
    if (bytes[0] % 2) {
        result = frame_read_hello(body, count - 1, &hello, &err);
        if (result == OK)
            check_hello(&hello);
    } else {
        result = frame_read_answer(body, count - 1, &call_limits_default, &answer, &err);
        if (result == OK)
            check_answer(&answer);
    }
    must(result == OK || (result == ERR_BUG && err.text[0]));
    return 0;
}
