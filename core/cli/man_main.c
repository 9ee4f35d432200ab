// SPDX-License-Identifier: Apache-2.0
/* sluice-man FOLDER: writes the man pages of sluice and of all its verbs. When it is run by
 * `meson install`, the folder is one below the prefix. */
#include "base/alloc.h"
#include "cli/man.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DATE_SIZE = 32 };

/* Now, or the moment that reproducible builds agree on. */
static void date_format(char ret_date[DATE_SIZE])
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t when = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm utc;
    gmtime_r(&when, &utc);
    strftime(ret_date, DATE_SIZE, "%B %e, %Y", &utc);
}

static char *folder_of(const char *given)
{
    const char *prefix = getenv("MESON_INSTALL_DESTDIR_PREFIX");
    return prefix && *given != '/' ? str_format("%s/%s", prefix, given) : str_copy(given);
}

static int write_page(const char *folder, const struct verb *verb, const char *date)
{
    char *page AUTO_FREE = man_page(verb, date);
    char *path AUTO_FREE =
        str_format("%s/sluice%s%s.1", folder, verb ? "-" : "", verb ? verb->name : "");
    FILE *out = fopen(path, "w");
    if (out && fputs(page, out) != EOF && fclose(out) != EOF)
        return 0;
    perror(path);
    return -1;
}

int main(int argc, char **argv)
{
    char date[DATE_SIZE];
    if (argc != 2) {
        fputs("usage: sluice-man FOLDER\n", stderr);
        return STATUS_USAGE;
    }
    setlocale(LC_CTYPE, "C.UTF-8"); /* as in main.c */
    char *folder AUTO_FREE = folder_of(argv[1]);
    date_format(date);
    int code = write_page(folder, NULL, date);
    for (size_t i = 0; all_verbs[i] && code == 0; i++)
        code = write_page(folder, all_verbs[i], date);
    return code < 0;
}
