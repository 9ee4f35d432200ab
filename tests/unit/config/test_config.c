// SPDX-License-Identifier: Apache-2.0
#include "config/config.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The text in a file of its own, read and removed again. The words of an error lose the folder. */
static int load(const char *yaml, struct config *ret_config, struct error *err)
{
    char folder[] = "/tmp/sluice-config-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char *file AUTO_FREE = str_format("%s/sluice.yaml", folder);
    FILE *out = fopen(file, "w");
    fputs(yaml, out);
    fclose(out);
    int result = config_load(file, ret_config, err);
    unlink(file);
    rmdir(folder);
    size_t prefix = strlen(folder) + 1;
    if (result < 0 && strncmp(err->text, folder, prefix - 1) == 0)
        memmove(err->text, err->text + prefix, strlen(err->text + prefix) + 1);
    return result;
}

static void assert_refused(const char *yaml, const char *text)
{
    struct config config = {.log_level = 42};
    struct error err = {0};
    assert_int_equal(load(yaml, &config, &err), ERR_INVALID);
    if (strncmp(err.text, text, strlen(text)) != 0)
        fail_msg("expected \"%s\", found \"%s\"", text, err.text);
    assert_int_equal(config.log_level, 42);
    assert_null(config.renderer);
}

static void assert_defaults(const char *yaml)
{
    struct config config;
    struct error err = {0};
    if (load(yaml, &config, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(config.adapter_directory, ADAPTER_DIR);
    assert_string_equal(config.renderer, HELPER_DIR "/sluice-cue");
    assert_int_equal(config.adapter_count, 0);
    assert_null(config.namespace);
    assert_string_equal(config.definition_namespace, "vela-system");
    assert_int_equal(config.renderer_timeout_ms, 5000);
    assert_int_equal(config.renderer_idle_ms, 60000);
    assert_int_equal(config.renderer_memory, 256u << 20);
    assert_int_equal(config.hook_timeout_ms, 10000);
    assert_null(config.hook_allow);
    assert_string_equal(config.admission_listen, "");
    assert_string_equal(config.admission_service, "sluice-admission");
    assert_int_equal(config.admission_term_ms, 604800000);
    assert_int_equal(config.log_level, LOG_INFO);
    config_done(&config);
}

static void defaults(void **state)
{
    assert_defaults("");
    assert_defaults("# nothing but words\n");
    assert_defaults("{}\n");
    assert_defaults("adapters:\n  enabled: []\n");
}

static void everything(void **state)
{
    static const char yaml[] =
        "adapters:\n"
        "  directory: /opt/adapters\n"
        "  enabled:\n"
        "  - name: cloneset\n"
        "  - name: widget-2\n"
        "    adapter: widget\n"
        "    file: /opt/widget.so\n"
        "    sha256: 0123456789abcdef0123456789abcdef0123456789abcdef01234567"
        "89ABCDEF\n"
        "    options: {pods: 3, mode: 'slow', deep: {list: [1, x, null]}}\n"
        "    isolation: inProcess\n"
        "    deadlineMs: 250\n"
        "    memoryMiB: 32\n"
        "namespace: shop\n"
        "definitionNamespace: \"defs\"\n"
        "renderer:\n"
        "  program: /opt/sluice-cue\n"
        "  timeoutSeconds: 7\n"
        "  idleSeconds: 0x10\n"
        "  memoryMiB: 512\n"
        "hooks:\n"
        "  timeoutSeconds: 20\n"
        "serve:\n"
        "  rolloutMetrics: true\n"
        "admission:\n"
        "  listen: 0.0.0.0:8475\n"
        "  service: asked\n"
        "  namespace: ops\n"
        "  configuration: roller\n"
        "  certificateSeconds: 3600\n"
        "logLevel: debug\n";
    struct config config;
    struct error err = {0};
    if (load(yaml, &config, &err) < 0)
        fail_msg("%s", err.text);
    assert_string_equal(config.adapter_directory, "/opt/adapters");
    assert_int_equal(config.adapter_count, 2);
    assert_string_equal(config.adapters[0].name, "cloneset");
    assert_null(config.adapters[0].adapter);
    assert_null(config.adapters[0].file);
    assert_null(config.adapters[0].sha256);
    assert_null(config.adapters[0].options);
    assert_int_equal(config.adapters[0].isolation, ISOLATION_BY_PLACE);
    assert_int_equal(config.adapters[0].deadline_ms, 0);
    assert_string_equal(config.adapters[1].name, "widget-2");
    assert_string_equal(config.adapters[1].adapter, "widget");
    assert_string_equal(config.adapters[1].file, "/opt/widget.so");
    assert_int_equal(strlen(config.adapters[1].sha256), 64);
    assert_int_equal(config.adapters[1].isolation, ISOLATION_IN_PROCESS);
    assert_int_equal(config.adapters[1].deadline_ms, 250);
    assert_int_equal(config.adapters[1].memory, 32u << 20);
    char *options AUTO_FREE = json_canonical(config.adapters[1].options);
    assert_string_equal(options,
                        "{\"deep\":{\"list\":[1,\"x\",null]},\"mode\":\"slow\",\"pods\":3}");
    assert_string_equal(config.admission_listen, "0.0.0.0:8475");
    assert_string_equal(config.admission_service, "asked");
    assert_string_equal(config.admission_namespace, "ops");
    assert_string_equal(config.admission_webhooks, "roller");
    assert_int_equal(config.admission_term_ms, 3600000);
    assert_string_equal(config.namespace, "shop");
    assert_string_equal(config.definition_namespace, "defs");
    assert_string_equal(config.renderer, "/opt/sluice-cue");
    assert_int_equal(config.renderer_timeout_ms, 7000);
    assert_int_equal(config.renderer_idle_ms, 16000);
    assert_int_equal(config.renderer_memory, 512u << 20);
    assert_int_equal(config.hook_timeout_ms, 20000);
    assert_true(config.rollout_metrics);
    assert_int_equal(config.log_level, LOG_DEBUG);
    config_done(&config);
}

static void rules_for_rolls(void **state)
{
    static const char yaml[] = "rolls:\n"
                               "  atOnce: 20\n"
                               "  atOncePerNamespace: 2\n"
                               "  windows:\n"
                               "  - {days: [Mon, Sat], from: 22:00, to: \"06:30\"}\n"
                               "  - {from: '00:00', to: 24:00}\n";
    struct config config;
    struct error err = {0};
    if (load(yaml, &config, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(config.rolls_at_once, 20);
    assert_int_equal(config.rolls_at_once_in_ns, 2);
    assert_int_equal(config.windows->count, 2);
    assert_int_equal(config.windows->items[0].days, 1 << 1 | 1 << 6);
    assert_int_equal(config.windows->items[0].from, 22 * 60);
    assert_int_equal(config.windows->items[0].to, 6 * 60 + 30);
    assert_int_equal(config.windows->items[1].days, EVERY_DAY);
    assert_int_equal(config.windows->items[1].to, 24 * 60);
    json_t *about AUTO_JSON = config_about(&config);
    char *rules AUTO_FREE = json_canonical(json_object_get(about, "rolls"));
    assert_string_equal(rules,
                        "{\"atOnce\":20,\"atOncePerNamespace\":2,\"windows\":["
                        "{\"days\":[\"Mon\",\"Sat\"],\"from\":\"22:00\",\"to\":\"06:30\"},"
                        "{\"days\":[\"Sun\",\"Mon\",\"Tue\",\"Wed\",\"Thu\",\"Fri\",\"Sat\"],"
                        "\"from\":\"00:00\",\"to\":\"24:00\"}]}");
    config_done(&config);
}

static enum isolation place_of(const char *entry)
{
    char *yaml AUTO_FREE = str_format("adapters: {enabled: [%s]}\n", entry);
    struct config config;
    struct error err = {0};
    if (load(yaml, &config, &err) < 0)
        fail_msg("%s", err.text);
    enum isolation isolation = config.adapters[0].isolation;
    config_done(&config);
    return isolation;
}

static void places(void **state)
{
    assert_int_equal(place_of("{name: widget}"), ISOLATION_BY_PLACE);
    assert_int_equal(place_of("{name: widget, isolation: inProcess}"), ISOLATION_IN_PROCESS);
    assert_int_equal(place_of("{name: widget, isolation: process}"), ISOLATION_PROCESS);
    assert_refused("adapters:\n  enabled:\n  - name: a\n    isolation: none\n",
                   "sluice.yaml:4:16: isolation: expected inProcess or process, found the text "
                   "\"none\"");
    assert_refused(
        "adapters:\n  enabled:\n  - name: a\n    deadlineMs: 5\n",
        "sluice.yaml:4:17: deadlineMs: expected a whole number from 10 to 60000, found the number "
        "5");
}

static void unknown_keys(void **state)
{
    assert_refused("namespace: a\n\nadaptors:\n  enabled: []\n",
                   "sluice.yaml:3:1: unknown key \"adaptors\", did you mean \"adapters\"?; known "
                   "keys here: adapters, namespace, definitionNamespace, renderer, hooks, "
                   "rolls, serve, admission, logLevel");
    assert_refused("renderer:\n  timeout: 3\n",
                   "sluice.yaml:2:3: unknown key \"timeout\"; known keys here: program, "
                   "timeoutSeconds, idleSeconds, memoryMiB");
    assert_refused("adapters:\n  enabled:\n  - name: a\n    sha265: b\n",
                   "sluice.yaml:4:5: unknown key \"sha265\", did you mean \"sha256\"?; known keys "
                   "here: name, adapter, file, sha256, options");
    assert_refused("LOGLEVEL: info\n", "sluice.yaml:1:1: unknown key \"LOGLEVEL\", did you mean "
                                       "\"logLevel\"?");
    assert_refused("? [a]\n: b\n", "sluice.yaml:1:3: unknown key \"\"");
}

static void duplicates(void **state)
{
    assert_refused("namespace: a\nlogLevel: info\nnamespace: b\n",
                   "sluice.yaml:3:1: duplicate key \"namespace\", which stands in line 1 already");
    assert_refused("adapters:\n  enabled:\n  - name: a\n  - name: b\n  - name: a\n",
                   "sluice.yaml:5:5: enabled: expected every adapter once, found \"a\" twice");
    assert_refused("adapters:\n  enabled:\n  - name: a\n    options:\n      x: 1\n      x: 2\n",
                   "sluice.yaml:6:7: duplicate key \"x\"");
}

static void wrong_values(void **state)
{
    static const struct {
        const char *yaml, *text;
    } cases[] = {
        {"- a\n", "sluice.yaml:1:1: expected a mapping, found a list"},
        {"just words\n", "sluice.yaml:1:1: expected a mapping, found the text \"just words\""},
        {"adapters: yes\n", "sluice.yaml:1:11: adapters: expected a mapping, found the text "
                            "\"yes\""},
        {"adapters:\n  enabled: cloneset\n",
         "sluice.yaml:2:12: enabled: expected a list, found the text \"cloneset\""},
        {"adapters:\n  enabled:\n  - cloneset\n",
         "sluice.yaml:3:5: enabled: expected a mapping with a name, found the text \"cloneset\""},
        {"adapters:\n  enabled:\n  - file: /x.so\n",
         "sluice.yaml:3:5: enabled: expected an adapter with a name, found none"},
        {"adapters:\n  enabled:\n  - name: Clone Set\n",
         "sluice.yaml:3:11: name: expected a name of lower-case letters, digits and '-', found the "
         "text \"Clone Set\""},
        {"adapters:\n  enabled:\n  - name: a\n    sha256: 00ff\n",
         "sluice.yaml:4:13: sha256: expected 64 hexadecimal digits, found the text \"00ff\""},
        {"adapters:\n  enabled:\n  - name: a\n    options: 3\n",
         "sluice.yaml:4:14: options: expected a mapping, found the number 3"},
        {"adapters:\n  enabled:\n  - name: a\n    native: {name: f}\n",
         "sluice.yaml:4:13: native: expected a list, found a mapping"},
        {"adapters:\n  directory: adapters\n",
         "sluice.yaml:2:14: directory: expected an absolute path, found the text \"adapters\""},
        {"namespace: 12\n", "sluice.yaml:1:12: namespace: expected a name of lower-case letters, "
                            "digits and '-', found the number 12"},
        {"namespace:\n", "sluice.yaml:1:11: namespace: expected a name of lower-case letters, "
                         "digits and '-', found nothing"},
        {"namespace: -a\n", "sluice.yaml:1:12: namespace: expected a name"},
        {"renderer:\n  program: [a]\n", "sluice.yaml:2:12: program: expected an absolute path, "
                                        "found a list"},
        {"renderer:\n  timeoutSeconds: soon\n",
         "sluice.yaml:2:19: timeoutSeconds: expected a whole number from 1 to 300, found the text "
         "\"soon\""},
        {"renderer:\n  timeoutSeconds: \"5\"\n", "sluice.yaml:2:19: timeoutSeconds: expected a "
                                                 "whole number from 1 to 300, found the text "
                                                 "\"5\""},
        {"renderer:\n  timeoutSeconds: 2.5\n", "sluice.yaml:2:19: timeoutSeconds: expected a whole "
                                               "number from 1 to 300, found the number 2.5"},
        {"renderer:\n  timeoutSeconds: 0\n", "sluice.yaml:2:19: timeoutSeconds: expected a whole "
                                             "number from 1 to 300, found the number 0"},
        {"renderer:\n  timeoutSeconds: 301\n", "sluice.yaml:2:19: timeoutSeconds: expected"},
        {"renderer:\n  memoryMiB: 99999999999999999999\n",
         "sluice.yaml:2:14: memoryMiB: expected a whole number from 64 to 65536, found the number"},
        {"hooks:\n  timeoutSeconds: true\n", "sluice.yaml:2:19: timeoutSeconds: expected a whole "
                                             "number from 1 to 300, found true"},
        {"admission:\n  listen: here\n", "sluice.yaml:2:11: listen: expected an address and a "
                                         "port, such as 127.0.0.1:8474, or \"\", found the text "
                                         "\"here\""},
        {"admission:\n  certificateSeconds: 9\n",
         "sluice.yaml:2:23: certificateSeconds: expected a whole number from 10 to 31536000, found "
         "the number 9"},
        {"serve:\n  rolloutMetrics: often\n",
         "sluice.yaml:2:19: rolloutMetrics: expected true or false, found the text \"often\""},
        {"rolls:\n  atOnce: 0\n",
         "sluice.yaml:2:11: atOnce: expected a whole number from 1 to 1000000, found the number 0"},
        {"rolls:\n  windows: []\n",
         "sluice.yaml:2:12: windows: expected a list of at least one window, found a list"},
        {"rolls:\n  windows: [night]\n", "sluice.yaml:2:13: windows: expected a mapping with from "
                                         "and to, found the text \"night\""},
        {"rolls:\n  windows: [{from: \"22:00\"}]\n",
         "sluice.yaml:2:13: windows: expected a window with from and to, found one without to"},
        {"rolls:\n  windows: [{to: 6:00, from: 22:00}]\n",
         "sluice.yaml:2:18: to: expected a time of the day in UTC, such as \"22:00\", found the "
         "text "
         "\"6:00\""},
        {"rolls:\n  windows: [{from: 22:00, to: 22:00}]\n",
         "sluice.yaml:2:13: windows: expected two different times, found the same in from and to"},
        {"rolls:\n  windows: [{days: [Mon, Monday], from: 1:00}]\n",
         "sluice.yaml:2:26: days: expected a list of Mon, Tue, Wed, Thu, Fri, Sat and Sun, found "
         "the "
         "text \"Monday\""},
        {"rolls:\n  windows: [{days: Mon}]\n", "sluice.yaml:2:20: days: expected a list of Mon, "
                                               "Tue, Wed, Thu, Fri, Sat and Sun, found the "
                                               "text \"Mon\""},
        {"rolls:\n  windows: [{dayz: [Mon]}]\n",
         "sluice.yaml:2:14: unknown key \"dayz\", did you mean \"days\"?; known keys here: days, "
         "from, to"},
        {"logLevel: loud\n", "sluice.yaml:1:11: logLevel: expected debug, info, warn or error, "
                             "found the text \"loud\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].yaml, cases[i].text);
}

static void not_yaml(void **state)
{
    assert_refused("a: [1\nb: 2\n", "sluice.yaml:2:2: did not find expected");
    assert_refused("\tnamespace: a\n", "sluice.yaml:1:1: ");
    assert_refused("namespace: *other\n", "sluice.yaml:1:12: ");
    assert_refused("namespace: a\n---\nnamespace: b\n",
                   "sluice.yaml:3:1: expected one document, found a second");
    assert_refused("namespace: !secret a\n", "sluice.yaml:1:12: expected no tag, found !secret");
    assert_refused("hooks: !!set {timeoutSeconds}\n", "sluice.yaml:1:8: expected no tag, found");
}

/* Aliases may repeat, but not without end. */
static void aliases(void **state)
{
    struct config config;
    struct error err = {0};
    assert_int_equal(load("adapters:\n  enabled:\n  - name: a\n    options: {x: &v [1], y: *v}\n",
                          &config, &err),
                     OK);
    assert_int_equal(json_int_at(config.adapters[0].options, "/y/0", 0), 1);
    config_done(&config);
    assert_refused("adapters:\n  enabled:\n  - name: a\n    options: {x: &v [*v]}\n",
                   "sluice.yaml:4:18: expected at most 32 levels and 10000 values, found more");
    assert_refused("adapters:\n  enabled:\n  - name: a\n    options:\n"
                   "      a: &a [1,1,1,1,1,1,1,1,1,1]\n"
                   "      b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                   "      c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                   "      d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                   "      e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
                   "sluice.yaml:5:");
    assert_refused("adapters:\n  enabled:\n  - name: a\n    options: {x: "
                   "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}\n",
                   "sluice.yaml:4:49: expected at most 32 levels");
}

/* The core schema of YAML 1.2, not the surprises of 1.1. */
static void scalars(void **state)
{
    static const char yaml[] =
        "adapters:\n  enabled:\n  - name: a\n    options:\n"
        "      texts: [yes, no, on, off, y, 1_000, 12:30, 0b11, '1', \"true\", 1e, ., -, +1.x, "
        "nan]\n"
        "      numbers: [1, -1, +1, 010, 0o10, 0xff, 1.5, 1e3, .5, -2.5e-1]\n"
        "      words: [true, False, TRUE, null, ~, Null]\n"
        "      block: |\n        a\n        b\n";
    struct config config;
    struct error err = {0};
    if (load(yaml, &config, &err) < 0)
        fail_msg("%s", err.text);
    char *found AUTO_FREE = json_text(config.adapters[0].options);
    assert_string_equal(
        found, "{\"texts\":[\"yes\",\"no\",\"on\",\"off\",\"y\",\"1_000\",\"12:30\",\"0b11\","
               "\"1\",\"true\",\"1e\",\".\",\"-\",\"+1.x\",\"nan\"],"
               "\"numbers\":[1,-1,1,10,8,255,1.5,1000.0,0.5,-0.25],"
               "\"words\":[true,false,true,null,null,null],\"block\":\"a\\nb\\n\"}");
    config_done(&config);
    assert_refused("adapters:\n  enabled:\n  - name: a\n    options: {x: .inf}\n",
                   "sluice.yaml:4:18: expected a value that JSON has, found .inf");
    assert_refused("adapters:\n  enabled:\n  - name: a\n    options: {[x]: 1}\n",
                   "sluice.yaml:4:15: expected a text as key, found another");
}

static void hooks_allowed(void **state)
{
    struct config config;
    struct error err = {0};
    assert_int_equal(load("hooks: {allow: [a.shop.svc, 10.0.0.0/8]}\n", &config, &err), OK);
    char *text AUTO_FREE = allow_text(config.hook_allow);
    assert_string_equal(text, "a.shop.svc, 10.0.0.0/8");
    config_done(&config);
    assert_int_equal(load("hooks: {allow: []}\n", &config, &err), OK);
    assert_non_null(config.hook_allow); /* nothing is allowed, which isn't the default */
    config_done(&config);
    assert_refused("hooks:\n  allow: a\n",
                   "sluice.yaml:2:10: allow: expected a list, found the text \"a\"");
    assert_refused("hooks:\n  allow:\n  - a\n  - 7\n",
                   "sluice.yaml:4:5: allow: expected a host, a URL or a range of addresses, found "
                   "the number 7");
    assert_refused("hooks:\n  allow: [a, 10.0.0.0/33]\n",
                   "sluice.yaml:2:14: allow: expected a host (gates.shop.svc or *.shop.svc), ");
}

static void no_file(void **state)
{
    struct config config;
    struct error err = {0};
    assert_int_equal(config_load("/nowhere/sluice.yaml", &config, &err), ERR_MISSING);
    assert_string_equal(err.text, "/nowhere/sluice.yaml: No such file or directory");
    assert_int_equal(config_load("/tmp", &config, &err), ERR_INVALID);
    assert_string_equal(err.text, "/tmp: expected a regular file");
}

static void too_large(void **state)
{
    struct config config;
    struct error err = {0};
    char *yaml = mem_alloc((1 << 20) + 2);
    memset(yaml, '#', (1 << 20) + 1);
    assert_int_equal(load(yaml, &config, &err), ERR_LIMIT);
    assert_string_equal(err.text, "sluice.yaml: expected at most 1048576 bytes, found 1048577");
    yaml[1 << 20] = '\0';
    assert_int_equal(load(yaml, &config, &err), OK);
    config_done(&config);
    free(yaml);
}

/* The example that people begin with must be right. */
static void example(void **state)
{
    struct config config;
    struct error err = {0};
    if (config_load(EXAMPLE, &config, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(config.adapter_count, 1);
    assert_string_equal(config.adapters[0].name, "cloneset");
    config_done(&config);
}

/* ---- changes ---- */

struct changes {
    struct config config;
    char said[400]; /* "key applied, …" */
};

static void on_change(void *data, const char *key, bool applied)
{
    struct changes *changes = data;
    size_t length = strlen(changes->said);
    snprintf(changes->said + length, sizeof changes->said - length, "%s %s, ", key,
             applied ? "applied" : "needs a restart");
}

static void assert_change(struct changes *changes, const char *yaml, const char *said)
{
    struct config next;
    struct error err = {0};
    if (load(yaml, &next, &err) < 0)
        fail_msg("%s", err.text);
    changes->said[0] = '\0';
    config_renew_take(&changes->config, &next, on_change, changes);
    assert_string_equal(changes->said, said);
}

static void renewed(void **state)
{
    struct changes changes = {0};
    struct error err = {0};
    assert_int_equal(load("logLevel: info\n", &changes.config, &err), OK);
    assert_change(&changes, "{}", "");
    assert_change(&changes, "{logLevel: debug, hooks: {timeoutSeconds: 3}}",
                  "hooks.timeoutSeconds applied, logLevel applied, ");
    assert_int_equal(changes.config.log_level, LOG_DEBUG);
    assert_int_equal(changes.config.hook_timeout_ms, 3000);
    assert_change(&changes, "{logLevel: debug, hooks: {timeoutSeconds: 3, allow: [a]}}",
                  "hooks.allow applied, ");
    assert_change(&changes, "{logLevel: debug, hooks: {timeoutSeconds: 3, allow: [a]}}", "");
    assert_change(&changes, "{logLevel: debug, hooks: {timeoutSeconds: 3}}",
                  "hooks.allow applied, ");
    assert_null(changes.config.hook_allow);
    const char *rules = "{logLevel: debug, hooks: {timeoutSeconds: 3}, "
                        "rolls: {atOnce: 2, windows: [{from: '01:00', to: '02:00'}]}}";
    assert_change(&changes, rules, "rolls.atOnce applied, rolls.windows applied, ");
    assert_change(&changes, rules, "");
    assert_int_equal(changes.config.rolls_at_once, 2);
    assert_change(&changes, "{logLevel: debug, hooks: {timeoutSeconds: 3}}",
                  "rolls.atOnce applied, rolls.windows applied, ");
    assert_null(changes.config.windows);
    assert_change(&changes, "{adapters: {directory: /new, enabled: [{name: a}, {name: b}]}}",
                  "adapters.directory applied, hooks.timeoutSeconds applied, logLevel applied, ");
    assert_string_equal(changes.config.adapter_directory, "/new");
    assert_int_equal(changes.config.adapter_count, 2);
    assert_string_equal(changes.config.adapters[1].name, "b");
    config_done(&changes.config);
}

/* What is said to need a restart is said until it is done, and doesn't count before. */
static void renewed_in_part(void **state)
{
    struct changes changes = {0};
    struct error err = {0};
    const char *yaml = "{namespace: shop, definitionNamespace: defs, renderer: {idleSeconds: 5, "
                       "memoryMiB: 512}, adapters: {enabled: [{name: a}]}}";
    const char *said = "namespace needs a restart, definitionNamespace needs a restart, "
                       "renderer.idleSeconds needs a restart, renderer.memoryMiB needs a restart, ";
    assert_int_equal(load("{}", &changes.config, &err), OK);
    assert_change(&changes, yaml, said);
    assert_change(&changes, yaml, said);
    assert_null(changes.config.namespace);
    assert_string_equal(changes.config.definition_namespace, "vela-system");
    assert_int_equal(changes.config.renderer_idle_ms, 60000);
    assert_int_equal(changes.config.adapter_count, 1);
    config_done(&changes.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),        cmocka_unit_test(everything),
        cmocka_unit_test(unknown_keys),    cmocka_unit_test(duplicates),
        cmocka_unit_test(wrong_values),    cmocka_unit_test(not_yaml),
        cmocka_unit_test(aliases),         cmocka_unit_test(scalars),
        cmocka_unit_test(no_file),         cmocka_unit_test(too_large),
        cmocka_unit_test(example),         cmocka_unit_test(renewed),
        cmocka_unit_test(renewed_in_part), cmocka_unit_test(places),
        cmocka_unit_test(hooks_allowed),   cmocka_unit_test(rules_for_rolls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
