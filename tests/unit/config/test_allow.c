// SPDX-License-Identifier: Apache-2.0
/* Where hooks may go: what an entry may be, which URLs it lets pass, and at which addresses. */
#include "config/allow.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A list of entries, written with blanks between them. */
static struct allow *list(const char *entries)
{
    struct allow *allow = allow_new();
    struct error err = {0};
    char *copy AUTO_FREE = str_copy(entries), *rest;
    for (char *at = strtok_r(copy, " ", &rest); at; at = strtok_r(NULL, " ", &rest))
        if (allow_add(allow, at, &err) < 0)
            fail_msg("%s: %s", at, err.text);
    return allow;
}

static enum allow_verdict verdict(const struct allow *allow, const char *text)
{
    CURLU *url = curl_url();
    assert_int_equal(curl_url_set(url, CURLUPART_URL, text, 0), CURLUE_OK);
    enum allow_verdict found = allow_url(allow, url);
    curl_url_cleanup(url);
    return found;
}

static void assert_verdict(const char *entries, const char *url, enum allow_verdict wanted)
{
    struct allow *allow = list(entries);
    enum allow_verdict found = verdict(allow, url);
    allow_unref(allow);
    if (found != wanted)
        fail_msg("%s with %s: %d instead of %d", url, entries, (int)found, (int)wanted);
}

