// SPDX-License-Identifier: Apache-2.0
/* A kubeconfig, with the part that names a program to run. */
#include "bytes.h"

#include "cluster/exec_plugin.h"
#include "cluster/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct bytes_file file = bytes_file(bytes, count);
    struct kubeconfig config = {0};
    struct exec_plugin *plugin = NULL;
    struct error err = {0};
    int code = kubeconfig_load(file.path, NULL, &config, &err);
    bytes_judge(code, &err);
    if (code == OK && json_object_get(config.user, "exec"))
        bytes_judge(exec_plugin_new(&config, &plugin, &err), &err);
    exec_plugin_free(plugin);
    if (code == OK)
        kubeconfig_done(&config);
    bytes_file_done(&file);
    return 0;
}
