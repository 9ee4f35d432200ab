// SPDX-License-Identifier: Apache-2.0
/* How a client wants to see objects: whole, their metadata alone, or as rows of a table. */
#ifndef SANDBOX_VIEW_H
#define SANDBOX_VIEW_H

#include "base/text.h"
#include "failure.h"
#include "kinds.h"
#include "request.h"

enum view_form { VIEW_WHOLE, VIEW_METADATA, VIEW_TABLE };

struct view {
    enum view_form form;
    bool whole_rows; /* of a table: with the object, not its metadata alone */
    bool bare_rows;  /* … with neither */
};

/* From Accept and the query. False: nothing of what the client accepts can be had. */
bool view_read(const struct request *request, struct view *ret_view);
int view_or_fail(const struct request *request, struct view *ret_view, struct failure *failure);

/* Adds an object, given as the store has it. In a list, built-in kinds don't say what they are. */
void view_object(struct view view, const struct kind *kind, const char *stored, struct text *out);
void view_item(struct view view, const struct kind *kind, const char *stored, struct text *out);

/* Adds a watch event's object; a table's columns are told with the first alone. */
void view_event(struct view view, const struct kind *kind, const char *stored, bool first,
                struct text *out);

/* Adds what comes before and after the items of a list; `meta` is the list's metadata. */
void view_open(struct view view, const struct kind *kind, const char *meta, struct text *out);
void view_close(struct text *out);

/* "application/json", or what says what it is. Static. */
const char *view_type(struct view view, bool is_list);

#endif
