// SPDX-License-Identifier: Apache-2.0
#include "cli/serving.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/process_metrics.h"
#include "reconcile/metrics.h"
#include "serve/exposition.h"
#include "serve/serve.h"

#include <stdlib.h>

struct serving {
    struct serving_about about;
    struct serve_route routes[5];
    struct serve *serve;
};

/* Whoever gets an answer knows that the loop turns. */
static void answer_live(void *data, struct serve_answer *answer)
{
    (void)data;
    text_puts(&answer->body, "ok\n");
}

static void answer_ready(void *data, struct serve_answer *answer)
{
    const struct serving *serving = data;
    const char *missing = controller_missing(serving->about.controller);
    const char *why = controller_missing_why(serving->about.controller);
    answer->status = missing ? 503 : 200;
    if (missing)
        text_addf(&answer->body, "%s objects are still being listed%s%s\n", missing,
                  why ? ": " : "", why ? why : "");
    else
        text_puts(&answer->body, "ok\n");
}

static void answer_adapters(void *data, struct serve_answer *answer)
{
    const struct serving *serving = data;
    json_t *about AUTO_JSON = json_pack("{s:o, s:o}", "config", reload_about(serving->about.reload),
                                        "adapters", controller_about(serving->about.controller));
    char *text AUTO_FREE = json_text(about);
    answer->type = "application/json";
    text_addf(&answer->body, "%s\n", text);
}

static void answer_metrics(void *data, struct serve_answer *answer)
{
    const struct serving *serving = data;
    const struct label version[] = {{"version", SLUICE_VERSION}, {0}};
    struct text *text = &answer->body;
    answer->type = EXPOSITION_TYPE;
    exposition_family(text, "sluice_build_info", METRIC_GAUGE, "Always 1.");
    exposition_sample(text, "sluice_build_info", version, 1);
    exposition_family(text, "sluice_leader", METRIC_GAUGE,
                      "1 where it acts, 0 where it waits for its Lease.");
    exposition_sample(text, "sluice_leader", NULL, leading_acts(serving->about.leading));
    if (leading_shards(serving->about.leading) >= 0) {
        exposition_family(text, "sluice_shards", METRIC_GAUGE, "Shards that it acts in.");
        exposition_sample(text, "sluice_shards", NULL, leading_shards(serving->about.leading));
    }
    exposition_family(text, "sluice_ready", METRIC_GAUGE, "1 when its own kinds are listed.");
    exposition_sample(text, "sluice_ready", NULL, !controller_missing(serving->about.controller));
    controller_metrics(serving->about.controller, text);
    admission_metrics(serving->about.admission, text);
    process_metrics(text);
}

struct serving *serving_new(const char *listen, const struct serving_about *about)
{
    struct log_about log_about = {.topic = "serve", .object = listen};
    struct error err = {0};
    if (!*listen)
        return NULL;
    struct serving *serving = mem_alloc(sizeof *serving);
    *serving = (struct serving){.about = *about,
                                .routes = {{"/livez", answer_live, serving, 0},
                                           {"/readyz", answer_ready, serving, 0},
                                           {"/metrics", answer_metrics, serving, 0},
                                           {"/adapters", answer_adapters, serving, 0}}};
    const struct serve_spec spec = {.listen = listen, .routes = serving->routes};
    if (serve_new(controller_loop(about->controller), &spec, &serving->serve, &err) == OK)
        return serving;
    log_write(LOG_WARN, log_about, "%s; nothing is served", err.text);
    free(serving);
    return NULL;
}

void serving_free(struct serving *serving)
{
    if (!serving)
        return;
    serve_free(serving->serve);
    free(serving);
}
