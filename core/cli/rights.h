// SPDX-License-Identifier: Apache-2.0
/*
 * What Sluice itself asks of the Kubernetes API, whatever adapters are enabled. A request that is
 * added anywhere in core needs its right here; the tests on a real cluster run with these alone.
 */
#ifndef CLI_RIGHTS_H
#define CLI_RIGHTS_H

struct core_right {
    const char *why; /* for a person who reads the role */
    const char *group, *resource;
    const char *verbs[7]; /* ends in NULL */
};

/* In the whole cluster, and where its Lease is; each ends in a right without a resource. */
extern const struct core_right core_rights[], lease_rights[];

#endif
