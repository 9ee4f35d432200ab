// SPDX-License-Identifier: Apache-2.0
/*
 * The page docs/states.md, made from states.def: what every state does, every transition, every
 * reason, with pictures. Pure.
 */
#ifndef ROLLOUT_STATES_DOC_H
#define ROLLOUT_STATES_DOC_H

/* The whole page as Markdown. The caller frees it. */
char *states_doc(void);

#endif
