// SPDX-License-Identifier: Apache-2.0
/* Events: how they are counted, combined and limited, and how they reach the cluster. */
#include "base/clock.h"
#include "cluster/correlate.h"
#include "cluster/recorder.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

static const struct event_about about = {.api_version = "x.io/v1",
                                         .kind = "Thing",
                                         .ns = "n",
                                         .name = "a",
                                         .uid = "u-1",
                                         .resource_version = "7"};
static const struct event_about other = {
    .api_version = "x.io/v1", .kind = "Thing", .ns = "n", .name = "b", .uid = "u-2"};

/* Counting, with a clock of our own */

static struct observation *add(struct correlator *correlator, const struct event_about *object,
                               const char *reason, const char *message, int64_t now_ms,
                               bool *ret_combined)
{
    struct event event = {.reason = reason, .message = message};
    return correlator_add(correlator, object, &event, now_ms, ret_combined);
}

static void test_same_event_is_counted(void **state)
{
    struct correlator correlator;
    bool combined;
    correlator_init(&correlator);
    struct observation *first = add(&correlator, &about, "Went", "well", 1000, &combined);
    uint64_t number = first->number;
    assert_int_equal(first->count, 1);
    struct observation *second = add(&correlator, &about, "Went", "well", 2000, &combined);
    assert_int_equal(second->count, 2);
    assert_int_equal(second->number, number);
    assert_int_equal(second->first_ms, 1000);
    assert_int_equal(second->item.used_ms, 2000);
    assert_int_equal(add(&correlator, &other, "Went", "well", 3000, &combined)->count, 1);
    assert_int_equal(add(&correlator, &about, "Went", "badly", 3000, &combined)->count, 1);
    assert_int_equal(add(&correlator, &about, "Came", "well", 3000, &combined)->count, 1);
    assert_false(combined);
    correlator_done(&correlator);
}

static void test_similar_events_are_combined(void **state)
{
    struct correlator correlator;
    bool combined;
    char message[16];
    correlator_init(&correlator);
    for (int i = 1; i <= 9; i++) {
        snprintf(message, sizeof message, "m%d", i);
        add(&correlator, &about, "Went", message, i, &combined);
        assert_false(combined);
    }
    struct observation *tenth = add(&correlator, &about, "Went", "m10", 10, &combined);
    assert_true(combined);
    assert_int_equal(tenth->count, 1);
    assert_int_equal(add(&correlator, &about, "Went", "m11", 11, &combined)->count, 2);
    assert_true(combined);
    /* Another reason, and one of the first nine, stand for themselves. */
    add(&correlator, &about, "Came", "m12", 12, &combined);
    assert_false(combined);
    assert_int_equal(add(&correlator, &about, "Went", "m3", 13, &combined)->count, 2);
    assert_false(combined);
    /* After ten quiet minutes it begins anew. */
    add(&correlator, &about, "Went", "m20", 13 + 600 * 1000 + 1, &combined);
    assert_false(combined);
    correlator_done(&correlator);
}

static void test_an_object_has_a_budget(void **state)
{
    struct correlator correlator;
    bool combined;
    correlator_init(&correlator);
    for (int i = 0; i < 25; i++)
        assert_non_null(add(&correlator, &about, "Went", "well", 1000, &combined));
    assert_null(add(&correlator, &about, "Went", "well", 1000, &combined));
    assert_null(add(&correlator, &about, "Came", "well", 1000 + 299 * 1000, &combined));
    assert_non_null(add(&correlator, &other, "Went", "well", 1000, &combined));
    assert_non_null(add(&correlator, &about, "Went", "well", 1000 + 301 * 1000, &combined));
    assert_null(add(&correlator, &about, "Went", "well", 1000 + 302 * 1000, &combined));
    correlator_done(&correlator);
}

