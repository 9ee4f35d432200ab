// SPDX-License-Identifier: Apache-2.0
/* sluice-states-doc: prints docs/states.md, or writes it to the file that is named. */
#include "base/alloc.h"
#include "rollout/states_doc.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    char *page AUTO_FREE = states_doc();
    FILE *out = argc > 1 ? fopen(argv[1], "w") : stdout;
    if (!out || fputs(page, out) == EOF || fclose(out) == EOF) {
        perror(argc > 1 ? argv[1] : "standard output");
        return 1;
    }
    return 0;
}
