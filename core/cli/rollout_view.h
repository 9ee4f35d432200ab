// SPDX-License-Identifier: Apache-2.0
/* A rollout as its object tells it, in rows and on pages. Pure. */
#ifndef CLI_ROLLOUT_VIEW_H
#define CLI_ROLLOUT_VIEW_H

#include "cli/rollout_kinds.h"
#include "cli/table.h"
#include "oam/approllout.h"
#include "rollout/states_level.h"

/* One of its components, as it was recorded. */
struct part {
    const char *component; /* NULL: the status doesn't say; borrowed */
    bool recorded; /* there is a status; otherwise `status` is a new one, but for its message */
    struct rollout_status status;
    const json_t *rolls; /* the record of the last ones (oam/rolls.h); borrowed; NULL: none */
};

struct rollout_view {
    const struct rollout_kind *kind;
    const json_t *object;
    struct approllout rollout;
    struct part *parts; /* at least one */
    size_t part_count;
    int64_t now_ms;
};

/* Borrows the object. Release with rollout_view_done(). */
void rollout_view_open(const struct rollout_kind *kind, const json_t *object, int64_t now_ms,
                       struct rollout_view *ret_view);
void rollout_view_done(struct rollout_view *view);

/* The state that the part is in, and when it came there (0: not known). While batches are rolled
 * that is the batch's. */
const char *part_state(const struct part *part);
int64_t part_since(const struct part *part);

/* The same as a place in the machine's tables. */
const struct level *part_level(const struct part *part, int *ret_state);

/* {"kind": …, "namespace": …, "name": …, "components": […]} with what is told of each part, which
 * its own name is added to. The caller owns it. */
typedef json_t *part_json_fn(const struct rollout_view *view, const struct part *part);
json_t *rollout_json(const struct rollout_view *view, part_json_fn *tell);

/* What can be done about a reason, with the rollout's name in it; NULL: nothing. The caller frees
 * it. */
char *reason_advice(enum reason_code code, const char *name);

/* Where it stands, in one line without an end: "batchReady, batch 2 of 3  ●●●○·". */
void rollout_line(const struct rollout_view *view, struct text *to);

/* The heads of a list and its rows, one a component. */
enum { ROW_NAMESPACE = 1, ROW_WIDE = 2 };
void rows_begin(struct table *table, int with);
void rows_add(const struct rollout_view *view, int with, struct table *table);

/* The page about one rollout: its batches, and where it stands. */
void rollout_page(const struct rollout_view *view, int width, struct text *to);

/* The same, with at most so many rows of batches for each component: those around the present one.
 */
void rollout_page_within(const struct rollout_view *view, int width, int batches, struct text *to);

/* The page that says why it is where it is, and what would let it go on; and for programs. */
void explain_page(const struct rollout_view *view, int width, struct text *to);
part_json_fn explain_json;

/* The page with the last rolls, and for programs. */
void history_page(const struct rollout_view *view, int width, bool wide, struct text *to);
part_json_fn history_json;

#endif
