// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* One to five digits, at most 65535. */
static bool port_read(const char *text, in_port_t *ret_port)
{
    size_t digits = strspn(text, "0123456789");
    if (digits < 1 || digits > 5 || text[digits] || atoi(text) > 65535)
        return false;
    *ret_port = htons((in_port_t)atoi(text));
    return true;
}

/* An address of IPv6 stands in brackets, so that its colons aren't the one before the port. */
static bool host_read(const char *host, union address *address)
{
    size_t length = strlen(host);
    bool bracketed = length > 2 && host[0] == '[' && host[length - 1] == ']';
    char *inside AUTO_FREE = bracketed ? str_copy_n(host + 1, length - 2) : NULL;
    address->any.sa_family = bracketed ? AF_INET6 : AF_INET;
    return bracketed ? inet_pton(AF_INET6, inside, &address->v6.sin6_addr) == 1
                     : inet_pton(AF_INET, host, &address->v4.sin_addr) == 1;
}

int address_parse(const char *text, union address *ret_address, struct error *err)
{
    union address address = {0};
    const char *colon = strrchr(text, ':');
    char *host AUTO_FREE = str_copy_n(text, colon ? (size_t)(colon - text) : 0);
    in_port_t port;
    if (!colon || !host_read(host, &address) || !port_read(colon + 1, &port))
        return error_set(err, ERR_INVALID,
                         "expected an address and a port, such as 127.0.0.1:8474 or [::]:8474, "
                         "found \"%.80s\"",
                         text);
    if (address.any.sa_family == AF_INET6)
        address.v6.sin6_port = port;
    else
        address.v4.sin_port = port;
    *ret_address = address;
    return OK;
}

int address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

char *address_to_reach(const union address *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->any.sa_family == AF_INET6) {
        bool everywhere = IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
        inet_ntop(AF_INET6, everywhere ? &in6addr_loopback : &address->v6.sin6_addr, host,
                  sizeof host);
        return str_format("[%s]:%d", host, address_port(address));
    }
    const struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    bool everywhere = address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
    inet_ntop(AF_INET, everywhere ? &loopback : &address->v4.sin_addr, host, sizeof host);
    return str_format("%s:%d", host, address_port(address));
}
