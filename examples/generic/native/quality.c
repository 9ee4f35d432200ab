// SPDX-License-Identifier: Apache-2.0
/* A library that a bakery has anyway. It knows nothing of Sluice:
 *
 *     cc -shared -fPIC -o quality.so quality.c
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Ovens that are hot and bake by the new recipe. */
int32_t quality_hot(int32_t hot, int32_t hot_and_stale)
{
    return hot - hot_and_stale;
}

/* Would anybody eat this? */
bool quality_edible(const char *recipe)
{
    return strstr(recipe, "burnt") == NULL;
}
