// SPDX-License-Identifier: Apache-2.0
#include "adapter/inprocess.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

struct inprocess {
    struct transport transport;
    sluice_adapter table;
    struct call_limits limits;
    const sluice_host *host;
};

/* A piece of memory that lives as long as the call. */
struct piece {
    struct piece *next;
    max_align_t bytes[];
};

struct sluice_call {
    const struct call_limits *limits;
    struct answer *answer;
    struct piece *pieces;
    size_t memory;
};

static void *on_alloc(sluice_call *call, uint64_t size)
{
    if (size > call->limits->memory - call->memory) {
        call->answer->over_limit = true;
        return NULL;
    }
    struct piece *piece = mem_alloc(sizeof *piece + size);
    piece->next = call->pieces;
    call->pieces = piece;
    call->memory += size;
    return piece->bytes;
}

static void pieces_free(struct piece *piece)
{
    while (piece) {
        struct piece *next = piece->next;
        free(piece);
        piece = next;
    }
}

static int32_t on_emit(sluice_call *call, uint32_t kind, sluice_text json)
{
    struct answer *answer = call->answer;
    if (json.length > call->limits->bytes - answer->emitted_bytes ||
        answer->emission_count >= call->limits->emissions) {
        answer->over_limit = true;
        return SLUICE_LIMIT;
    }
    size_t count = answer->emission_count++;
    answer->emissions = mem_grow(answer->emissions, (count + 1) * sizeof *answer->emissions);
    answer->emissions[count] = (struct emission){
        .kind = kind, .text = str_copy_n(json.at, json.length), .length = json.length};
    answer->emitted_bytes += json.length;
    return SLUICE_OK;
}

enum {
    FAIL_MAX = 700,     /* no more fits into a struct error */
    LOG_MAX = 64 << 10, /* of lines for whoever debugs */
};

static void fail_keep(char **place, sluice_text text)
{
    free(*place);
    *place = str_copy_n(text.at, text.length < FAIL_MAX ? text.length : FAIL_MAX);
}

static void on_fail(sluice_call *call, sluice_text pointer, sluice_text text)
{
    fail_keep(&call->answer->fail_pointer, pointer);
    fail_keep(&call->answer->fail_text, text);
}

/* Nothing below the reconciler logs, so the lines go back with the answer. */
static void on_log(sluice_call *call, uint32_t level, sluice_text text)
{
    static const char *const names[] = {"debug", "info", "warn"};
    struct text *log = &call->answer->log;
    if (text.length > LOG_MAX || log->len > LOG_MAX - text.length)
        return;
    text_addf(log, "%s: %.*s\n", names[level <= SLUICE_LOG_WARN ? level : SLUICE_LOG_WARN],
              (int)text.length, text.at);
}

const sluice_host inprocess_host = {
    .size = sizeof inprocess_host,
    .major = SLUICE_ABI_MAJOR,
    .minor = SLUICE_ABI_MINOR,
    .alloc = on_alloc,
    .emit = on_emit,
    .fail = on_fail,
    .log = on_log,
};

static sluice_call_function table_function(const sluice_adapter *table, enum call_kind kind)
{
    switch (kind) {
    case CALL_VALIDATE:
        return table->validate;
    case CALL_OBSERVE:
        return table->observe;
    case CALL_BEGIN:
        return table->begin;
    case CALL_ADVANCE:
        return table->advance;
    case CALL_FINISH:
        return table->finish;
    case CALL_DESCRIBE:
        return table->describe;
    case CALL_COUNT:
        break;
    }
    return NULL;
}

static bool inprocess_has(const struct transport *transport, enum call_kind kind)
{
    const struct inprocess *self = (const struct inprocess *)(const void *)transport;
    return table_function(&self->table, kind) != NULL;
}

static int inprocess_call(struct transport *transport, const struct question *question,
                          struct answer *ret_answer, struct error *err)
{
    struct inprocess *self = (struct inprocess *)(void *)transport;
    sluice_call_function function = table_function(&self->table, question->kind);
    if (!function)
        return error_set(err, ERR_BUG, "the adapter has no call %s", call_name(question->kind));
    struct answer answer = {0};
    sluice_call call = {.limits = &self->limits, .answer = &answer};
    const sluice_text request = {.at = question->text, .length = question->length};
    answer.result = function(self->host, &call, request);
    pieces_free(call.pieces);
    *ret_answer = answer;
    return OK;
}

static void inprocess_free(struct transport *transport)
{
    free(transport);
}

sluice_adapter table_copy(const sluice_adapter *table)
{
    sluice_adapter copy = {0};
    size_t size = table->size < sizeof copy ? table->size : sizeof copy;
    memcpy(&copy, table, size);
    return copy;
}

struct transport *inprocess_new(const sluice_adapter *table, const struct call_limits *limits,
                                const sluice_host *host)
{
    struct inprocess *self = mem_alloc(sizeof *self);
    self->transport =
        (struct transport){.has = inprocess_has, .call = inprocess_call, .free = inprocess_free};
    self->table = table_copy(table);
    self->limits = *limits;
    self->host = host;
    return &self->transport;
}
