// SPDX-License-Identifier: Apache-2.0
#include "cli/bar.h"

static int bound(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* The signs for `part` of `size` pods: none only for none, and all only for all. */
static int share(int part, int size, int signs)
{
    if (part <= 0)
        return 0;
    if (part >= size)
        return signs;
    return bound((int)((int64_t)part * signs / size), 1, signs - (signs > 1));
}

static void signs_add(struct text *to, const char *sign, int count)
{
    for (int i = 0; i < count; i++)
        text_puts(to, sign);
}

void bar_add(struct text *to, struct pods pods)
{
    int signs = bound(pods.size, 0, BAR_MOST);
    int updated = share(pods.updated, pods.size, signs);
    int ready = bound(share(pods.ready, pods.size, signs), 0, updated);
    signs_add(to, "●", ready);
    signs_add(to, "○", updated - ready);
    signs_add(to, "·", signs - updated);
}

void age_add(struct text *to, int64_t ms)
{
    long long seconds = ms > 0 ? ms / 1000 : 0;
    if (seconds < 120)
        text_addf(to, "%llds", seconds);
    else if (seconds < 2 * 3600)
        text_addf(to, "%lldm", seconds / 60);
    else if (seconds < 2 * 86400)
        text_addf(to, "%lldh", seconds / 3600);
    else
        text_addf(to, "%lldd", seconds / 86400);
}
