// SPDX-License-Identifier: Apache-2.0
/*
 * A table of text, as wide as its cells need it. Pure.
 *
 *     struct table table = {.columns = 2, .heads = (const char *const[]){"NAME", "STATE"}};
 *     table_cell(&table, "%s", name);
 *     table_cell(&table, "%s", state);
 *     table_write(&table, width, &text);
 *     table_done(&table);
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct table {
    size_t columns;
    const char *const *heads; /* NULL: no line of heads */
    int indent;               /* blanks before each line */
    bool wrap;                /* a last column that is too wide is wrapped, not cut */
    char **cells;             /* row after row; table_cell() adds */
    size_t cell_count;
};

/* The next cell, from left to right and row by row. */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds the table to the text. Where it would be wider than `width` columns its last column is cut;
 * 0: never. A last row that isn't full is filled with empty cells. */
void table_write(const struct table *table, int width, struct text *to);

void table_done(struct table *table);

#endif
