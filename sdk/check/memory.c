// SPDX-License-Identifier: Apache-2.0
#include "memory.h"

#include "adapter/case.h"
#include "adapter/inprocess.h"
#include "base/alloc.h"
#include "base/json.h"

#include <malloc.h>
#include <string.h>

static void ask_others(struct transport *transport, const struct specimen *specimen)
{
    for (size_t i = 0; i < specimen->neighbours->count; i++)
        if (&specimen->neighbours->items[i] != specimen)
            case_run(transport, specimen->neighbours->items[i].json, NULL);
}

int memory_of_calls(const struct subject *subject, const struct specimen *specimen,
                    struct error *err)
{
    if (!specimen->passed)
        return OK; /* which has been said */
    struct transport *transport =
        inprocess_new(subject->table, &call_limits_default, &inprocess_host);
    ask_others(transport, specimen);
    int result = case_run(transport, specimen->json, err);
    transport->free(transport);
    if (result < 0)
        error_prefix(err, "after the other cases were asked");
    return result;
}

/* What malloc() has handed out, here. */
static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

static void ask_often(const struct subject *subject, const struct question *question, int times)
{
    for (int i = 0; i < times; i++) {
        struct answer answer;
        if (subject_ask(subject, &manner_normal, question, &answer, NULL) == OK)
            answer_done(&answer);
    }
}

/* How much more is in use after so many calls; the least of several tries, for caches of malloc()
 * and of the adapter's runtime fill up for a while. What is lost is lost in each of them. */
static size_t kept(const struct subject *subject, const struct question *question, int times)
{
    enum { TRIES = 20 };
    size_t least = SIZE_MAX;
    for (int try = 0; try < TRIES && least; try++) {
        size_t before = in_use();
        ask_often(subject, question, times);
        size_t after = in_use();
        size_t more = after > before ? after - before : 0;
        least = more < least ? more : least;
    }
    return least;
}

int memory_released(const struct subject *subject, const struct specimen *specimen,
                    struct error *err)
{
    enum { TIMES = 30, LEAST_BLOCK = 16 };
    struct case_plan plan;
    int result = case_read(specimen->json, &plan, err);
    if (result < 0)
        return result;
    char *text AUTO_FREE = json_text(plan.request);
    const struct question question = {.kind = plan.call, .text = text, .length = strlen(text)};
    ask_often(subject, &question, TIMES);
    size_t bytes = kept(subject, &question, TIMES);
    if (bytes < TIMES * LEAST_BLOCK)
        return OK;
    return error_set(err, ERR_BUG,
                     "%s keeps what it allocates: expected nothing to stay after a call, found "
                     "%zu bytes, each time",
                     call_name(plan.call), bytes / TIMES);
}
