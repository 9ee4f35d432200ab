// SPDX-License-Identifier: Apache-2.0
/* What the host would make of an adapter's answers and of its rights, without a cluster. */
#ifndef CHECK_ACCEPT_H
#define CHECK_ACCEPT_H

#include "adapter/case.h"
#include "subject.h"

/* Would the host take what was emitted? ERR_BUG. */
int accept_answer(const struct subject *subject, const struct case_plan *plan,
                  const struct answer *answer, struct error *err);

/* Does the manifest ask for the right to list and watch something in the API group of each kind
 * that it handles or owns, and to patch what it handles? ERR_BUG, though whoever runs it may give
 * the right by other means. */
int accept_rights(const struct subject *subject, struct error *err);

#endif
