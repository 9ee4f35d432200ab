// SPDX-License-Identifier: Apache-2.0
#include "cli/admission.h"

#include "base/address.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/json_patch.h"
#include "base/log.h"
#include "cli/certificate.h"
#include "cli/judge.h"
#include "cli/review.h"
#include "cluster/watch.h"
#include "serve/exposition.h"
#include "serve/serve.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define WEBHOOKS "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"

enum {
    BODY_MAX = 8 << 20, /* two objects of the size that etcd takes, and what is around them */
    SETTLE_MS = 3000,   /* for API servers to see a bundle that we have seen */
    SOON_MS = 100,
    LATER_MS = 5000,
};

enum result { ALLOWED, WARNED, REFUSED, UNREADABLE, RESULTS };

struct admission {
    struct cluster *cluster;
    struct judge judge;
    struct serve_route routes[2];
    struct serve *serve;
    struct certificate now, next; /* `next` is there while it is being made known */
    struct watch *watch;
    json_t *seen;       /* the ValidatingWebhookConfiguration; NULL: it isn't there */
    struct call *patch; /* under way */
    struct timer renew, settle, again;
    uint64_t reviews[RESULTS]; /* answered so far */
};

static struct log_about about(const struct admission *admission)
{
    return (struct log_about){.topic = "admission",
                              .object = admission->judge.config->admission_webhooks};
}

/* ---- answering ---- */

static void answer_words(struct serve_answer *answer, const struct error *err)
{
    answer->status = 400;
    text_addf(&answer->body, "%s%s%s\n", err->path, *err->path ? ": " : "", err->text);
}

static void answer_review(void *data, struct serve_answer *answer)
{
    struct admission *admission = data;
    struct review review;
    struct error err = {0};
    const struct text *asked = answer->asked;
    if (review_read(asked->at ? asked->at : "", asked->len, &review, &err) < 0) {
        admission->reviews[UNREADABLE]++;
        answer_words(answer, &err);
        return;
    }
    int code = judge_review(&admission->judge, &review, &err);
    char *warning AUTO_FREE =
        code == OK && *err.text ? str_format("%s: %s", err.path, err.text) : NULL;
    char *text AUTO_FREE = review_answer(&review, code < 0 ? &err : NULL, warning);
    admission->reviews[code < 0 ? REFUSED : warning ? WARNED : ALLOWED]++;
    answer->type = "application/json";
    text_puts(&answer->body, text);
    review_done(&review);
}

/* ---- the certificate ---- */

/* By the names that API servers have for it: the Service's, and where it listens. */
static char *names_of(const struct config *config)
{
    union address address;
    char text[INET6_ADDRSTRLEN] = "127.0.0.1";
    if (address_parse(config->admission_listen, &address, NULL) == OK) {
        if (address.any.sa_family == AF_INET)
            inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
        else
            inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
    }
    return str_format("DNS:%s.%s.svc,DNS:%s.%s.svc.cluster.local,IP:%s", config->admission_service,
                      config->admission_namespace, config->admission_service,
                      config->admission_namespace, text);
}

static int make_certificate(const struct admission *admission, struct certificate *ret_certificate,
                            struct error *err)
{
    const struct config *config = admission->judge.config;
    char *names AUTO_FREE = names_of(config);
    return certificate_make(names, clock_wall_ms(), config->admission_term_ms, ret_certificate,
                            err);
}

static int serve_now(struct admission *admission, struct error *err)
{
    const struct serve_spec spec = {.listen = admission->judge.config->admission_listen,
                                    .routes = admission->routes,
                                    .certificate = admission->now.pem,
                                    .key = admission->now.key};
    serve_free(admission->serve);
    admission->serve = NULL;
    return serve_new(cluster_loop(admission->cluster), &spec, &admission->serve, err);
}

static void on_renew(void *data);

