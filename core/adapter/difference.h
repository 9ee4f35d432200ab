// SPDX-License-Identifier: Apache-2.0
/* Where two JSON values part, for a person who expected one and found the other. */
#ifndef ADAPTER_DIFFERENCE_H
#define ADAPTER_DIFFERENCE_H

#include "base/text.h"

#include <jansson.h>

struct difference {
    struct text path;               /* a JSON pointer; empty: they differ as a whole */
    const json_t *expected, *found; /* what stands there; NULL: nothing. Borrowed */
};

/* The first place, as deep inside as both have it. The values aren't equal. The caller releases
 * ret_difference->path. */
void difference_find(const json_t *expected, const json_t *found,
                     struct difference *ret_difference);

#endif
