// SPDX-License-Identifier: Apache-2.0
/* Objects between the wire and the store: reading what a client sends, writing versions. */
#ifndef SANDBOX_OBJECT_H
#define SANDBOX_OBJECT_H

#include "failure.h"
#include "sandbox_private.h"
#include "target.h"

/* An object as a version has it, seen through a kind. The caller owns it. */
json_t *object_of(const struct kind *kind, const struct version *version);

/* Its text, with kind and apiVersion. The caller frees it. */
char *object_text(const struct kind *kind, const struct version *version);

/* Writes the next version, with its own resourceVersion, which `object` gets too. */
const struct version *object_write(struct sandbox *sandbox, const struct kind *kind,
                                   json_t *object);

/* Ends the object; what is remembered of it is what `object` says. */
void object_end(struct sandbox *sandbox, const struct kind *kind, json_t *object);

/* How a client wants unknown members to be taken: fieldValidation. */
enum strictness { STRICT_WARN, STRICT_IGNORE, STRICT_REFUSE };
int strictness_of(const struct request *request, enum strictness *ret_strictness,
                  struct failure *failure);

/* Takes an object that a client has sent or made by a patch: it must be of this kind; unknown
 * members go, with warnings as wanted; what is of a wrong type is refused. Changes `object`. */
int object_take(const struct kind *kind, json_t *object, enum strictness strictness,
                struct text *warnings, struct failure *failure);

/* Puts in all that the API puts in by itself: what schemas say, and what code knows. */
void object_complete(const struct kind *kind, json_t *object);

/* Whether the object is as its kind demands; `old`: NULL when it is new. */
int object_check(const struct kind *kind, const json_t *object, const json_t *old,
                 struct failure *failure);

/* Now, as metadata has it. */
json_t *time_now(void);

#endif
