// SPDX-License-Identifier: Apache-2.0
/* The pods, as many as there are of each kind, and the workload's own controller. */
#include "state.h"

int pods_of(const struct workload *w, int revision)
{
    if (!revision)
        return 0;
    const int8_t *pods = w->pods[revision - 1];
    return pods[POD_READY] + pods[POD_YOUNG] + pods[POD_SICK];
}

int pods_ready_of(const struct workload *w, int revision)
{
    return revision ? w->pods[revision - 1][POD_READY] : 0;
}

int pods_like(const struct workload *w, enum pod_kind kind)
{
    int count = 0;
    for (int i = 0; i < REVISIONS; i++)
        count += w->pods[i][kind];
    return count;
}

int pods_all(const struct workload *w)
{
    return pods_like(w, POD_READY) + pods_like(w, POD_YOUNG) + pods_like(w, POD_SICK);
}

/* A revision that isn't the template's and has pods of one of these kinds; 0: there is none. */
static int another_with(const struct workload *w, bool ready)
{
    for (int revision = 1; revision <= REVISIONS; revision++) {
        int like = pods_ready_of(w, revision);
        if (!ready)
            like = pods_of(w, revision) - like;
        if (revision != w->revision && like > 0)
            return revision;
    }
    return 0;
}

/* What isn't ready goes first. */
static void take_one_of(struct workload *w, int revision)
{
    int8_t *pods = w->pods[revision - 1];
    enum pod_kind kind = pods[POD_YOUNG] ? POD_YOUNG : pods[POD_SICK] ? POD_SICK : POD_READY;
    pods[kind]--;
}

static int another(const struct workload *w)
{
    int unready = another_with(w, false);
    return unready ? unready : another_with(w, true);
}

static void make_one_of(struct workload *w, int revision)
{
    w->pods[revision - 1][POD_YOUNG]++;
}

/* One that surges keeps a pod of before until the one that comes for it is ready. */
static bool take_surplus(struct workload *w, bool surge)
{
    int surplus = pods_all(w) - w->size, from = another(w);
    bool spare = !surge || surplus > 1 || another_with(w, false) ||
                 pods_like(w, POD_READY) > w->size || !from;
    if (!spare)
        return false;
    take_one_of(w, from ? from : w->revision);
    return true;
}

static bool may_have_more(const struct workload *w)
{
    return w->told == ALL_PODS || pods_of(w, w->revision) < w->told;
}

bool pods_move(struct workload *w, bool surge)
{
    int all = pods_all(w), from = another(w);
    if (!w->exists || w->behind)
        return false;
    if (all > w->size)
        return take_surplus(w, surge);
    if (all < w->size) {
        make_one_of(w, may_have_more(w) || !from ? w->revision : from);
        return true;
    }
    if (w->paused || !from || !may_have_more(w))
        return false;
    if (!surge)
        take_one_of(w, from);
    make_one_of(w, w->revision);
    return true;
}
