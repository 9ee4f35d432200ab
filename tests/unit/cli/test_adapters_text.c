// SPDX-License-Identifier: Apache-2.0
/* What people read of adapters: the table, the notes beside it, and one alone. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cli/adapters_text.h"

static json_t *json(const char *text)
{
    json_t *parsed = NULL;
    struct error err = {0};
    if (json_parse(text, strlen(text), &parsed, &err) < 0)
        fail_msg("%s in %s", err.text, text);
    return parsed;
}

/* One of each state, with the widest that is to be expected in each column. */
static const char adapters[] =
    "[{\"name\":\"cloneset\",\"state\":\"inUse\",\"version\":\"0.1.0\",\"isolation\":\"inProcess\","
    " \"file\":\"/usr/lib/sluice/adapters/cloneset.so\",\"sha256\":\"0123456789abcdef\","
    " \"kinds\":[{\"apiVersion\":\"apps.kruise.io/v1alpha1\",\"kind\":\"CloneSet\"}],"
    " \"rights\":[{\"apiGroups\":[\"apps.kruise.io\"],\"resources\":[\"clonesets\"],"
    "              \"verbs\":[\"list\",\"patch\"]},"
    "             {\"apiGroups\":[\"\"],\"resources\":[\"pods\"],\"verbs\":[\"get\"]}],"
    " \"calls\":{\"count\":12,\"slow\":0,\"p50Microseconds\":87,\"p99Microseconds\":1499},"
    " \"restarts\":0,\"rollouts\":3,\"pinned\":true},"
    "{\"name\":\"advanced-statefulset\",\"state\":\"inUse\",\"version\":\"10.11.1\","
    " \"isolation\":\"inProcess\",\"file\":\"/a.so\",\"sha256\":\"aaaaaaaaaaaaaaaaaa\","
    " \"kinds\":[{\"apiVersion\":\"apps.kruise.io/v1beta1\",\"kind\":\"StatefulSet\"}],"
    " \"calls\":{\"count\":1234567,\"slow\":2,\"p50Microseconds\":25000,"
    "            \"p99Microseconds\":12345678,"
    "            \"lastFailure\":{\"at\":\"2026-01-31T12:00:00Z\",\"message\":\"it crashed\"}},"
    " \"restarts\":7,\"rollouts\":1000,\"pinned\":false,"
    " \"next\":{\"version\":\"10.11.2\",\"file\":\"/b.so\",\"sha256\":\"bbbbbbbbbbbbbbbbbb\","
    "           \"refusal\":\"smoke: expected 1\"},"
    " \"lastRefusal\":{\"at\":\"2026-01-31T11:00:00Z\",\"message\":\"smoke: expected 1\"}},"
    "{\"name\":\"widget\",\"state\":\"inUse\",\"version\":\"1.0.0\",\"isolation\":\"process\","
    " \"file\":\"/w.so\",\"sha256\":\"cc\",\"kinds\":[],\"restarts\":0,\"rollouts\":0,"
    " \"calls\":{\"count\":0,\"slow\":0,\"p50Microseconds\":0,\"p99Microseconds\":0},"
    " \"next\":{\"version\":\"2.0.0\",\"file\":\"/w2.so\",\"sha256\":\"dd\","
    "           \"waitsFor\":\"Pod objects are still being listed\"}},"
    "{\"name\":\"broken\",\"state\":\"refused\",\"isolation\":\"process\",\"file\":\"/x.so\","
    " \"refusal\":\"file: expected /x.so, found nothing there\",\"rollouts\":0}]";

static void assert_shown(void (*show)(const json_t *, struct text *), const json_t *what,
                         const char *expected)
{
    struct text out AUTO(text_done) = {0};
    show(what, &out);
    assert_string_equal(out.at, expected);
}

static char *table_of(enum adapters_view view, int width)
{
    struct text out = {0};
    json_t *list AUTO_JSON = json(adapters);
    adapters_table(list, view, width, &out);
    return text_steal(&out);
}

