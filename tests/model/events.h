// SPDX-License-Identifier: Apache-2.0
/* What may happen in a state. */
#ifndef TESTS_MODEL_EVENTS_H
#define TESTS_MODEL_EVENTS_H

#include "trial.h"

/* When everything goes well, the first of what GOES that can happen does; or else the help that the
 * recorded reason asks for; or else the time comes that would come at last. TROUBLE is counted: how
 * many troubles there may be is the depth of the exploration. */
enum kind { GOES, HELPS, COMES_LAST, TROUBLE };

struct event {
    const char *what;
    enum kind kind;
    bool (*happens)(struct trial *trial, int with); /* false: it can't, here */
    int with;
    enum reason_code cures; /* HELPS: what somebody waits for that this ends */
};

extern const struct event events[];
extern const int event_count;

#endif
