// SPDX-License-Identifier: Apache-2.0
/*
 * The templates that a held workload has had: the one that all its pods had last, and the one
 * before. When the owner changes the template of his workload, the old one is gone from it, and the
 * way back needs it. It stands in an annotation of the workload itself, written by the same patch
 * as the hold: workloads of Kubernetes keep old revisions of their own, but each kind in another
 * place and form, as many as its owner lets it (none, with a limit of 0), and not every kind does.
 * Pure.
 */
#ifndef FOLLOW_HISTORY_H
#define FOLLOW_HISTORY_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* {"rolled": {"<JSON pointer>": …}, "before": {…}} */
#define MARK_TEMPLATES "rollout.sluice.dev/templates"

/* Where the template stands in an object of its kind, as its adapter says. */
struct template_place {
    const char *const *pointers;
    size_t count;
};

/* Is the pointer one of the template's, or of something in it? */
bool template_covers(const struct template_place *place, const char *pointer);

/* {"<JSON pointer>": …}, the template of an object. The caller owns it; NULL: it has none. */
json_t *template_pick(const struct template_place *place, const json_t *object);

/* Puts a template that was picked in the place of the object's. */
void template_put(json_t *object, const json_t *template);

/* What a template is called: the beginning of its hash. */
enum { TEMPLATE_NAME_SIZE = 17 };
void template_name(const json_t *template, char ret_name[TEMPLATE_NAME_SIZE]);

/* The template that all pods had last, and the one before. The caller owns it; NULL: not known. */
json_t *history_rolled(const json_t *live);
json_t *history_before(const json_t *live);

/* What the annotation says once all pods have the template. The caller frees it; NULL: it would
 * become too large, so nothing is known. */
char *history_text(const json_t *live, const json_t *template);

#endif
