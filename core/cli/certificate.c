// SPDX-License-Identifier: Apache-2.0
#include "cli/certificate.h"

#include "base/alloc.h"
#include "base/text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BEFORE_S = 300, SERIAL_BYTES = 16 };

/* ---- making ---- */

static bool put_extension(X509 *made, int which, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, made, made, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, which, value);
    bool put = extension && X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
    return put;
}

static bool put_serial(X509 *made)
{
    unsigned char bytes[SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] &= 0x7f;
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool put = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(made));
    BN_free(number);
    return put;
}

static bool put_name(X509 *made)
{
    X509_NAME *name = X509_get_subject_name(made);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"sluice-admission", -1, -1, 0) &&
           X509_set_issuer_name(made, name);
}

static bool put_times(X509 *made, int64_t now_ms, int64_t term_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    return X509_time_adj_ex(X509_getm_notBefore(made), 0, -BEFORE_S, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(made), (int)(term_ms / 1000 / 86400),
                            (long)(term_ms / 1000 % 86400), &now);
}

/* A server's, signed by itself: whoever trusts it trusts no other certificate by that. */
static bool fill(X509 *made, const char *names, EVP_PKEY *key)
{
    return X509_set_version(made, X509_VERSION_3) && put_serial(made) && put_name(made) &&
           put_extension(made, NID_basic_constraints, "critical,CA:FALSE") &&
           put_extension(made, NID_key_usage, "critical,digitalSignature") &&
           put_extension(made, NID_ext_key_usage, "serverAuth") &&
           put_extension(made, NID_subject_alt_name, names) && X509_set_pubkey(made, key) &&
           X509_sign(made, key, EVP_sha256());
}

/* Hands over what was written. */
static char *bio_take(BIO *bio)
{
    char *bytes;
    long count = BIO_get_mem_data(bio, &bytes);
    char *text = str_copy_n(bytes, count > 0 ? (size_t)count : 0);
    BIO_free(bio);
    return text;
}

static char *certificate_text(X509 *made)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, made);
    return bio_take(bio);
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return bio_take(bio);
}

int certificate_make(const char *names, int64_t now_ms, int64_t term_ms,
                     struct certificate *ret_certificate, struct error *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    bool good = key && made && put_times(made, now_ms, term_ms) && fill(made, names, key);
    if (good)
        *ret_certificate = (struct certificate){
            .pem = certificate_text(made), .key = key_text(key), .ends_ms = now_ms + term_ms};
    X509_free(made);
    EVP_PKEY_free(key);
    if (good)
        return OK;
    return error_set(err, ERR_BUG, "no certificate can be made for %s: %s", names,
                     ERR_reason_error_string(ERR_get_error()));
}

void certificate_done(struct certificate *certificate)
{
    free(certificate->pem);
    if (certificate->key)
        OPENSSL_cleanse(certificate->key, strlen(certificate->key));
    free(certificate->key);
    *certificate = (struct certificate){0};
}

/* ---- bundles ---- */

/* What the base64 says, or "". The caller frees it. */
static char *decoded(const char *bundle)
{
    size_t length = bundle ? strlen(bundle) : 0;
    char *text = mem_alloc(length + 1);
    int count = EVP_DecodeBlock((unsigned char *)text,
                                (const unsigned char *)(bundle ? bundle : ""), (int)length);
    text[count > 0 ? count : 0] = '\0';
    return text;
}

static char *encoded(const struct text *text)
{
    char *made = mem_alloc(text->len / 3 * 4 + 5);
    EVP_EncodeBlock((unsigned char *)made, (const unsigned char *)text->at, (int)text->len);
    return made;
}

bool bundle_has(const char *bundle, const struct certificate *certificate)
{
    char *text AUTO_FREE = decoded(bundle);
    return strstr(text, certificate->pem);
}

static bool is_over(const X509 *one, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    return X509_cmp_time(X509_get0_notAfter(one), &now) < 0;
}

/* Those that count still, oldest first. The caller frees each. */
static size_t still_good(const char *bundle, int64_t now_ms, char *ret_pems[BUNDLE_MAX])
{
    char *text AUTO_FREE = decoded(bundle);
    BIO *bio = BIO_new_mem_buf(text, -1);
    size_t count = 0;
    X509 *one;
    while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        if (!is_over(one, now_ms)) {
            if (count == BUNDLE_MAX) {
                free(ret_pems[0]);
                memmove(ret_pems, ret_pems + 1, --count * sizeof *ret_pems);
            }
            ret_pems[count++] = certificate_text(one);
        }
        X509_free(one);
    }
    ERR_clear_error();
    BIO_free(bio);
    return count;
}

char *bundle_with(const char *bundle, const struct certificate *certificate, int64_t now_ms)
{
    char *pems[BUNDLE_MAX];
    struct text text AUTO(text_done) = {0};
    size_t count = still_good(bundle, now_ms, pems);
    for (size_t i = 0; i < count; i++) {
        bool room = count < BUNDLE_MAX || i > 0;
        if (room && strcmp(pems[i], certificate->pem) != 0)
            text_puts(&text, pems[i]);
        free(pems[i]);
    }
    text_puts(&text, certificate->pem);
    return encoded(&text);
}