static void renew_later(struct admission *admission)
{
    int64_t left_ms = admission->now.ends_ms - clock_wall_ms();
    timer_start(cluster_loop(admission->cluster), &admission->renew,
                left_ms - admission->judge.config->admission_term_ms / 3, on_renew, admission);
}

/* The next one is in the bundle for a while. */
static void on_settled(void *data)
{
    struct admission *admission = data;
    struct error err = {0};
    certificate_done(&admission->now);
    admission->now = admission->next;
    admission->next = (struct certificate){0};
    if (serve_now(admission, &err) < 0)
        log_write(LOG_ERROR, about(admission), "%s", err.text);
    else
        log_write(LOG_INFO, about(admission), "answering with the next certificate");
    renew_later(admission);
}

/* ---- the bundle ---- */

static const struct certificate *newest(const struct admission *admission)
{
    return admission->next.pem ? &admission->next : &admission->now;
}

static void spread(struct admission *admission);

static void on_again(void *data)
{
    spread(data);
}

static void see_take(struct admission *admission, json_t *object)
{
    json_decref(admission->seen);
    admission->seen = object;
}

/* Somebody else was first, mostly another of us: the watch is about to tell. */
static bool was_overtaken(const struct error *err)
{
    return err->code == ERR_INVALID || err->code == ERR_CONFLICT;
}

static void on_patched(void *data, const struct reply *reply)
{
    struct admission *admission = data;
    bool soon = was_overtaken(&reply->error);
    admission->patch = NULL;
    if (reply->error.code == OK) {
        see_take(admission, json_incref(reply->body));
        spread(admission);
        return;
    }
    if (!soon)
        log_write(LOG_WARN, about(admission), "its caBundle can't be written: %s",
                  reply->error.text);
    timer_start(cluster_loop(admission->cluster), &admission->again, soon ? SOON_MS : LATER_MS,
                on_again, admission);
}

static char *webhook_pointer(size_t index, const char *member)
{
    return str_format("/webhooks/%zu/clientConfig%s", index, member);
}

/* What puts our certificate into each webhook's bundle where it isn't. The caller owns it; it is
 * empty when it is everywhere. */
static json_t *steps(const struct admission *admission)
{
    json_t *made = json_array(), *webhooks = json_object_get(admission->seen, "webhooks");
    for (size_t i = 0; i < json_array_size(webhooks); i++) {
        char *pointer AUTO_FREE = webhook_pointer(i, "/caBundle");
        const char *bundle = json_string_at(admission->seen, pointer);
        if (bundle_has(bundle, newest(admission)))
            continue;
        char *next AUTO_FREE = bundle_with(bundle, newest(admission), clock_wall_ms());
        json_array_append_new(made, json_patch_step_take("add", pointer, json_string(next)));
    }
    return made;
}

static void patch_send(struct admission *admission, json_t *patch)
{
    json_array_insert_new(
        patch, 0,
        json_patch_step_take("test", "/metadata/resourceVersion",
                             json_incref(json_at(admission->seen, "/metadata/resourceVersion"))));
    char *path AUTO_FREE =
        str_format(WEBHOOKS "/%s?fieldManager=sluice", admission->judge.config->admission_webhooks);
    char *body AUTO_FREE = json_text(patch);
    const struct call_spec spec = {.method = "PATCH",
                                   .path = path,
                                   .content_type = PATCH_JSON,
                                   .body = body,
                                   .unfenced = true};
    admission->patch = cluster_call(admission->cluster, &spec, on_patched, admission);
}

/* A term that is short, for a test, has no time for more. */
static int64_t settle_ms(const struct admission *admission)
{
    int64_t share_ms = admission->judge.config->admission_term_ms / 10;
    return share_ms < SETTLE_MS ? share_ms : SETTLE_MS;
}

