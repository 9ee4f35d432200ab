// SPDX-License-Identifier: Apache-2.0
#include "follow/history.h"

#include "base/hash.h"
#include "base/json.h"
#include "oam/revision.h"

#include <stdlib.h>
#include <string.h>

/* All annotations of an object may have 256 KiB, and kubectl keeps another copy there. */
enum { HISTORY_MAX = 96 * 1024 };

/* ── Templates ────────────────────────────────────────────────────────────────────────────── */

bool template_covers(const struct template_place *place, const char *pointer)
{
    for (size_t i = 0; i < place->count; i++) {
        size_t length = strlen(place->pointers[i]);
        bool begins = strncmp(pointer, place->pointers[i], length) == 0;
        if (begins && (pointer[length] == '/' || !pointer[length]))
            return true;
    }
    return false;
}

json_t *template_pick(const struct template_place *place, const json_t *object)
{
    json_t *template = json_object();
    for (size_t i = 0; i < place->count; i++) {
        json_t *part = json_at(object, place->pointers[i]);
        if (part)
            json_object_set_new(template, place->pointers[i], json_deep_copy(part));
    }
    if (json_object_size(template))
        return template;
    json_decref(template);
    return NULL;
}

void template_put(json_t *object, const json_t *template)
{
    const char *pointer;
    json_t *part;
    json_object_foreach ((json_t *)(uintptr_t)template, pointer, part)
        json_put_take(object, pointer, json_deep_copy(part));
}

void template_name(const json_t *template, char ret_name[TEMPLATE_NAME_SIZE])
{
    char hash[HASH_HEX_SIZE];
    json_hash(template, hash);
    memcpy(ret_name, hash, TEMPLATE_NAME_SIZE - 1);
    ret_name[TEMPLATE_NAME_SIZE - 1] = '\0';
}

/* ── The history ──────────────────────────────────────────────────────────────────────────── */

/* The caller owns it; NULL: there is none, or somebody has spoilt it. */
static json_t *history_read(const json_t *live)
{
    const char *text = object_mark(live, MARK_TEMPLATES);
    json_t *history = NULL;
    if (text)
        json_parse(text, strlen(text), &history, NULL);
    return history;
}

static json_t *history_entry(const json_t *live, const char *name)
{
    json_t *history AUTO_JSON = history_read(live);
    json_t *template = json_object_get(history, name);
    return json_object_size(template) ? json_incref(template) : NULL;
}

json_t *history_rolled(const json_t *live)
{
    return history_entry(live, "rolled");
}

json_t *history_before(const json_t *live)
{
    return history_entry(live, "before");
}

char *history_text(const json_t *live, const json_t *template)
{
    json_t *rolled AUTO_JSON = history_rolled(live);
    bool same = rolled && json_equal(rolled, template);
    json_t *before AUTO_JSON = same ? history_before(live) : json_incref(rolled);
    json_t *history AUTO_JSON = json_pack("{s:O, s:O*}", "rolled", template, "before", before);
    char *text = json_canonical(history);
    if (strlen(text) <= HISTORY_MAX)
        return text;
    free(text);
    return NULL;
}
