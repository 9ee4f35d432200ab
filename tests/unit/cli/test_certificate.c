// SPDX-License-Identifier: Apache-2.0
/* Certificates of one's own, and the bundles in which they stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define NAMES "DNS:sluice-admission.ops.svc,IP:127.0.0.1"

static const int64_t now_ms = 1790000000000, hour_ms = 3600 * 1000;

static struct certificate make(int64_t from_ms)
{
    struct certificate made;
    struct error err = {0};
    if (certificate_make(NAMES, from_ms, hour_ms, &made, &err) < 0)
        fail_msg("%s", err.text);
    return made;
}

static X509 *parse(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *made = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(made);
    return made;
}

/* As an API server looks at it: the name by which it has called, the times, and its own key. */
static void test_what_it_is_good_for(void **state)
{
    struct certificate made = make(now_ms);
    X509 *x509 = parse(made.pem);
    BIO *bio = BIO_new_mem_buf(made.key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    time_t before = now_ms / 1000 - 200, late = (now_ms + hour_ms) / 1000 + 1;
    (void)state;
    assert_int_equal(X509_check_host(x509, "sluice-admission.ops.svc", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x509, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_host(x509, "sluice-admission.other.svc", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ca(x509), 0);
    assert_int_equal(X509_check_purpose(x509, X509_PURPOSE_SSL_SERVER, 0), 1);
    assert_int_equal(X509_check_purpose(x509, X509_PURPOSE_SSL_CLIENT, 0), 0);
    assert_int_equal(X509_verify(x509, key), 1);
    assert_true(X509_cmp_time(X509_get0_notBefore(x509), &before) < 0);
    assert_true(X509_cmp_time(X509_get0_notAfter(x509), &late) < 0);
    assert_int_equal(made.ends_ms, now_ms + hour_ms);
    X509_free(x509);
    EVP_PKEY_free(key);
    BIO_free(bio);
    certificate_done(&made);
}

static void test_no_two_are_the_same(void **state)
{
    struct certificate one = make(now_ms), other = make(now_ms);
    (void)state;
    assert_string_not_equal(one.pem, other.pem);
    assert_string_not_equal(one.key, other.key);
    certificate_done(&one);
    certificate_done(&other);
}

static void test_names_that_are_none(void **state)
{
    struct certificate made;
    struct error err = {0};
    (void)state;
    assert_int_equal(certificate_make("IP:nowhere", now_ms, hour_ms, &made, &err), ERR_BUG);
    assert_non_null(strstr(err.text, "no certificate can be made for IP:nowhere: "));
}

/* Adds it, and gives the bundle back in place of the one before. */
static void add(char **bundle, const struct certificate *certificate, int64_t at_ms)
{
    char *next = bundle_with(*bundle, certificate, at_ms);
    free(*bundle);
    *bundle = next;
    assert_true(bundle_has(next, certificate));
    assert_null(strstr(next, "\n"));
}

static void test_a_bundle_keeps_the_others(void **state)
{
    struct certificate one = make(now_ms), other = make(now_ms);
    char *bundle = NULL;
    (void)state;
    assert_false(bundle_has(NULL, &one));
    add(&bundle, &one, now_ms);
    assert_false(bundle_has(bundle, &other));
    add(&bundle, &other, now_ms);
    assert_true(bundle_has(bundle, &one));
    size_t length = strlen(bundle);
    add(&bundle, &one, now_ms); /* once is enough */
    assert_int_equal(strlen(bundle), length);
    assert_true(bundle_has(bundle, &other));
    free(bundle);
    certificate_done(&one);
    certificate_done(&other);
}

static void test_what_is_over_goes(void **state)
{
    struct certificate old = make(now_ms - 2 * hour_ms), young = make(now_ms);
    struct certificate next = make(now_ms);
    char *bundle = NULL;
    (void)state;
    add(&bundle, &old, now_ms - 2 * hour_ms);
    add(&bundle, &young, now_ms - 2 * hour_ms);
    assert_true(bundle_has(bundle, &old));
    add(&bundle, &next, now_ms);
    assert_false(bundle_has(bundle, &old));
    assert_true(bundle_has(bundle, &young));
    free(bundle);
    certificate_done(&old);
    certificate_done(&young);
    certificate_done(&next);
}

/* Of processes that are killed again and again. */
static void test_there_are_never_too_many(void **state)
{
    struct certificate first = make(now_ms), last = make(now_ms);
    char *bundle = NULL;
    (void)state;
    add(&bundle, &first, now_ms);
    for (int i = 0; i < BUNDLE_MAX - 1; i++) {
        struct certificate another = make(now_ms);
        add(&bundle, &another, now_ms);
        certificate_done(&another);
    }
    assert_true(bundle_has(bundle, &first));
    size_t length = strlen(bundle);
    add(&bundle, &last, now_ms);
    assert_false(bundle_has(bundle, &first));
    assert_true(strlen(bundle) < length + 16);
    free(bundle);
    certificate_done(&first);
    certificate_done(&last);
}

/* Whatever somebody has put there. */
static void test_what_is_no_bundle(void **state)
{
    static const char *const nonsense[] = {"", "Cg==", "no base64!", "LS0tLS1CRUdJTiBDRVJUSUZJ"};
    struct certificate made = make(now_ms);
    (void)state;
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        char *bundle = str_copy(nonsense[i]);
        assert_false(bundle_has(bundle, &made));
        add(&bundle, &made, now_ms);
        free(bundle);
    }
    certificate_done(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_is_good_for),
        cmocka_unit_test(test_no_two_are_the_same),
        cmocka_unit_test(test_names_that_are_none),
        cmocka_unit_test(test_a_bundle_keeps_the_others),
        cmocka_unit_test(test_what_is_over_goes),
        cmocka_unit_test(test_there_are_never_too_many),
        cmocka_unit_test(test_what_is_no_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
