// SPDX-License-Identifier: Apache-2.0
#include "reconcile/holder.h"
#include "reconcile/key.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* A mark, taken apart; all owned. */
struct holder {
    char *key, *uid, *kind;
};

static char *word_copy(const char **text)
{
    size_t length = strcspn(*text, " ");
    char *word = str_copy_n(*text, length);
    *text += length + ((*text)[length] != '\0');
    return word;
}

static struct holder holder_read(const char *mark)
{
    struct holder holder;
    holder.key = word_copy(&mark);
    holder.uid = word_copy(&mark);
    holder.kind = *mark ? str_copy(mark) : str_copy("AppRollout");
    return holder;
}

static void holder_done(struct holder *holder)
{
    free(holder->key);
    free(holder->uid);
    free(holder->kind);
}

/* NULL: a kind that we don't know. */
static struct rollout_kind *kind_of(struct controller *controller, const struct holder *holder)
{
    for (size_t i = 0; i < ROLLOUT_KINDS; i++)
        if (str_equal(controller->rollouts[i].info.kind, holder->kind))
            return &controller->rollouts[i];
    return NULL;
}

char *holder_text(const struct rollout_kind *kind, const struct approllout *rollout)
{
    bool first = str_equal(kind->info.kind, "AppRollout");
    return str_format("%s/%s %s%s%s", rollout->ns, rollout->name, rollout->uid, first ? "" : " ",
                      first ? "" : kind->info.kind);
}

char *holder_name(const char *mark)
{
    struct holder holder = holder_read(mark);
    char *name = str_format("%s %s", holder.kind, holder.key);
    holder_done(&holder);
    return name;
}

char *holder_key(const char *mark, const char *kind)
{
    struct holder holder = holder_read(mark);
    char *key = str_equal(holder.kind, kind) ? str_copy(holder.key) : NULL;
    holder_done(&holder);
    return key;
}

static bool is_there(const struct rollout_kind *kind, const struct holder *holder)
{
    char *ns AUTO_FREE = NULL, *name AUTO_FREE = NULL;
    key_split(holder->key, &ns, &name);
    json_t *other AUTO_JSON = store_get(kind->store, ns, name);
    return other && str_equal(json_string_at(other, "/metadata/uid"), holder->uid);
}

bool holder_lives(struct controller *controller, const char *mark)
{
    struct holder holder = holder_read(mark);
    const struct rollout_kind *kind = kind_of(controller, &holder);
    bool lives = !kind || !*holder.uid || !store_synced(kind->store) || is_there(kind, &holder);
    holder_done(&holder);
    return lives;
}

void holder_wake(struct controller *controller, const char *mark)
{
    struct holder holder = holder_read(mark);
    const struct rollout_kind *kind = kind_of(controller, &holder);
    if (kind)
        queue_add(kind->queue, holder.key);
    holder_done(&holder);
}
