// SPDX-License-Identifier: Apache-2.0
/*
 * Where hooks may go. A plan is written by whoever may write a rollout, and the controller stands
 * where he may not: beside the cluster's inside, and beside its machine's. An operator's list says
 * where calls may go, by hosts, URLs and ranges of addresses; and whatever a name resolves to, it
 * leads neither to this machine nor to a link's own addresses, such as a cloud's metadata, unless
 * the list has that very address.
 *
 * A list doesn't change once it is filled. It is counted: hooks that are under way keep theirs.
 */
#ifndef CONFIG_ALLOW_H
#define CONFIG_ALLOW_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <sys/socket.h>

struct allow;

/* An empty list: nothing is allowed. The caller owns one reference. */
struct allow *allow_new(void);
struct allow *allow_ref(struct allow *allow);
void allow_unref(struct allow *allow);

/* One entry, such as "gates.shop.svc", "*.shop.svc", "https://gates.example.com/rollouts/" or
 * "10.0.0.0/8". ERR_INVALID: the words say what an entry may be. */
int allow_add(struct allow *allow, const char *entry, struct error *err);

bool allow_equal(const struct allow *a, const struct allow *b);

/* The entries as they were written, with commas. The caller frees it. */
char *allow_text(const struct allow *allow);

/* What the list says about a URL, before anything is looked up. NULL, here and below, is no list:
 * every URL may be called. */
enum allow_verdict {
    ALLOW_NOT,          /* whatever its address */
    ALLOW_BY_ADDRESS,   /* if its address is in a range of the list */
    ALLOW_BY_NAME,      /* if its address isn't one of those that take an entry of their own */
    ALLOW_THIS_ADDRESS, /* its host is the address that an entry has */
};
enum allow_verdict allow_url(const struct allow *allow, CURLU *url);

/* May a URL with that verdict be called at this address? NULL: yes. Otherwise, what kind of address
 * it is. */
const char *allow_refusal(const struct allow *allow, enum allow_verdict verdict,
                          const struct sockaddr *address);

#endif
