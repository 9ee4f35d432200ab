// SPDX-License-Identifier: Apache-2.0
#include "cli/own_config.h"

#include "base/alloc.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the kinds that every cluster has, or one with OpenKruise. */
static const char *const names[] = {"cloneset",    "daemonset",          "deployment",
                                    "statefulset", "advanced-daemonset", "advanced-statefulset"};

enum { NAMES = sizeof names / sizeof *names };

/* "<build>/plugins", beside the folder that this program is in. The caller frees it. */
static char *built_plugins(void)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (slash)
            *slash = '\0';
    }
    return str_format("%s/plugins", self);
}

/* The one that was built, unless it isn't there. The caller frees it. */
static char *choose(char *built, const char *installed)
{
    if (access(built, R_OK) == 0)
        return built;
    free(built);
    return str_copy(installed);
}

void own_config(struct config *ret_config)
{
    struct config config = config_defaults();
    char *plugins AUTO_FREE = built_plugins();
    char *renderer = choose(str_format("%s/cue/sluice-cue", plugins), config.renderer);
    free(config.renderer);
    config.renderer = renderer;
    config.adapters = mem_alloc(NAMES * sizeof *config.adapters);
    config.adapter_count = NAMES;
    for (size_t i = 0; i < NAMES; i++) {
        char *installed AUTO_FREE = str_format("%s/%s.so", config.adapter_directory, names[i]);
        char *built = str_format("%s/%s/%s.so", plugins, names[i], names[i]);
        config.adapters[i] = (struct adapter_entry){.name = str_copy(names[i]),
                                                    .file = choose(built, installed),
                                                    .isolation = ISOLATION_IN_PROCESS};
    }
    *ret_config = config;
}
