// SPDX-License-Identifier: Apache-2.0
/* The definitions of Sluice's own kinds, deploy/crds, as one text of YAML. Made by the build. */
#ifndef CLI_OWN_KINDS_H
#define CLI_OWN_KINDS_H

extern const char own_kinds[];

#endif
