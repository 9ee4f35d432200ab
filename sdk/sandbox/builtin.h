// SPDX-License-Identifier: Apache-2.0
/* builtin/kinds.json, as the build puts it into the program. */
#ifndef SANDBOX_BUILTIN_H
#define SANDBOX_BUILTIN_H

extern const char builtin_kinds[];

#endif
