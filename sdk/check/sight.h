// SPDX-License-Identifier: Apache-2.0
/* Rules about what an adapter sees: of which fields, and how truly. */
#ifndef CHECK_SIGHT_H
#define CHECK_SIGHT_H

#include "contract.h"

/* The controller shows it a kind of its manifest, and of that what `keep` names. */
int sight_keep(const struct subject *subject, const struct specimen *specimen, struct error *err);

/* Something makes `settled` false. */
int sight_settled(const struct subject *subject, const struct specimen *specimen,
                  struct error *err);

/* Ready pods of the old revision aren't taken for new ones. */
int sight_ready(const struct subject *subject, const struct specimen *specimen, struct error *err);

/* A workload may have no pods. */
int sight_empty(const struct subject *subject, const struct specimen *specimen, struct error *err);

#endif