/* Brings our certificate into the bundle, and goes over to the next one once that is there. */
static void spread(struct admission *admission)
{
    if (!admission->seen || admission->patch)
        return;
    json_t *patch AUTO_JSON = steps(admission);
    if (json_array_size(patch))
        patch_send(admission, patch);
    else if (admission->next.pem && !timer_running(&admission->settle))
        timer_start(cluster_loop(admission->cluster), &admission->settle, settle_ms(admission),
                    on_settled, admission);
}

static void on_renew(void *data)
{
    struct admission *admission = data;
    struct error err = {0};
    if (make_certificate(admission, &admission->next, &err) < 0)
        log_write(LOG_ERROR, about(admission), "%s", err.text);
    else
        spread(admission);
}

/* ---- watching it ---- */

static void on_put(void *data, json_t *object)
{
    struct admission *admission = data;
    see_take(admission, json_incref(object));
    spread(admission);
}

static void on_delete(void *data, json_t *object)
{
    (void)object;
    see_take(data, NULL);
}

static void on_state(void *data, const struct error *err)
{
    const struct admission *admission = data;
    if (err->code == OK)
        log_write(LOG_INFO, about(admission), "watching");
    else
        log_write(LOG_WARN, about(admission), "%s", err->text);
}

static void watch_webhooks(struct admission *admission)
{
    static const char *const keep[] = {"/webhooks"};
    const struct watch_events events = {
        .on_put = on_put, .on_delete = on_delete, .on_state = on_state};
    char *selector AUTO_FREE =
        str_format("metadata.name=%s", admission->judge.config->admission_webhooks);
    const struct watch_spec spec = {
        .path = WEBHOOKS, .field_selector = selector, .keep = keep, .keep_count = 1};
    admission->watch = watch_open(admission->cluster, &spec, &events, admission);
}

/* ---- all of it ---- */

struct admission *admission_new(struct cluster *cluster, const struct controller *controller,
                                const struct config *config)
{
    struct error err = {0};
    if (!*config->admission_listen)
        return NULL;
    struct admission *admission = mem_alloc(sizeof *admission);
    admission->cluster = cluster;
    admission->judge = (struct judge){.controller = controller, .config = config};
    admission->routes[0] = (struct serve_route){
        .path = "/admission", .answer = answer_review, .data = admission, .body_max = BODY_MAX};
    if (make_certificate(admission, &admission->now, &err) < 0 || serve_now(admission, &err) < 0) {
        log_write(LOG_WARN, about(admission), "%s; no webhook is served", err.text);
        certificate_done(&admission->now);
        free(admission);
        return NULL;
    }
    renew_later(admission);
    watch_webhooks(admission);
    return admission;
}

void admission_metrics(const struct admission *admission, struct text *text)
{
    static const char *const names[RESULTS] = {"allowed", "warned", "refused", "unreadable"};
    if (!admission)
        return;
    exposition_family(text, "sluice_admission_reviews_total", METRIC_COUNTER,
                      "Questions of API servers that the webhook has answered.");
    for (int i = 0; i < RESULTS; i++) {
        const struct label labels[] = {{"result", names[i]}, {0}};
        exposition_sample(text, "sluice_admission_reviews_total", labels,
                          (double)admission->reviews[i]);
    }
    exposition_family(text, "sluice_admission_certificate_seconds", METRIC_GAUGE,
                      "How long the webhook's present certificate counts still.");
    exposition_sample(text, "sluice_admission_certificate_seconds", NULL,
                      (double)(admission->now.ends_ms - clock_wall_ms()) / 1000);
}

void admission_free(struct admission *admission)
{
    if (!admission)
        return;
    struct loop *loop = cluster_loop(admission->cluster);
    timer_stop(loop, &admission->renew);
    timer_stop(loop, &admission->settle);
    timer_stop(loop, &admission->again);
    watch_close(admission->watch);
    if (admission->patch)
        call_cancel(admission->patch);
    serve_free(admission->serve);
    certificate_done(&admission->now);
    certificate_done(&admission->next);
    json_decref(admission->seen);
    free(admission);
}
