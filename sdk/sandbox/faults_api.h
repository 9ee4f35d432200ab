// SPDX-License-Identifier: Apache-2.0
/* Where rules meet what they are about: requests, the events of watches, and the path by which
 * rules come and go. */
#ifndef SANDBOX_FAULTS_API_H
#define SANDBOX_FAULTS_API_H

#include "failure.h"
#include "faults.h"
#include "sandbox_private.h"
#include "target.h"

/* /sandbox/faults: GET tells the rules, POST adds some, DELETE drops all; DELETE of
 * /sandbox/faults/ID drops one. False: the path is another. */
bool faults_answer(struct sandbox *sandbox, const struct request *request, struct answer *answer);

/* What is to go wrong with a request; NULL: nothing. */
const struct fault *faults_of_request(struct sandbox *sandbox, const struct target *target,
                                      const struct request *request);

/* The failure that a rule wants as answer. */
int fault_fail(const struct fault *fault, struct failure *failure);

#endif
