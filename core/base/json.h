// SPDX-License-Identifier: Apache-2.0
/*
 * What Sluice needs of JSON beyond jansson: reading with limits and clear errors, reaching into
 * an object by JSON pointer (RFC 6901), keeping only some parts of it, and one canonical text.
 *
 * json_t follows jansson's own rules: a `json_t *` that a function here returns is borrowed unless
 * its comment says that the caller owns it; functions ending in _take own what they are given.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"
#include "base/hash.h"
#include "base/pack.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses one complete document. Duplicate keys are refused. The caller owns *ret_json.
 * ERR_INVALID: line and column are in the words. */
int json_parse(const char *text, size_t length, json_t **ret_json, struct error *err);

/* Compact text in the object's own order; with sorted keys for the canonical form.
 * The caller frees it. */
char *json_text(const json_t *json);
char *json_canonical(const json_t *json);

/* The same as one of the texts of a pack (base/pack.h), and back. The caller owns both. */
struct packed *json_packed(struct pack *pack, const json_t *json);
json_t *json_unpacked(const struct packed *packed); /* NULL gives NULL */

/* SHA-256 of the canonical form: equal documents have equal hashes whatever their key order. */
void json_hash(const json_t *json, char ret_hex[HASH_HEX_SIZE]);

/* The same over what stands at the given pointers, one after the other. False: nothing does.
 * Members that are null, {} or [] count as absent: clients with types of their own leave such out,
 * or add them (`creationTimestamp: null`, `resources: {}`), when they write what they have read. */
bool json_hash_at(const json_t *root, const char *const *pointers, size_t count,
                  char ret_hex[HASH_HEX_SIZE]);

/* The value at a pointer such as "/spec/template/spec/containers/0/image"; "" is the root.
 * NULL when some step isn't there. */
json_t *json_at(const json_t *root, const char *pointer);

/* The same, by type: the fallback stands for both "absent" and "of another type". */
const char *json_string_at(const json_t *root, const char *pointer); /* NULL */
int64_t json_int_at(const json_t *root, const char *pointer, int64_t fallback);
bool json_bool_at(const json_t *root, const char *pointer, bool fallback);

/* Undoes ~1 and ~0 in a step of a pointer, in place. */
void json_step_unescape(char *step);

/* The first item of an array that has this text at the pointer. NULL: none, or it is no array. */
json_t *json_find(const json_t *array, const char *pointer, const char *text);

/* Puts a value at a pointer, making the objects on the way; arrays must already have the index.
 * Owns `value`, also when it returns ERR_BUG because a step on the way is no container. */
int json_put_take(json_t *root, const char *pointer, json_t *value);

/* Removes what stands at a pointer, if anything does. */
void json_remove_at(json_t *root, const char *pointer);

/* A new object with only what stands at the given pointers (each shared with `root`, not copied).
 * apiVersion, kind and metadata name, namespace, uid, resourceVersion and generation are always
 * kept. The caller owns it. */
json_t *json_pick(const json_t *root, const char *const *pointers, size_t count);

/* `json_t *j AUTO_JSON = …;` is released when it goes out of scope. */
void auto_json(json_t **place);
#define AUTO_JSON __attribute__((cleanup(auto_json)))

#endif
