// SPDX-License-Identifier: Apache-2.0
/*
 * Calls of one isolated adapter that wait for each other, on a loop, so that nobody waits for them.
 * An adapter that has failed is tried by one call at a time until it has answered; all others are
 * told at once, so that one which hangs doesn't hold up whoever has a bounded number of passes.
 * For this folder only.
 */
#ifndef ADAPTER_LINE_H
#define ADAPTER_LINE_H

#include "adapter/adapter.h"

struct line;

/* For an isolated adapter, which owns it. The loop must outlive it. */
struct line *line_new(struct adapter *adapter, struct loop *loop);

/* Nobody may be in it any more; whoever is holds the adapter. NULL is fine. */
void line_free(struct line *line);

/* Ends in asking_end(), maybe at once. The asking's text stays until then. */
void line_add(struct line *line, struct adapter_asking *asking);

void line_remove(struct line *line, struct adapter_asking *asking);

#endif
