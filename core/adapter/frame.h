// SPDX-License-Identifier: Apache-2.0
/*
 * What this process and an adapter's own process say to each other, over one socket. A frame is a
 * header, then as many bytes as it announces. The helper speaks first, once: a hello with what
 * there is to know about the adapter, or with its refusal. Then each question gets one answer.
 *
 * Nothing that comes from the other side is believed: every length is checked against what is
 * there and against its limit. Pure; numbers are in the machine's own order, for both ends are on
 * the same machine.
 */
#ifndef ADAPTER_FRAME_H
#define ADAPTER_FRAME_H

#include "adapter/call.h"
#include "base/error.h"
#include "base/text.h"

struct frame_header {
    uint32_t length; /* of what follows */
    uint32_t what;   /* enum frame_kind, or enum call_kind in a question */
};

enum frame_kind { FRAME_HELLO = 0x51, FRAME_ANSWER = 0x52 };

enum {
    QUESTION_MAX = 64 << 20,
    HELLO_MAX = 1 << 20,
    ANSWER_MAX = 5 << 20, /* what a call may emit, and the rest */
};

/* What an adapter's table says. */
struct hello {
    int code; /* OK, or why it is refused, with the words */
    char *refusal;
    uint32_t minor;
    uint64_t provides;
    uint32_t calls; /* bit n: it has call n of enum call_kind */
    char *version, *manifest;
};
void hello_done(struct hello *hello);

/* Appends a whole frame. */
void frame_put_hello(struct text *text, const struct hello *hello);
void frame_put_answer(struct text *text, const struct answer *answer);

/* Read the bytes after the header. ERR_BUG: they make no sense, and no output was touched. */
int frame_read_hello(const char *bytes, size_t length, struct hello *ret_hello, struct error *err);
int frame_read_answer(const char *bytes, size_t length, const struct call_limits *limits,
                      struct answer *ret_answer, struct error *err);

#endif
