// SPDX-License-Identifier: Apache-2.0
/* Files of builtin/, as the build puts them into the program. */
#ifndef SANDBOX_BUILTIN_H
#define SANDBOX_BUILTIN_H

extern const char builtin_kinds[];     /* kinds.json */
extern const char builtin_clonesets[]; /* clonesets.json: OpenKruise's definition */

#endif
