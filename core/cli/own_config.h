// SPDX-License-Identifier: Apache-2.0
/* The config of one who has none. */
#ifndef CLI_OWN_CONFIG_H
#define CLI_OWN_CONFIG_H

#include "config/config.h"

/* With the adapters and the renderer that come with this program: as they are installed, or as they
 * stand beside it in the build directory. The caller releases it with config_done(). */
void own_config(struct config *ret_config);

#endif
