// SPDX-License-Identifier: Apache-2.0
#include "cli/load.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void load_done(struct load *load)
{
    free(load->seconds);
    *load = (struct load){0};
}

static struct load_share sum(struct load_share a, struct load_share b)
{
    return (struct load_share){a.reads + b.reads, a.writes + b.writes, a.events + b.events};
}

static bool is_nothing(struct load_share share)
{
    return !share.reads && !share.writes && !share.events;
}

static void grow(struct load *load, size_t count)
{
    if (count <= load->count)
        return;
    load->seconds = mem_grow(load->seconds, count * sizeof *load->seconds);
    memset(load->seconds + load->count, 0, (count - load->count) * sizeof *load->seconds);
    load->count = count;
}

void load_add(struct load *load, size_t second, struct load_share share)
{
    if (is_nothing(share))
        return;
    grow(load, second + 1);
    load->seconds[second] = sum(load->seconds[second], share);
}

static uint64_t scaled(uint64_t count, double factor)
{
    return (uint64_t)((double)count * factor + 0.5);
}

void load_scale(struct load *load, double factor)
{
    for (size_t i = 0; i < load->count; i++) {
        struct load_share *at = &load->seconds[i];
        at->reads = scaled(at->reads, factor);
        at->writes = scaled(at->writes, factor);
        at->events = scaled(at->events, factor);
    }
}

struct load_share load_total(const struct load *load)
{
    struct load_share total = {0};
    for (size_t i = 0; i < load->count; i++)
        total = sum(total, load->seconds[i]);
    return total;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct load_share load_peak(const struct load *load)
{
    struct load_share peak = {0};
    for (size_t i = 0; i < load->count; i++) {
        const struct load_share *at = &load->seconds[i];
        peak = (struct load_share){larger(peak.reads, at->reads), larger(peak.writes, at->writes),
                                   larger(peak.events, at->events)};
    }
    return peak;
}

json_t *load_json(const struct load *load)
{
    json_t *json = json_array();
    for (size_t i = 0; i < load->count; i++) {
        const struct load_share *at = &load->seconds[i];
        if (!is_nothing(*at))
            json_array_append_new(json, json_pack("[I,I,I,I]", (json_int_t)i, (json_int_t)at->reads,
                                                  (json_int_t)at->writes, (json_int_t)at->events));
    }
    return json;
}

static uint64_t number(const json_t *row, size_t place)
{
    return (uint64_t)json_integer_value(json_array_get(row, place));
}

void load_add_json(struct load *load, const json_t *json)
{
    size_t i;
    json_t *row;
    json_array_foreach (json, i, row)
        load_add(load, number(row, 0),
                 (struct load_share){number(row, 1), number(row, 2), number(row, 3)});
}
