// SPDX-License-Identifier: Apache-2.0
/* What an adapter is made of; for this folder only. */
#ifndef ADAPTER_INTERNAL_H
#define ADAPTER_INTERNAL_H

#include "adapter/adapter.h"
#include "adapter/call.h"
#include "adapter/manifest.h"
#include "adapter/native.h"
#include "base/hash.h"

struct adapter {
    unsigned holders;
    char *name;   /* of the instance, unique */
    char *object; /* what the shared object calls itself */
    char *file;
    char *pin;                  /* the digest that the config asks for; NULL: any */
    char digest[HASH_HEX_SIZE]; /* of what was loaded; "": nothing was */
    struct adapter *unfit; /* the refused version that the config asks for instead; NULL: none */
    struct error kept_refusal; /* of the last such version, also when it isn't asked for any more */
    int64_t kept_refusal_ms;   /* when that was; 0: never */
    char *version;             /* NULL: refused before it was read */
    struct error refusal;      /* code 0: in use; otherwise nothing below is set */
    uint64_t provides;
    bool newer; /* built for a newer minor than ours */
    struct manifest manifest;
    json_t *options;
    struct natives natives;
    enum isolation isolation;
    int64_t deadline_ms;
    uint64_t memory; /* of its process */
    char *host;      /* the program that becomes its process */
    struct transport *transport;
    struct isolated *isolated;       /* the same, where it is a process of its own; else NULL */
    struct line *line;               /* once a loop is attached to that; else NULL */
    struct adapter_figures *figures; /* apart, because asking changes nothing else */
};

/* Loads and checks one entry. Never NULL: a refused adapter carries its refusal. The caller holds
 * it, after waiting at most so long for one that gets a process of its own. */
struct adapter *adapter_load(const char *directory, const struct adapter_entry *entry,
                             int64_t patience_ms);

/* Is this what the entry asks for? Its file isn't looked at. */
bool adapter_fits(const struct adapter *adapter, const char *directory,
                  const struct adapter_entry *entry);

/* Asks what the adapter is with its options, if it has a call for that, and completes its manifest.
 * ERR_INVALID: the words name the option at fault. */
int adapter_describe(struct adapter *adapter, struct error *err);

/* The call is over; `outcome` with all that is in it is taken. */
void asking_end(struct adapter_asking *asking, struct call_outcome *outcome);

/* Takes an adapter out of use. Owns nothing of `refusal`. */
void adapter_refuse(struct adapter *adapter, const struct error *refusal);

#endif
