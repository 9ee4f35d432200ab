/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the adapters that ship with Sluice share: a workload's numbers and marks, and those parts of
 * each call that are the same for every kind. Linked into each of them; nothing here keeps anything
 * between calls. As in sluice/json.h, a json_t that is returned is borrowed unless the comment says
 * otherwise, and functions ending in _take own what they are given.
 */
#ifndef COMMON_WORKLOAD_H
#define COMMON_WORKLOAD_H

#include <sluice/json.h>

#define MARK_HOLDER    "rollout.sluice.dev/holder"
#define MARK_APPLIED   "rollout.sluice.dev/applied"
#define HOLDER_POINTER "/metadata/annotations/rollout.sluice.dev~1holder"

/* ---- numbers and text ---- */

/* The value brought into these bounds. */
int within(int64_t value, int least, int most);

/* A whole number from 0 on; the fallback if there is none at the pointer. */
int whole_at(json_t *root, const char *pointer, int fallback);

enum rounding { ROUND_DOWN, ROUND_UP };

/* A number, or a percentage of `size`; 0 for anything else. */
int scaled(json_t *value, int size, enum rounding rounding);

/* Is it a number or percentage above zero? */
bool positive(json_t *value);

/* As much as a STATUS may carry of a reason, from its beginning, or of a revision's name, from its
 * end, where the hash is. Cut between characters. The caller releases them. */
json_t *reason_text(const char *text);
json_t *revision_name(const char *name);

/* ---- reading a workload ---- */

int size_of(json_t *workload);
bool being_deleted(json_t *object);

/* Has the workload's own controller seen the last change of its spec? */
bool generation_seen(json_t *workload);

/* Does the target's rollout hold the workload, with the target on it? */
bool marked(json_t *workload, json_t *target);

/* Gives one field of `object` back to its owner, as the target has it. Absent is the same as the
 * API server's default, which is `fallback`; owns that. */
void restore_take(json_t *object, json_t *target, const char *pointer, json_t *fallback);

/* Says a default aloud where the owner says nothing: what was given back by a patch, an apply that
 * merely leaves it out would not take away. Owns the value. */
void put_default_take(json_t *object, const char *pointer, json_t *value);

/* ---- parts of calls ---- */

/* observe, when there is no workload. */
int32_t observe_missing(const struct sluice_request *request);

/* Does the plan itself say IncreaseFirst, or is it merely the default? */
bool increase_first_asked(const struct sluice_request *request);

/* validate: `replicas` is a number, and the selector is the one in the cluster, because it can't be
 * changed. */
int32_t check_replicas(const struct sluice_request *request, json_t *target);
int32_t check_selector(const struct sluice_request *request, json_t *workload, json_t *target);

/* Changes a copy of the target so that putting it in the workload's place moves no pod. The
 * workload is NULL if there is none, and it is of a kind that isn't scaled. */
typedef void hold_fn(const struct sluice_request *request, json_t *workload, json_t *object);

/* begin: makes the workload if it isn't there, without pods if it is to be scaled up; takes it over
 * otherwise, in one write that has the live number of replicas and whatever `hold` adds. One that
 * is only to be scaled gets the marks and nothing else. */
int32_t begin_workload(const struct sluice_request *request, hold_fn *hold);

/* advance: steps `replicas`; anything but scaling is left to `roll`, which finds a workload that is
 * there and stays. */
typedef int32_t roll_fn(const struct sluice_request *request, json_t *workload);
int32_t advance_workload(const struct sluice_request *request, roll_fn *roll);

/* advance: has somebody else put another template on the workload? Then it is stopped at once,
 * whatever its own controller has seen. */
bool template_changed(const struct sluice_request *request);

/* advance: says that fields which hold the workload aren't as they were put ("spec.partition was"),
 * beside the patch that puts them back. Whether somebody else has done it is found out by the host,
 * and nothing is told if nobody has. */
int32_t tell_hold_taken_off(const struct sluice_request *request, json_t *workload,
                            const char *fields);

/* finish: gives the workload back if the rollout holds it. `give_back` changes a copy of it from
 * which the holder's mark is gone; false: not yet. */
typedef bool give_back_fn(const struct sluice_request *request, json_t *workload, json_t *after);
int32_t finish_workload(const struct sluice_request *request, give_back_fn *give_back);

/* Has the rollout succeeded, and is it known to what? */
bool succeeded(const struct sluice_request *request);

/* Emits what makes the workload into `after`, counted with the size as it is. Owns `after`. */
int32_t emit_roll_take(const struct sluice_request *request, json_t *workload, json_t *after);

#endif
