// SPDX-License-Identifier: Apache-2.0
/* The `sluice` program: finds the verb and hands over. */
#include "base/alloc.h"
#include "cli/cli.h"

#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

static int run(int argc, char **argv)
{
    const char *name = argv[0];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    const struct verb *verb = verb_find(name);
    return verb ? verb_run(verb, argc, argv) : verb_unknown(name);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        char *help AUTO_FREE = program_help();
        fputs(help, stderr);
        return STATUS_USAGE;
    }
    setlocale(LC_CTYPE, "C.UTF-8"); /* what is printed is UTF-8, wherever it is run */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int status = run(argc - 1, argv + 1);
    curl_global_cleanup();
    return status;
}
