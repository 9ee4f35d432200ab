// SPDX-License-Identifier: Apache-2.0
/*
 * The adapter under examination: loaded with every check that the controller makes, and called
 * directly, so that what it emits can be looked at before the host judges it.
 */
#ifndef CHECK_SUBJECT_H
#define CHECK_SUBJECT_H

#include "adapter/call.h"
#include "adapter/manifest.h"
#include "base/error.h"

#include <sluice/abi.h>

struct subject {
    const sluice_adapter *table;
    struct manifest manifest;
    bool newer;
};

/* `name` is the one that the config will give it; NULL: the one that it has itself. The caller
 * releases it. */
int subject_open(const char *file, const char *name, struct subject *ret_subject,
                 struct error *err);
void subject_done(struct subject *subject);

/* Would the adapter be taken with this manifest, which describe() emitted? ERR_INVALID. */
int subject_describe(const struct subject *subject, const json_t *described, struct error *err);

/* Has it this call? */
bool subject_has(const struct subject *subject, enum call_kind kind);

/* One call, with limits and host services of one's own choice. The answer is the caller's. */
struct manner {
    const struct call_limits *limits;
    const sluice_host *host;
};
int subject_ask(const struct subject *subject, const struct manner *manner,
                const struct question *question, struct answer *ret_answer, struct error *err);

/* The normal manner. */
extern const struct manner manner_normal;

#endif
