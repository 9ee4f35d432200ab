// SPDX-License-Identifier: Apache-2.0
/* What an API server has to bear, second by second of virtual time. Pure. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include <jansson.h>
#include <stdint.h>

struct load_share {
    uint64_t reads, writes, events; /* requests, and events that watches were told */
};

/* `struct load load = {0};` is none. */
struct load {
    struct load_share *seconds;
    size_t count; /* nothing came after these */
};

void load_done(struct load *load);

void load_add(struct load *load, size_t second, struct load_share share);

/* The same so many times over, rounded. */
void load_scale(struct load *load, double factor);

struct load_share load_total(const struct load *load);

/* Of each the most that came within one second. */
struct load_share load_peak(const struct load *load);

/* [[second, reads, writes, events], …] without those in which nothing came. The caller owns it.
 * What is read is added: what both brought in the same second stands together. */
json_t *load_json(const struct load *load);
void load_add_json(struct load *load, const json_t *json);

#endif
