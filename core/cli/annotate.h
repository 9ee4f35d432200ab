// SPDX-License-Identifier: Apache-2.0
/* Annotations in a JSON patch. Pure. */
#ifndef CLI_ANNOTATE_H
#define CLI_ANNOTATE_H

#include <jansson.h>

/* Adds the step that sets the annotation, behind one that makes room for the first one where the
 * object has none. `name` has no ~. */
void annotation_add(json_t *patch, const json_t *object, const char *name, const char *text);

#endif
