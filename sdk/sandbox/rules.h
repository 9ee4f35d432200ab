// SPDX-License-Identifier: Apache-2.0
/* What Kubernetes knows of single kinds in code, beyond their schemas. */
#ifndef SANDBOX_RULES_H
#define SANDBOX_RULES_H

#include "kinds.h"

#include <stdbool.h>

/* Values that depend on others, after the schema's own defaults have been put in. */
void rules_complete(const struct kind *kind, json_t *object);

/* What the webhooks of those who define a kind put in: nobody has written that. */
void rules_admit(const struct kind *kind, json_t *object);

/* What an object has from its first moment on, whatever its client says. */
void rules_create(const struct kind *kind, json_t *object);

/* Adds a cause for each thing that isn't as it has to be; `old`: NULL for a new object. */
void rules_check(const struct kind *kind, const json_t *object, const json_t *old, json_t *causes);

/* What an object waits for from the moment that it is deleted. */
void rules_delete(const struct kind *kind, json_t *object);

/* Whether an object may never be deleted. */
bool rules_keep(const struct kind *kind, const char *name);

#endif
