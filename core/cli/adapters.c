// SPDX-License-Identifier: Apache-2.0
/* `sluice adapters`: loads what the config names and says what became of it. */
#include "adapter/adapter.h"
#include "cli/cli.h"
#include "config/config.h"

#include <stdio.h>

static int print_adapter(const struct adapter *adapter)
{
    const struct error *refusal = adapter_refusal(adapter);
    if (refusal) {
        printf("%-14s refused  %s\n", adapter_name(adapter), refusal->text);
        return STATUS_REFUSED;
    }
    printf("%-14s %-8s %s\n", adapter_name(adapter), adapter_version(adapter),
           adapter_file(adapter));
    for (size_t i = 0; i < adapter_kinds(adapter); i++) {
        const struct adapter_kind *kind = adapter_kind(adapter, i);
        printf("%-14s          %s (%s)\n", "", kind->kind, kind->api_version);
    }
    return STATUS_DONE;
}

static int run_adapters(const struct arguments *arguments)
{
    const char *given = flag_value(arguments, &flag_config);
    struct config config = {0};
    struct error err = {0};
    if (config_load(given ? given : CONFIG_FILE, &config, &err) < 0) {
        fprintf(stderr, "sluice adapters: %s\n", err.text);
        return STATUS_REFUSED;
    }
    struct adapters *adapters =
        adapters_load(config.adapter_directory, config.adapters, config.adapter_count);
    int status = STATUS_DONE;
    for (size_t i = 0; i < adapters_count(adapters); i++)
        status |= print_adapter(adapters_nth(adapters, i));
    adapters_free(adapters);
    config_done(&config);
    return status;
}

const struct verb verb_adapters = {
    .name = "adapters",
    .summary = "list the workload adapters that the config enables",
    .flags = (const struct flag *const[]){&flag_config, NULL},
    .text =
        "Loads them as the controller would, and lists them with the kinds that they handle, or "
        "with the reason why they were refused.",
    .run = run_adapters,
};
