// SPDX-License-Identifier: Apache-2.0
#include "cli/conflict.h"

#include "base/alloc.h"
#include "base/json.h"
#include "cli/layout.h"
#include "cluster/managed_fields.h"
#include "oam/asked.h"

#include <stdlib.h>

bool conflict_changed(const json_t *before, const json_t *now, const char *pointer)
{
    const json_t *left = json_at(before, pointer), *right = json_at(now, pointer);
    return left && right && !json_equal(left, right);
}

bool conflict_there(const json_t *before, const json_t *now)
{
    return conflict_changed(before, now, "/metadata/generation") ||
           conflict_changed(before, now, "/metadata/annotations");
}

/* The one who has asked by a verb meanwhile. False: nobody has. */
static bool find_asking(const json_t *before, const json_t *now, struct asked *ret_asked)
{
    struct asked earlier;
    asked_read(before, &earlier);
    return asked_read(now, ret_asked) &&
           (earlier.at_ms != ret_asked->at_ms || !str_equal(earlier.by, ret_asked->by) ||
            !str_equal(earlier.verb, ret_asked->verb));
}

static void value_add(struct text *to, const json_t *value)
{
    enum { COLUMNS = 60 };
    char *whole AUTO_FREE = value ? json_text(value) : str_copy("nothing");
    char *text AUTO_FREE = layout_cut(whole, COLUMNS);
    text_puts(to, text);
}

static void write_add(struct text *to, const struct foreign_write *write)
{
    text_puts(to, " has put ");
    value_add(to, write->found);
    text_addf(to, " in %s, where ", write->field);
    value_add(to, write->wanted);
    text_puts(to, " stood");
}

void conflict_add(const json_t *before, const json_t *now, struct text *to)
{
    struct asked asked;
    struct foreign_write write = {0};
    bool by_verb = find_asking(before, now, &asked);
    bool written = conflict_changed(before, now, "/spec") &&
                   managed_foreign_write(now, before, "/spec", "", &write);
    if (by_verb)
        text_addf(to, ": %s (sluice %s)", asked.by, asked.verb);
    else if (written)
        text_addf(to, ": %s", write.manager);
    if (written)
        write_add(to, &write);
    else if (by_verb)
        text_puts(to, " was first");
    free(write.field);
}
