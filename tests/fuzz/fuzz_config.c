// SPDX-License-Identifier: Apache-2.0
/* The config file: it is read whole or refused whole, what was read can be told again, and from any
 * config one can go over to it. */
#include "bytes.h"

#include "config/config.h"

static void on_change(void *data, const char *key, bool applied)
{
    (void)data;
    (void)key;
    (void)applied;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct bytes_file file = bytes_file(bytes, count);
    struct config config = {0}, former = config_defaults();
    struct error err = {0};
    int code = config_load(file.path, &config, &err);
    bytes_judge(code, &err);
    if (code == OK) {
        json_decref(config_about(&config));
        config_renew_take(&former, &config, on_change, NULL);
        json_decref(config_about(&former));
    }
    config_done(&former);
    bytes_file_done(&file);
    return 0;
}