static const char *refusal(const struct allow *allow, enum allow_verdict verdict, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return allow_refusal(allow, verdict, (struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return allow_refusal(allow, verdict, (struct sockaddr *)&v6);
}

static void entries(void **state)
{
    static const char *const wrong[] = {"",
                                        "*",
                                        "*.",
                                        "a b",
                                        "a/b",
                                        ".shop",
                                        "a*.shop",
                                        "shop:80",
                                        "10.0.0.0/33",
                                        "10.0.0.0/",
                                        "10.0.0.0/8x",
                                        "fd00::/129",
                                        "fd00::/-1",
                                        "ftp://shop/",
                                        "https://me:sesame@shop/",
                                        "https://shop/?a=b",
                                        "https://shop/#a",
                                        "https://"};
    struct allow *allow = allow_new();
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct error err = {0};
        if (allow_add(allow, wrong[i], &err) != ERR_INVALID)
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_non_null(strstr(err.text, "expected a host (gates.shop.svc or *.shop.svc)"));
    }
    char *nothing AUTO_FREE = allow_text(allow);
    assert_string_equal(nothing, "nothing");
    allow_unref(allow);
    allow = list("gates.shop.svc *.shop.svc https://a.example/x/ 10.0.0.0/8 ::1");
    char *all AUTO_FREE = allow_text(allow);
    assert_string_equal(all, "gates.shop.svc, *.shop.svc, https://a.example/x/, 10.0.0.0/8, ::1");
    allow_unref(allow);
}

static void hosts(void **state)
{
    const char *one = "gates.shop.svc";
    assert_verdict(one, "http://gates.shop.svc/x", ALLOW_BY_NAME);
    assert_verdict(one, "https://GATES.shop.svc.:8443/", ALLOW_BY_NAME);
    assert_verdict(one, "http://gates.shop.svc.evil.example/", ALLOW_NOT);
    assert_verdict(one, "http://gates.shop.svc@evil.example/", ALLOW_NOT);
    assert_verdict(one, "http://evil.example/gates.shop.svc", ALLOW_NOT);
    assert_verdict("*.shop.svc", "http://a.b.shop.svc/", ALLOW_BY_NAME);
    assert_verdict("*.shop.svc", "http://shop.svc/", ALLOW_NOT);
    assert_verdict("*.shop.svc", "http://evilshop.svc/", ALLOW_NOT);
    assert_verdict("*.0.0.1", "http://127.0.0.1/", ALLOW_NOT);
    assert_verdict("", "http://gates.shop.svc/", ALLOW_NOT);
    assert_int_equal(verdict(NULL, "http://anything/"), ALLOW_BY_NAME);
}

static void urls(void **state)
{
    const char *one = "https://a.example/rollouts";
    assert_verdict(one, "https://a.example/rollouts", ALLOW_BY_NAME);
    assert_verdict(one, "https://A.example:443/rollouts/may-i?x=y", ALLOW_BY_NAME);
    assert_verdict(one, "http://a.example/rollouts", ALLOW_NOT);
    assert_verdict(one, "https://a.example:8443/rollouts", ALLOW_NOT);
    assert_verdict(one, "https://a.example/rollouts-of-others", ALLOW_NOT);
    assert_verdict(one, "https://a.example/", ALLOW_NOT);
    assert_verdict(one, "https://a.example/rollouts/../admin", ALLOW_NOT);
    assert_verdict(one, "https://a.example/rollouts/%2E%2e/admin", ALLOW_NOT);
    assert_verdict(one, "https://a.example/rollouts/..%2fadmin", ALLOW_NOT);
    assert_verdict(one, "https://a.example/rollouts/..%5Cadmin", ALLOW_NOT);
    assert_verdict("https://a.example/r/", "https://a.example/r/x", ALLOW_BY_NAME);
    assert_verdict("https://a.example/r/", "https://a.example/r", ALLOW_NOT);
    assert_verdict("https://a.example", "https://a.example/any/%2e", ALLOW_BY_NAME);
    assert_verdict("http://127.0.0.1:8080", "http://127.0.0.1:8080/x", ALLOW_THIS_ADDRESS);
    assert_verdict("http://127.0.0.1:8080", "http://127.0.0.1:8081/x", ALLOW_NOT);
    assert_verdict("http://[::1]:8080", "http://[::1]:8080/x", ALLOW_THIS_ADDRESS);
}

static void ranges(void **state)
{
    struct allow *allow = list("10.1.0.0/20 fd00:1::/32 192.0.2.7");
    assert_int_equal(verdict(allow, "http://anything/"), ALLOW_BY_ADDRESS);
    static const char *const inside[] = {"10.1.0.1",  "10.1.15.255",     "fd00:1:2::3",
                                         "192.0.2.7", "::ffff:10.1.0.1", "64:ff9b::10.1.0.1"};
    static const char *const outside[] = {"10.1.16.0", "10.0.255.255", "fd00:2::1",
                                          "192.0.2.8", "127.0.0.1",    "::a01:1"};
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        assert_null(refusal(allow, ALLOW_BY_ADDRESS, inside[i]));
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        assert_string_equal(refusal(allow, ALLOW_BY_ADDRESS, outside[i]),
                            "an address outside of its ranges");
    allow_unref(allow);
}

/* However a name is spelt and whatever it resolves to: these take an entry of their own. */
static void closed(void **state)
{
    static const char *const shut[] = {"127.0.0.1",
                                       "127.255.0.1",
                                       "::1",
                                       "0.0.0.0",
                                       "::",
                                       "169.254.169.254",
                                       "169.254.0.1",
                                       "fe80::1",
                                       "febf::1",
                                       "::ffff:127.0.0.1",
                                       "::ffff:169.254.169.254",
                                       "64:ff9b::169.254.169.254",
                                       "fd00:ec2::254",
                                       "100.100.100.200"};
    static const char *const open[] = {"10.0.0.1", "192.168.1.1", "8.8.8.8",
                                       "fec0::1",  "fd00::1",     "2001:db8::1"};
    struct allow *named = list("gates.shop.svc 10.0.0.0/8");
    struct allow *all = list("0.0.0.0/0 ::/0");
    for (size_t i = 0; i < sizeof shut / sizeof *shut; i++) {
        if (!refusal(NULL, ALLOW_BY_NAME, shut[i]) || !refusal(named, ALLOW_BY_NAME, shut[i]))
            fail_msg("%s is open", shut[i]);
        assert_null(refusal(all, ALLOW_BY_NAME, shut[i]));
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_null(refusal(NULL, ALLOW_BY_NAME, open[i]));
        assert_null(refusal(named, ALLOW_BY_NAME, open[i]));
    }
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_non_null(allow_refusal(all, ALLOW_THIS_ADDRESS, &local));
    allow_unref(named);
    allow_unref(all);
}

static void compared(void **state)
{
    struct allow *a = list("a b"), *same = list("a b"), *other = list("a c"), *less = list("a");
    assert_true(allow_equal(a, a));
    assert_true(allow_equal(a, same));
    assert_true(allow_equal(NULL, NULL));
    assert_false(allow_equal(a, other));
    assert_false(allow_equal(a, less));
    assert_false(allow_equal(a, NULL));
    assert_ptr_equal(allow_ref(a), a);
    allow_unref(a);
    struct allow *all[] = {a, same, other, less, NULL};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        allow_unref(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries), cmocka_unit_test(hosts),  cmocka_unit_test(urls),
        cmocka_unit_test(ranges),  cmocka_unit_test(closed), cmocka_unit_test(compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