static void test_memory_is_limited(void **state)
{
    struct correlator correlator;
    bool combined;
    char name[32];
    correlator_init(&correlator);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "object-%d", i);
        struct event_about many = {.kind = "Thing", .ns = "n", .name = name};
        add(&correlator, &many, "Went", "well", 1000 + i, &combined);
    }
    assert_int_equal(correlator.observations.items.count, 1024);
    assert_int_equal(correlator.objects.items.count, 1024);
    struct event_about last = {.kind = "Thing", .ns = "n", .name = "object-4999"};
    assert_int_equal(add(&correlator, &last, "Went", "well", 7000, &combined)->count, 2);
    assert_true(correlator_clean(&correlator, 7000));
    assert_int_equal(correlator.observations.items.count, 1024);
    assert_false(correlator_clean(&correlator, 7001 + 3600 * 1000));
    correlator_done(&correlator);
}

/* Writing */

struct book {
    struct world *world;
    struct recorder *recorder;
    struct fake_connection *held; /* a request that isn't answered yet */
    bool hold;
    int status;                  /* the answer to all; 0: 201 */
    int posts, patches, missing; /* how many of the PATCHes find nothing */
    json_t *posted, *patched;
    char *path;
};

static void on_request(void *data, const struct fake_request *request)
{
    struct book *book = data;
    bool post = strcmp(request->method, "POST") == 0;
    json_t **place = post ? &book->posted : &book->patched;
    json_decref(*place);
    *place = json_loads(request->body, 0, NULL);
    str_replace(&book->path, request->target);
    if (post) {
        book->posts++;
    } else {
        char *type AUTO_FREE = fake_header(request, "Content-Type");
        assert_string_equal(type, PATCH_MERGE);
        book->patches++;
    }
    if (book->hold)
        book->held = request->connection;
    else if (!post && book->missing-- > 0)
        fake_answer(request->connection, 404, "", "{\"code\":404}");
    else
        fake_answer(request->connection, book->status ? book->status : 201, "", "{}");
}

static void begin(struct book *book)
{
    *book = (struct book){.world = world_new("{token: t}", NULL)};
    book->world->on_request = on_request;
    book->world->data = book;
    book->recorder = recorder_new(book->world->cluster, "sluice");
}

static void end(struct book *book)
{
    recorder_free(book->recorder);
    json_decref(book->posted);
    json_decref(book->patched);
    free(book->path);
    world_free(book->world);
}

static void record(struct book *book, const struct event_about *object, const char *message)
{
    struct event event = {.warning = true, .reason = "Went", .message = message};
    recorder_event(book->recorder, object, &event);
}

static bool is_held(void *data)
{
    return ((struct book *)data)->held;
}

static bool has_patch(void *data)
{
    return ((struct book *)data)->patches;
}

static bool has_post(void *data)
{
    return ((struct book *)data)->posts;
}

static void test_written(void **state)
{
    struct book book;
    begin(&book);
    record(&book, &about, "well");
    world_until(book.world, has_post, &book);
    world_rest(book.world, 20);
    assert_string_equal(book.path, "/api/v1/namespaces/n/events");
    assert_string_equal(json_string_at(book.posted, "/kind"), "Event");
    assert_string_equal(json_string_at(book.posted, "/type"), "Warning");
    assert_string_equal(json_string_at(book.posted, "/reason"), "Went");
    assert_string_equal(json_string_at(book.posted, "/message"), "well");
    assert_string_equal(json_string_at(book.posted, "/involvedObject/uid"), "u-1");
    assert_string_equal(json_string_at(book.posted, "/involvedObject/resourceVersion"), "7");
    assert_string_equal(json_string_at(book.posted, "/source/component"), "sluice");
    assert_int_equal(json_int_at(book.posted, "/count", 0), 1);
    assert_int_equal(strncmp(json_string_at(book.posted, "/metadata/name"), "a.", 2), 0);
    assert_true(clock_parse(json_string_at(book.posted, "/firstTimestamp")) > 0);

    record(&book, &about, "well");
    world_until(book.world, has_patch, &book);
    world_rest(book.world, 20);
    char *path AUTO_FREE =
        str_format("/api/v1/namespaces/n/events/%s", json_string_at(book.posted, "/metadata/name"));
    assert_string_equal(book.path, path);
    assert_int_equal(json_object_size(book.patched), 3);
    assert_int_equal(json_int_at(book.patched, "/count", 0), 2);

    /* The server has dropped it meanwhile: written anew, with its count. */
    book.posts = 0;
    book.missing = 1;
    record(&book, &about, "well");
    world_until(book.world, has_post, &book);
    assert_int_equal(json_int_at(book.posted, "/count", 0), 3);
    world_rest(book.world, 20);
    assert_int_equal(recorder_dropped(book.recorder), 0);
    end(&book);
}

