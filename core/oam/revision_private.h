// SPDX-License-Identifier: Apache-2.0
/* What the files on Applications and their revisions share. Everything returned is borrowed. */
#ifndef OAM_REVISION_PRIVATE_H
#define OAM_REVISION_PRIVATE_H

#include <jansson.h>
#include <stddef.h>

enum { LABEL_VALUE_MAX = 63 }; /* Kubernetes' own limit */

/* The component's entry in an Application, or NULL. */
const json_t *application_component(const json_t *application, const char *name);

/* The names in the Application's app.oam.dev/rolling-components, without blanks and empty ones; an
 * empty array when there are none. The caller owns it. */
json_t *application_rolling_components(const json_t *application);

/* "a, b and c", or "none". The caller frees it. */
char *names_text(const json_t *names);

/* The Application that a revision records, and the definition of one of its components; NULL when
 * they aren't there. */
const json_t *revision_application(const json_t *revision);
const json_t *revision_definition(const json_t *revision, const char *component);

#endif
