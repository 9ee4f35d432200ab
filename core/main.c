// SPDX-License-Identifier: Apache-2.0
/* The `sluice` program: finds the verb and hands over. */
#include "cli/cli.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *text;
} verbs[] = {
    {"controller", cli_controller, "run in or beside a cluster and roll out what is asked for"},
    {"adapters", cli_adapters, "list the workload adapters that the config enables"},
    {"role", cli_role, "print the rights that the controller needs with these adapters"},
    {"version", cli_version, "print the version"},
};

int cli_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("sluice " SLUICE_VERSION);
    return EXIT_SUCCESS;
}

static void print_usage(FILE *to)
{
    fputs("usage: sluice VERB [OPTION…]\n\nProgressive rollouts for Kubernetes.\n\n", to);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fprintf(to, "  %-12s %s\n", verbs[i].name, verbs[i].text);
    fputs("\n`sluice VERB --help` tells the options of a verb.\n", to);
}

static int run_verb(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            return verbs[i].run(argc, argv);
    fprintf(stderr, "sluice: unknown verb \"%s\"\n\n", argv[0]);
    print_usage(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    bool help = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0);
    if (argc < 2 || help) {
        print_usage(help ? stdout : stderr);
        return help ? EXIT_SUCCESS : EXIT_USAGE;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int status = run_verb(argc - 1, argv + 1);
    curl_global_cleanup();
    return status;
}
