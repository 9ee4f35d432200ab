// SPDX-License-Identifier: Apache-2.0
/* Stores: what is found in them, what is told, and that our own writes are never overtaken by older
 * news. */
#include "cluster/store.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

struct shelf {
    struct world *world;
    struct store *store;
    char log[512]; /* "+n/a@12" changed, "-n/a" deleted, "=" synced */
    struct fake_connection *list, *stream;
    size_t lists;
    bool close;
};

static void on_change(void *data, const char *ns, const char *name, const json_t *object,
                      bool deleted)
{
    struct shelf *shelf = data;
    size_t length = strlen(shelf->log);
    const char *version = json_string_at(object, "/metadata/resourceVersion");
    snprintf(shelf->log + length, sizeof shelf->log - length, "%s%s/%s%s%s ", deleted ? "-" : "+",
             ns, name, deleted ? "" : "@", deleted ? "" : version);
    json_t *found AUTO_JSON = store_get(shelf->store, ns, name);
    assert_int_equal(found == NULL, deleted);
    if (shelf->close) {
        store_close(shelf->store);
        shelf->store = NULL;
    }
}

static void on_synced(void *data)
{
    struct shelf *shelf = data;
    strcat(shelf->log, "= ");
}

static void on_request(void *data, const struct fake_request *request)
{
    struct shelf *shelf = data;
    if (strstr(request->target, "watch=1"))
        shelf->stream = request->connection;
    else
        shelf->list = request->connection;
}

static const struct store_events events = {.on_change = on_change, .on_synced = on_synced};

static void begin(struct shelf *shelf)
{
    *shelf = (struct shelf){.world = world_new("{token: t}", NULL)};
    shelf->world->on_request = on_request;
    shelf->world->data = shelf;
    static const char *const keep[] = {"/spec"};
    struct watch_spec spec = {.path = "/api/v1/things", .keep = keep, .keep_count = 1};
    shelf->store = store_open(shelf->world->cluster, &spec, &events, shelf);
}

static void end(struct shelf *shelf)
{
    store_close(shelf->store);
    world_free(shelf->world);
}

static bool has_list(void *data)
{
    return ((struct shelf *)data)->list;
}

static bool has_stream(void *data)
{
    return ((struct shelf *)data)->stream;
}

static bool has_log(void *data)
{
    return ((struct shelf *)data)->log[0];
}

/* The next thing told must be this. */
static void expect(struct shelf *shelf, const char *log)
{
    if (*log)
        world_until(shelf->world, has_log, shelf);
    world_rest(shelf->world, 20);
    assert_string_equal(shelf->log, log);
    shelf->log[0] = '\0';
}

static void answer(struct shelf *shelf, const char *items, const char *version)
{
    char *body AUTO_FREE =
        str_format("{\"metadata\":{\"resourceVersion\":\"%s\"},\"items\":[%s]}", version, items);
    world_until(shelf->world, has_list, shelf);
    struct fake_connection *list = shelf->list;
    shelf->list = NULL;
    fake_answer(list, 200, "", body);
    world_until(shelf->world, has_stream, shelf);
    fake_begin(shelf->stream);
}

static char *thing(const char *ns, const char *name, int version, int size)
{
    return str_format("{\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\",\"resourceVersion\":"
                      "\"%d\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"size\":%d}}",
                      ns, name, version, size);
}

static void send_event(struct shelf *shelf, const char *type, const char *name, int version,
                       int size)
{
    char *object AUTO_FREE = thing("n", name, version, size);
    char *line AUTO_FREE = str_format("{\"type\":\"%s\",\"object\":%s}\n", type, object);
    fake_send(shelf->stream, line);
}

static int64_t size_of(struct shelf *shelf, const char *name)
{
    json_t *object AUTO_JSON = store_get(shelf->store, "n", name);
    return json_int_at(object, "/spec/size", -1);
}

static void put(struct shelf *shelf, const char *name, int version, int size)
{
    char *text AUTO_FREE = thing("n", name, version, size);
    json_t *object AUTO_JSON = json_loads(text, 0, NULL);
    store_put(shelf->store, object);
    assert_non_null(json_at(object, "/metadata/labels")); /* ours is left as it was */
}

static void count_each(void *data, const json_t *object)
{
    *(int64_t *)data += json_int_at(object, "/spec/size", 0);
}

