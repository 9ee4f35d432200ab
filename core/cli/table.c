// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "base/alloc.h"
#include "cli/layout.h"

#include <stdarg.h>
#include <stdlib.h>

enum { GAP = 2 };

void table_cell(struct table *table, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *cell = str_format_v(format, args);
    va_end(args);
    table->cells = mem_grow(table->cells, (table->cell_count + 1) * sizeof *table->cells);
    table->cells[table->cell_count++] = cell;
}

static const char *cell_at(const struct table *table, size_t row, size_t column)
{
    size_t at = row * table->columns + column;
    return at < table->cell_count ? table->cells[at] : "";
}

static size_t row_count(const struct table *table)
{
    return (table->cell_count + table->columns - 1) / table->columns;
}

static int column_width(const struct table *table, size_t column)
{
    int width = table->heads ? layout_width(table->heads[column]) : 0;
    for (size_t row = 0; row < row_count(table); row++) {
        int wanted = layout_width(cell_at(table, row, column));
        width = wanted > width ? wanted : width;
    }
    return width;
}

enum { ROOM_LEAST = 10 }; /* columns that are worth wrapping into */

/* The last column begins at `start` and has what is left of the width. */
static void last_cell_write(const struct table *table, const char *cell, int start, int width,
                            struct text *line)
{
    int room = width > start + 1 ? width - start : 1;
    layout_pad(line, *cell ? start : 0);
    if (width && table->wrap && room >= ROOM_LEAST) {
        layout_wrap(line, cell, start, start, width);
        return;
    }
    char *cut AUTO_FREE = width ? layout_cut(cell, room) : str_copy(cell);
    text_addf(line, "%s\n", cut);
}

/* `row` -1: the heads. No line ends in blanks. */
static void row_write(const struct table *table, long row, const int *starts, int width,
                      struct text *to)
{
    struct text line AUTO(text_done) = {0};
    for (size_t column = 0; column < table->columns; column++) {
        const char *cell = row < 0 ? table->heads[column] : cell_at(table, (size_t)row, column);
        if (column + 1 == table->columns) {
            last_cell_write(table, cell, starts[column], width, &line);
        } else if (*cell) {
            layout_pad(&line, starts[column]);
            text_puts(&line, cell);
        }
    }
    text_puts(to, line.at);
}

void table_write(const struct table *table, int width, struct text *to)
{
    int *starts AUTO_FREE = mem_alloc(table->columns * sizeof *starts);
    starts[0] = table->indent;
    for (size_t column = 1; column < table->columns; column++)
        starts[column] = starts[column - 1] + column_width(table, column - 1) + GAP;
    if (table->heads)
        row_write(table, -1, starts, width, to);
    for (size_t row = 0; row < row_count(table); row++)
        row_write(table, (long)row, starts, width, to);
}

void table_done(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->cell_count = 0;
}
