// SPDX-License-Identifier: Apache-2.0
/* `sluice adapters`: loads what the config names and says what became of it. */
#include "adapter/adapter.h"
#include "cli/cli.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sluice adapters [--config FILE]\n"
    "\n"
    "Loads the adapters that the config names, as the controller would, and lists them with the\n"
    "kinds that they handle, or with the reason why they were refused.\n";

static int print_adapter(const struct adapter *adapter)
{
    const struct error *refusal = adapter_refusal(adapter);
    if (refusal) {
        printf("%-14s refused  %s\n", adapter_name(adapter), refusal->text);
        return EXIT_FAILURE;
    }
    printf("%-14s %-8s %s\n", adapter_name(adapter), adapter_version(adapter),
           adapter_file(adapter));
    for (size_t i = 0; i < adapter_kinds(adapter); i++) {
        const struct adapter_kind *kind = adapter_kind(adapter, i);
        printf("%-14s          %s (%s)\n", "", kind->kind, kind->api_version);
    }
    return EXIT_SUCCESS;
}

int cli_adapters(int argc, char **argv)
{
    const char *file = "/etc/sluice/sluice.yaml";
    if (argc == 3 && strcmp(argv[1], "--config") == 0) {
        file = argv[2];
    } else if (argc != 1) {
        fputs(usage, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? EXIT_SUCCESS : EXIT_USAGE;
    }
    struct config config = {0};
    struct error err = {0};
    if (config_load(file, &config, &err) < 0) {
        fprintf(stderr, "sluice adapters: %s\n", err.text);
        return EXIT_FAILURE;
    }
    struct adapters *adapters =
        adapters_load(config.adapter_directory, config.adapters, config.adapter_count);
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < adapters_count(adapters); i++)
        status |= print_adapter(adapters_nth(adapters, i));
    adapters_free(adapters);
    config_done(&config);
    return status;
}
