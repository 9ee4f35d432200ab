// SPDX-License-Identifier: Apache-2.0
/*
 * One call of one adapter: bytes in, emitted bytes out. Everything above this border is typed and
 * checked, everything below it only carries bytes. A transport is a way to get there: inprocess.h
 * calls the loaded table directly; a helper process carries the same bytes over a socket pair.
 *
 * Threading and lifetime: one call at a time; a transport lives as long as its adapter.
 */
#ifndef ADAPTER_CALL_H
#define ADAPTER_CALL_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_kind {
    CALL_VALIDATE,
    CALL_OBSERVE,
    CALL_BEGIN,
    CALL_ADVANCE,
    CALL_FINISH,
    CALL_DESCRIBE,
    CALL_COUNT
};

/* "validate", "observe", … Never NULL. */
const char *call_name(enum call_kind kind);

/* How much one call may use. */
struct call_limits {
    size_t memory; /* bytes from the host's alloc */
    size_t bytes;  /* emitted, all together */
    size_t emissions;
};
extern const struct call_limits call_limits_default;

/* What the adapter emitted, in order. */
struct emission {
    uint32_t kind; /* SLUICE_STATUS, … */
    char *text;    /* ends in a NUL beyond `length` */
    size_t length;
};

/* How a call ended. */
struct answer {
    int32_t result; /* SLUICE_OK, … as the adapter returned it, whatever it is */
    struct emission *emissions;
    size_t emission_count;
    size_t emitted_bytes;
    bool over_limit;    /* an emission or allocation was refused */
    char *fail_pointer; /* what fail() said last; NULL when it wasn't called */
    char *fail_text;
    struct text log; /* lines for whoever debugs the adapter */
};
void answer_done(struct answer *answer);

/* What came of a call, where it isn't returned at once. */
struct call_outcome {
    struct error err; /* OK: there is an answer, which the receiver releases */
    struct answer answer;
};

/* What is asked. The text need not end in a NUL. Borrowed during the call. */
struct question {
    enum call_kind kind;
    const char *text;
    size_t length;
};

struct transport {
    /* Does the adapter have this call? */
    bool (*has)(const struct transport *transport, enum call_kind kind);
    /* Makes the call and fills *ret_answer, which the caller releases with answer_done(). An error
     * is the transport's (the helper died, took too long), never the adapter's answer. */
    int (*call)(struct transport *transport, const struct question *question,
                struct answer *ret_answer, struct error *err);
    void (*free)(struct transport *transport);
};

#endif
