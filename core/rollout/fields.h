// SPDX-License-Identifier: Apache-2.0
/*
 * Reading a document field by field: each value together with the way to it, so that whatever is
 * refused is refused by name, with what was found and what would be right. For the reader of plans,
 * and for who reads what stands around them. The functions return OK or ERR_INVALID and leave their
 * output untouched when the field is absent (null counts as absent).
 */
#ifndef ROLLOUT_FIELDS_H
#define ROLLOUT_FIELDS_H

#include "rollout/plan.h"

enum { PODS_MAX = 1000000 };

/* Borrowed from the document, which is only read; not const because jansson walks no const
 * object. */
struct field {
    json_t *json;
    char path[140];
};

struct field field_of(const struct field *parent, const char *name);
struct field field_nth(const struct field *array, size_t index);
bool field_absent(const struct field *field);

/* "expected …, found …" at the field. */
int field_refuse(const struct field *field, const char *expected, struct error *err);

/* It must be an object, and every member one of `known` (NULL-terminated). */
int field_known(const struct field *object, const char *const *known, struct error *err);

/* How many entries the list has. ERR_INVALID: it is no "list of <low> to <high> <what>". */
int field_items(const struct field *list, int low, int high, const char *what, struct error *err);

int read_int(const struct field *field, json_int_t low, json_int_t high, int *ret_value,
             struct error *err);
int read_bool(const struct field *field, bool *ret_value, struct error *err);

/* A number of pods or a percentage, from `low` on. */
int read_amount(const struct field *field, int low, struct amount *ret_amount, struct error *err);

/* hooks_read.c: a list of webhooks; those of a batch are of fewer types. What was read before a
 * refusal is in *ret_hooks as well, to be freed. */
int read_hooks(const struct field *field, bool in_batch, struct hook **ret_hooks, size_t *ret_count,
               struct error *err);
void hooks_free(struct hook *hooks, size_t count);

#endif
