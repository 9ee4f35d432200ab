// SPDX-License-Identifier: Apache-2.0
/* Objects that the tests of this folder share. The caller owns what is returned. */
#ifndef TESTS_OAM_SAMPLES_H
#define TESTS_OAM_SAMPLES_H

#include <jansson.h>

/* Parses what stands in a test; ' counts as ". Aborts when it isn't JSON. */
json_t *sample_json(const char *text);

/* Application "shop" in namespace "prod" with components web and worker, both of type
 * "clonesetservice". */
json_t *sample_application(void);

/* {"clonesetservice": a ComponentDefinition that declares a CloneSet}. */
json_t *sample_definitions(void);

/* Revision shop-v<number> of those two. */
json_t *sample_revision(int number);

#endif
