// SPDX-License-Identifier: Apache-2.0
/* Where a server listens, as people write it: "127.0.0.1:8474", "0.0.0.0:8474", "[::1]:8474". Names
 * aren't looked up. */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include "base/error.h"

#include <netinet/in.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* ERR_INVALID: the words say what was expected and found. Port 0: the system chooses. */
int address_parse(const char *text, union address *ret_address, struct error *err);

int address_port(const union address *address);

/* Where this machine reaches a server that listens there: loopback, when that is everywhere. The
 * caller frees it. */
char *address_to_reach(const union address *address);

#endif