/* What happens while the first is being written is told with one more request, not with three. */
static void test_gathered(void **state)
{
    struct book book;
    begin(&book);
    book.hold = true;
    record(&book, &about, "well");
    world_until(book.world, is_held, &book);
    for (int i = 0; i < 3; i++)
        record(&book, &about, "well");
    world_rest(book.world, 20);
    assert_int_equal(book.posts + book.patches, 1);
    book.hold = false;
    fake_answer(book.held, 201, "", "{}");
    world_until(book.world, has_patch, &book);
    world_rest(book.world, 20);
    assert_int_equal(book.patches, 1);
    assert_int_equal(json_int_at(book.patched, "/count", 0), 4);
    end(&book);
}

static void test_combined_message_and_cut(void **state)
{
    struct book book;
    begin(&book);
    char message[16];
    for (int i = 1; i <= 10; i++) {
        snprintf(message, sizeof message, "m%d", i);
        record(&book, &about, message);
    }
    world_rest(book.world, 100);
    assert_int_equal(book.posts, 10);
    assert_string_equal(json_string_at(book.posted, "/message"),
                        "(combined from similar events): m10");

    char *broad = str_format("%1023sé", "");
    record(&book, &other, broad);
    free(broad);
    world_rest(book.world, 50);
    assert_int_equal(strlen(json_string_at(book.posted, "/message")), 1023);
    record(&book, &other, "no \xff UTF-8");
    world_rest(book.world, 50);
    assert_string_equal(json_string_at(book.posted, "/message"), "no ? UTF-8");
    end(&book);
}

static void test_failures_are_dropped(void **state)
{
    struct book book;
    begin(&book);
    book.status = 403;
    record(&book, &about, "well");
    world_until(book.world, has_post, &book);
    world_rest(book.world, 20);
    assert_int_equal(recorder_dropped(book.recorder), 1);
    /* "Already there" is what a write says whose first answer was lost. */
    book.status = 409;
    record(&book, &other, "well");
    world_rest(book.world, 50);
    assert_int_equal(recorder_dropped(book.recorder), 1);
    end(&book);
}

static void test_few_at_once(void **state)
{
    struct book book;
    begin(&book);
    book.hold = true;
    char name[16];
    for (int i = 0; i < 1100; i++) {
        snprintf(name, sizeof name, "o%d", i);
        struct event_about many = {.kind = "Thing", .name = name};
        record(&book, &many, "well");
    }
    world_rest(book.world, 100);
    assert_int_equal(book.posts, 4);
    assert_string_equal(book.path, "/api/v1/namespaces/default/events");
    assert_int_equal(recorder_dropped(book.recorder), 1100 - 4 - 1000);
    end(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_event_is_counted),
        cmocka_unit_test(test_similar_events_are_combined),
        cmocka_unit_test(test_an_object_has_a_budget),
        cmocka_unit_test(test_memory_is_limited),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_gathered),
        cmocka_unit_test(test_combined_message_and_cut),
        cmocka_unit_test(test_failures_are_dropped),
        cmocka_unit_test(test_few_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