static void test_find(void **state)
{
    struct shelf shelf;
    begin(&shelf);
    assert_false(store_synced(shelf.store));
    char *a AUTO_FREE = thing("n", "a", 1, 10), *b AUTO_FREE = thing("m", "a", 2, 20);
    char *items AUTO_FREE = str_format("%s,%s,{\"metadata\":{\"name\":\"root\",\"resourceVersion\":"
                                       "\"3\"}}",
                                       a, b);
    answer(&shelf, items, "5");
    expect(&shelf, "+n/a@1 +m/a@2 +/root@3 = ");
    assert_true(store_synced(shelf.store));
    assert_int_equal(store_count(shelf.store), 3);
    assert_int_equal(size_of(&shelf, "a"), 10);
    json_t *root AUTO_JSON = store_get(shelf.store, "", "root");
    assert_non_null(root);
    json_t *none AUTO_JSON = store_get(shelf.store, "m", "b");
    assert_null(none);
    json_t *kept AUTO_JSON = store_get(shelf.store, "n", "a");
    assert_null(json_at(kept, "/metadata/labels"));
    int64_t sum = 0;
    store_each(shelf.store, count_each, &sum);
    assert_int_equal(sum, 30);
    end(&shelf);
}

static void test_changes(void **state)
{
    struct shelf shelf;
    begin(&shelf);
    char *a AUTO_FREE = thing("n", "a", 1, 10);
    answer(&shelf, a, "5");
    expect(&shelf, "+n/a@1 = ");
    send_event(&shelf, "ADDED", "b", 6, 1);
    expect(&shelf, "+n/b@6 ");
    send_event(&shelf, "MODIFIED", "b", 7, 2);
    expect(&shelf, "+n/b@7 ");
    send_event(&shelf, "DELETED", "b", 8, 2);
    expect(&shelf, "-n/b ");
    send_event(&shelf, "DELETED", "b", 9, 2);
    expect(&shelf, "");
    end(&shelf);
}

/* Listing again tells only what differs. */
static void test_list_again(void **state)
{
    struct shelf shelf;
    begin(&shelf);
    char *a AUTO_FREE = thing("n", "a", 1, 10), *b AUTO_FREE = thing("n", "b", 2, 20);
    char *c AUTO_FREE = thing("n", "c", 3, 30), *b_new AUTO_FREE = thing("n", "b", 9, 21);
    char *first AUTO_FREE = str_format("%s,%s,%s", a, b, c);
    char *second AUTO_FREE = str_format("%s,%s", a, b_new);
    answer(&shelf, first, "5");
    expect(&shelf, "+n/a@1 +n/b@2 +n/c@3 = ");
    fake_send(shelf.stream, "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n");
    shelf.stream = NULL;
    answer(&shelf, second, "10");
    expect(&shelf, "+n/b@9 -n/c = ");
    end(&shelf);
}

/* Our own write is there at once, silently, and older news doesn't undo it. */
static void test_own_write(void **state)
{
    struct shelf shelf;
    begin(&shelf);
    char *a AUTO_FREE = thing("n", "a", 1, 10);
    answer(&shelf, a, "5");
    expect(&shelf, "+n/a@1 = ");
    put(&shelf, "a", 8, 80);
    assert_int_equal(size_of(&shelf, "a"), 80);
    json_t *kept AUTO_JSON = store_get(shelf.store, "n", "a");
    assert_null(json_at(kept, "/metadata/labels"));
    put(&shelf, "a", 7, 70); /* an older answer that comes late */
    assert_int_equal(size_of(&shelf, "a"), 80);
    send_event(&shelf, "MODIFIED", "a", 7, 70);
    expect(&shelf, "");
    assert_int_equal(size_of(&shelf, "a"), 80);
    send_event(&shelf, "MODIFIED", "a", 8, 80);
    expect(&shelf, ""); /* we know */
    send_event(&shelf, "MODIFIED", "a", 9, 90);
    expect(&shelf, "+n/a@9 ");
    end(&shelf);
}

/* An answer that comes after the deletion of its object must not bring it back. */
static void test_own_write_after_deletion(void **state)
{
    struct shelf shelf;
    begin(&shelf);
    char *a AUTO_FREE = thing("n", "a", 1, 10);
    answer(&shelf, a, "5");
    expect(&shelf, "+n/a@1 = ");
    send_event(&shelf, "DELETED", "a", 8, 10);
    expect(&shelf, "-n/a ");
    put(&shelf, "a", 7, 70);
    assert_int_equal(store_count(shelf.store), 0);
    put(&shelf, "b", 9, 1); /* created by us: the watch will confirm it */
    assert_int_equal(size_of(&shelf, "b"), 1);
    send_event(&shelf, "ADDED", "b", 9, 1);
    send_event(&shelf, "DELETED", "b", 10, 1);
    expect(&shelf, "-n/b ");
    end(&shelf);
}

static void test_close_in_change(void **state)
{
    struct shelf shelf;
    begin(&shelf);
    shelf.close = true;
    char *a AUTO_FREE = thing("n", "a", 1, 10);
    char *body AUTO_FREE = str_format("{\"items\":[%s,%s]}", a, a);
    world_until(shelf.world, has_list, &shelf);
    fake_answer(shelf.list, 200, "", body);
    expect(&shelf, "+n/a@1 ");
    assert_null(shelf.store);
    end(&shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_list_again),
        cmocka_unit_test(test_own_write),
        cmocka_unit_test(test_own_write_after_deletion),
        cmocka_unit_test(test_close_in_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
