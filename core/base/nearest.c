// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX = 64, HINTS_MAX = 3, UNLIKE = WORD_MAX + 1 };

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static int least(int a, int b, int c)
{
    int low = a < b ? a : b;
    return low < c ? low : c;
}

/* How many letters have to be changed, added, dropped or swapped with their neighbour. */
static int distance(const char *a, const char *b)
{
    int rows[3][WORD_MAX + 1] = {0};
    int width = (int)strlen(b);
    for (int j = 0; j <= width; j++)
        rows[0][j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int *row = rows[i % 3];
        const int *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= width; j++) {
            row[j] = least(above[j] + 1, row[j - 1] + 1, above[j - 1] + !same(a[i - 1], b[j - 1]));
            bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
            if (swapped && before[j - 2] + 1 < row[j])
                row[j] = before[j - 2] + 1;
        }
    }
    return rows[strlen(a) % 3][width];
}

/* 0: nothing but case; UNLIKE: not meant. The beginning of a name is as good as a small slip. */
static int unlikeness(const char *word, const char *name)
{
    size_t length = strlen(word);
    if (!length || length > WORD_MAX || strlen(name) > WORD_MAX)
        return UNLIKE;
    int found = distance(word, name), bearable = length < 6 ? 1 + (length > 3) : (int)length / 3;
    if (found <= bearable)
        return found;
    return length >= 3 && strncasecmp(word, name, length) == 0 ? bearable + 1 : UNLIKE;
}

char *nearest_hint(const char *word, const char *const *names)
{
    const char *hints[HINTS_MAX];
    int count = 0;
    for (int wanted = 0; wanted < UNLIKE; wanted++)
        for (const char *const *name = names; *name && count < HINTS_MAX; name++)
            if (unlikeness(word, *name) == wanted)
                hints[count++] = *name;
    struct text hint = {0};
    for (int i = 0; i < count; i++)
        text_addf(&hint, "%s\"%s\"",
                  !i              ? "; did you mean "
                  : i + 1 < count ? ", "
                                  : " or ",
                  hints[i]);
    text_puts(&hint, count ? "?" : "");
    return text_steal(&hint);
}
