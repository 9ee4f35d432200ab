// SPDX-License-Identifier: Apache-2.0
/*
 * Application revisions: immutable records of an Application and of the definitions that it used.
 * Pure functions from objects to objects; the I/O is the controller's.
 */
#ifndef OAM_REVISION_H
#define OAM_REVISION_H

#include "base/error.h"
#include "base/hash.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Does the Application ask to be recorded only (app.oam.dev/rollout-template: "true")? Any other
 * Application isn't ours and is left untouched. */
bool application_is_template(const json_t *application);

/* The hash that decides whether there is something new to record: over the Application's spec. */
void application_hash(const json_t *application, char ret_hash[HASH_HEX_SIZE]);

/* Is there anything in the Application that cannot be rolled (traits, scopes, policies, workflow,
 * an empty or duplicate component name)? ERR_INVALID names the field. */
int application_check(const json_t *application, struct error *err);

/* The component types that it uses, each once, in order: an array of strings. Caller owns it. */
json_t *application_types(const json_t *application);

/* The next revision: "<app>-v<number>" with owner reference, labels, hash, the Application without
 * its status and managed fields, and `definitions` (an object: type -> ComponentDefinition).
 * The caller owns it. */
json_t *revision_build(const json_t *application, const json_t *definitions, int number);

/* Does the revision still say what its hash says? ERR_INVALID: it was tampered with. */
int revision_check(const json_t *revision, struct error *err);

/* The hash recorded in it, or "". Borrowed. */
const char *revision_hash(const json_t *revision);

/* Everything that is needed to render one component of a revision. All owned. */
struct render_input {
    char *template;    /* the definition's CUE source */
    json_t *context;   /* name, namespace, appName, appRevision, appRevisionNum, revision, … */
    json_t *parameter; /* the component's properties */
    char *api_version; /* of the workload that the definition declares; NULL: not declared */
    char *kind;
};

/* ERR_MISSING: no such component (the words list those that there are); ERR_INVALID: the revision
 * has no usable definition for it. */
int revision_component(const json_t *revision, const char *component,
                       struct render_input *ret_input, struct error *err);
void render_input_done(struct render_input *input);

/* The components that both revisions have, for an empty componentList: the one that there is, or
 * the Application's app.oam.dev/rolling-components. `source` may be NULL. The caller owns the
 * array of strings. ERR_INVALID when there are none, or too many to choose. */
int revision_common_components(const json_t *target, const json_t *source, json_t **ret_names,
                               struct error *err);

/* Finishes a rendered output as the workload to apply: name (the component's, unless the template
 * set one), namespace, OAM labels, owner reference to the Application, the marks
 * MARK_APPLIED and MARK_HOLDER. Checks that it has apiVersion and kind and that they are what the
 * definition declares. The caller owns *ret_workload. */
int workload_finish(const json_t *revision, const char *component, const json_t *output,
                    const char *holder, json_t **ret_workload, struct error *err);

/* The same for one of `outputs`, without marks. It is called "<component>-<key>" unless the
 * template set a name. */
int auxiliary_finish(const json_t *revision, const char *component, const char *key,
                     const json_t *output, json_t **ret_object, struct error *err);

#define MARK_HOLDER  "rollout.sluice.dev/holder"  /* "<namespace>/<name> <uid>" of the rollout */
#define MARK_APPLIED "rollout.sluice.dev/applied" /* SHA-256 of what was rendered */
#define MARK_TEMPLATE                                                                              \
    "rollout.sluice.dev/template" /* SHA-256 of the pods' template that the server made of it */

#define LABEL_APP           "app.oam.dev/name"
#define LABEL_COMPONENT     "app.oam.dev/component"
#define LABEL_REVISION      "app.oam.dev/appRevision"
#define LABEL_REVISION_HASH "app.oam.dev/app-revision-hash"

#define ANNOTATION_CONTENT    "rollout.sluice.dev/content" /* SHA-256 of a revision's spec */
#define ANNOTATION_TEMPLATE   "app.oam.dev/rollout-template"
#define ANNOTATION_COMPONENTS "app.oam.dev/rolling-components"

/* What an annotation of the object says; NULL: it has none of that name. Borrowed. */
const char *object_mark(const json_t *object, const char *mark);

/* Puts an annotation on the object, or takes it off: text NULL. */
void object_put_mark(json_t *object, const char *mark, const char *text);

#endif