static void running(void **state)
{
    char *table AUTO_FREE = table_of(ADAPTERS_RUNNING, 80);
    (void)state;
    assert_string_equal(
        table, "NAME                  VERSION  STATE        ISOLATION  ROLLOUTS  CALLS    P99\n"
               "cloneset              0.1.0    InUse        inProcess  3         12       1.5ms\n"
               "advanced-statefulset  10.11.1  NextRefused  inProcess  1000      1234567  12.3s\n"
               "widget                1.0.0    NextWaits    process    0         0        -\n"
               "broken                -        Refused      process    0         -        -\n");
    for (const char *line = table; *line; line += strcspn(line, "\n") + 1)
        assert_in_range(strcspn(line, "\n"), 1, 80);
}

static void loaded(void **state)
{
    char *table AUTO_FREE = table_of(ADAPTERS_LOADED, 80);
    (void)state;
    assert_string_equal(
        table, "NAME                  VERSION  STATE        KINDS\n"
               "cloneset              0.1.0    InUse        apps.kruise.io/v1alpha1 CloneSet\n"
               "advanced-statefulset  10.11.1  NextRefused  apps.kruise.io/v1beta1 StatefulSet\n"
               "widget                1.0.0    NextWaits    -\n"
               "broken                -        Refused      -\n");
}

static void wide(void **state)
{
    char *table AUTO_FREE = table_of(ADAPTERS_WIDE, 0);
    (void)state;
    assert_non_null(strstr(table, "CALLS    P50   P99    RESTARTS  SHA256        FILE"));
    assert_non_null(strstr(table, "12       87µs  1.5ms  0         0123456789ab  /usr/lib/sluice/"
                                  "adapters/cloneset.so  apps.kruise.io/v1alpha1 CloneSet\n"));
    assert_non_null(strstr(table, "1234567  25ms  12.3s  7         aaaaaaaaaaaa  /a.so "));
}

static void notes(void **state)
{
    json_t *list AUTO_JSON = json(adapters);
    (void)state;
    assert_shown(adapters_notes, list,
                 "advanced-statefulset: version 10.11.1 goes on; version 10.11.2 from /b.so, "
                 "sha256 bbbbbbbbbbbb is refused: smoke: expected 1\n"
                 "widget: version 1.0.0 goes on; version 2.0.0 from /w2.so, sha256 dd waits: "
                 "Pod objects are still being listed\n"
                 "broken is refused: file: expected /x.so, found nothing there\n");
}

static void details(void **state)
{
    json_t *list AUTO_JSON = json(adapters);
    (void)state;
    assert_shown(adapter_details, json_array_get(list, 0),
                 "Name:          cloneset\n"
                 "State:         InUse\n"
                 "Version:       0.1.0\n"
                 "File:          /usr/lib/sluice/adapters/cloneset.so\n"
                 "SHA-256:       0123456789abcdef (pinned)\n"
                 "Isolation:     inProcess\n"
                 "Kinds:         apps.kruise.io/v1alpha1 CloneSet\n"
                 "Rights:        list, patch clonesets (apps.kruise.io)\n"
                 "               get pods\n"
                 "Rollouts:      3\n"
                 "Calls:         12, p50 87µs, p99 1.5ms, 0 beyond the deadline\n"
                 "Restarts:      0\n");
}

static void details_of_trouble(void **state)
{
    json_t *list AUTO_JSON = json(adapters);
    struct text out AUTO(text_done) = {0};
    (void)state;
    adapter_details(json_array_get(list, 1), &out);
    assert_non_null(strstr(out.at,
                           "Next:          version 10.11.2 from /b.so, sha256 bbbbbbbbbbbb\n"
                           "               refused: smoke: expected 1\n"
                           "Last refusal:  2026-01-31T11:00:00Z  smoke: expected 1\n"
                           "Last failure:  2026-01-31T12:00:00Z  it crashed\n"));
    text_clear(&out);
    adapter_details(json_array_get(list, 2), &out);
    assert_non_null(strstr(out.at, "Calls:         none so far\n"));
    assert_non_null(strstr(out.at, "waits: Pod objects are still being listed\n"));
    text_clear(&out);
    adapter_details(json_array_get(list, 3), &out);
    assert_non_null(strstr(out.at, "State:         Refused: file: expected /x.so, found nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running), cmocka_unit_test(loaded),  cmocka_unit_test(wide),
        cmocka_unit_test(notes),   cmocka_unit_test(details), cmocka_unit_test(details_of_trouble),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
