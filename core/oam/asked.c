// SPDX-License-Identifier: Apache-2.0
#include "oam/asked.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "oam/revision.h"

#include <stdio.h>
#include <string.h>

static const char *const wish_verbs[] = {"", "abort", "retry"};

enum { WISH_VERBS = sizeof wish_verbs / sizeof *wish_verbs };

/* A copy, cut to fit between two characters. */
static void copy(char *to, size_t size, const char *from, size_t length)
{
    snprintf(to, size, "%.*s", (int)(length < size ? length : size), from);
    text_mend(to);
}

/* ---- who ---- */

/* The last place where `what` stands; NULL: nowhere. */
static const char *last_place(const char *text, const char *what)
{
    const char *found = NULL;
    for (const char *at = text; (at = strstr(at, what)); at++)
        found = at;
    return found;
}

bool asked_read(const json_t *object, struct asked *ret_asked)
{
    const char *text = object_mark(object, MARK_ASKED);
    const char *by = text ? strstr(text, " by ") : NULL;
    const char *at = by ? last_place(by, " at ") : NULL;
    *ret_asked = (struct asked){0};
    if (!at || !clock_parse(at + 4))
        return false;
    copy(ret_asked->verb, sizeof ret_asked->verb, text, (size_t)(by - text));
    copy(ret_asked->by, sizeof ret_asked->by, by + 4, (size_t)(at - by - 4));
    ret_asked->at_ms = clock_parse(at + 4);
    return true;
}

char *asked_text(const struct asked *asked)
{
    char at[CLOCK_TEXT_SIZE];
    clock_format(asked->at_ms, at);
    return str_format("%s by %s at %s", asked->verb, asked->by, at);
}

/* ---- wishes ---- */

/* The next word, cut to fit, and what stands behind it. */
static const char *word_take(const char *text, char *to, size_t size)
{
    text += strspn(text, " ");
    size_t length = strcspn(text, " ");
    copy(to, size, text, length);
    return text + length;
}

static enum wish_verb wish_verb_of(const char *name)
{
    int verb = WISH_VERBS - 1;
    while (verb > WISH_NONE && strcmp(wish_verbs[verb], name) != 0)
        verb--;
    return (enum wish_verb)verb;
}

void wish_read(const json_t *object, struct wish *ret_wish)
{
    const char *text = object_mark(object, MARK_WISH);
    char verb[16];
    struct asked asked;
    *ret_wish = (struct wish){0};
    if (!text)
        return;
    text = word_take(text, verb, sizeof verb);
    text = word_take(text, ret_wish->target, sizeof ret_wish->target);
    word_take(text, ret_wish->id, sizeof ret_wish->id);
    if (*ret_wish->target && *ret_wish->id)
        ret_wish->verb = wish_verb_of(verb);
    if (asked_read(object, &asked) && strcmp(asked.verb, verb) == 0)
        copy(ret_wish->by, sizeof ret_wish->by, asked.by, strlen(asked.by));
}

char *wish_text(const struct wish *wish)
{
    return str_format("%s %s %s", wish_verbs[wish->verb], wish->target, wish->id);
}
