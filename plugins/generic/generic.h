// SPDX-License-Identifier: Apache-2.0
/*
 * The generic adapter: how any custom resource is read and held is told by its options. They are
 * described in README.md. What its files share is declared here; like every adapter it keeps
 * nothing between two calls. Private to this folder.
 */
#ifndef GENERIC_H
#define GENERIC_H

#include "common/pods.h"
#include "common/workload.h"

/* What a call is about. All borrowed. */
struct subject {
    const struct sluice_request *request;
    json_t *options;
    json_t *workload; /* NULL: it doesn't exist */
    json_t *target;   /* NULL: there is none */
};

struct subject subject_of(const struct sluice_request *request);

/* The option's text; `fallback` where it isn't set. */
const char *option_text(json_t *options, const char *pointer, const char *fallback);
const char *kind_of(const struct subject *subject);          /* "Bakery", for words */
const char *replicas_pointer(const struct subject *subject); /* "/spec/replicas" */

/* A JSON value in words, cut to `size` bytes: `text "x"`, `the number 3`, `nothing`. */
const char *found_words(json_t *value, char *ret_words, size_t size);

/* ---- values (value.c): what an option comes to in a workload ---- */

/* An option whose value is to be found out. */
struct value {
    const char *name; /* "status.updated", for words */
    json_t *json;     /* as it stands in the options; NULL: not set */
};

/* A pointer whose steps through arrays are an index or "key=text". Borrowed; NULL: not there. */
json_t *value_at(json_t *root, const char *pointer);

/* SLUICE_OK, or a failure that has been explained. What isn't there is 0, false or "". */
int32_t value_count(const struct subject *subject, const struct value *value, int *ret_count);
int32_t value_truth(const struct subject *subject, const struct value *value, bool *ret_truth);
/* A text, or a number as one. The caller frees it. */
int32_t value_text(const struct subject *subject, const struct value *value, char **ret_text);

/* ---- counts (counts.c): what is the case ---- */

struct counts {
    int size, updated, updated_ready, ready;
    bool settled; /* has the kind's own controller seen the last change? */
};
int32_t counts_read(const struct subject *subject, struct counts *ret_counts);

/* The value of an option under `status`. */
struct value status_value(const struct subject *subject, const char *name);

/* Is a pod at the revision that the options say? */
bool pod_updated(const struct subject *subject, json_t *pod);

/* ---- hold (hold.c): how many pods may be at the new revision ---- */

/* Has the kind a field that says so? Otherwise it can be paused only. */
bool hold_there(const struct subject *subject);

/* Writes into `object`, of this size, that `allowed` pods may be at the new revision.
 * SLUICE_UNSUPPORTED: the field can't say this number. */
int32_t hold_write(const struct subject *subject, json_t *object, int size, int allowed);

/* The pods that may be at the new revision, as the workload says now. */
int hold_read(const struct subject *subject, int size);

/* What must be allowed so that `goal` pods come to the new revision and no more than needed; and so
 * that no further one does. */
int hold_for_goal(const struct subject *subject, const struct counts *counts, int goal);
int hold_at_rest(const struct subject *subject, const struct counts *counts);

/* ---- describe (describe.c) ---- */

/* Checks the options and emits the manifest that they make. */
int32_t describe_body(const struct sluice_request *request);

/* The fields that the plan's strategy puts: an object of pointers and values; NULL: none. */
json_t *strategy_fields(const struct subject *subject, const char *strategy);

#endif
