// SPDX-License-Identifier: Apache-2.0
/* Watches: listing by pages, streams, and everything that can go wrong with either. */
#include "base/text.h"
#include "cluster/cluster_private.h"
#include "cluster/watch.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define THINGS "/apis/x.io/v1/things"

/* What the watch has told, in the order told: "+a" put, "-a" deleted, "=" synced, and the states
 * "OK", "MISSING", "DENIED", "RETRY". */
struct told {
    struct world *world;
    struct watch *watch;
    char log[4096];
    const char *wanted;
    struct fake_connection *stream, *list; /* the last of each that was asked for */
    size_t lists, streams;
    char *list_target, *stream_target;
    bool close_on_put, close_on_synced;
    json_t *last;
};

static void tell(struct told *told, const char *mark, const char *name)
{
    size_t length = strlen(told->log);
    snprintf(told->log + length, sizeof told->log - length, "%s%s%s", length ? " " : "", mark,
             name ? name : "");
}

static void on_put(void *data, json_t *object)
{
    struct told *told = data;
    tell(told, "+", json_string_at(object, "/metadata/name"));
    json_decref(told->last);
    told->last = json_incref(object);
    if (told->close_on_put) {
        watch_close(told->watch);
        told->watch = NULL;
    }
}

static void on_delete(void *data, json_t *object)
{
    tell(data, "-", json_string_at(object, "/metadata/name"));
}

static void on_synced(void *data)
{
    struct told *told = data;
    tell(told, "=", NULL);
    if (told->close_on_synced) {
        watch_close(told->watch);
        told->watch = NULL;
    }
}

static void on_state(void *data, const struct error *err)
{
    tell(data,
         err->code == OK            ? "OK"
         : err->code == ERR_MISSING ? "MISSING"
         : err->code == ERR_DENIED  ? "DENIED"
                                    : "RETRY",
         NULL);
}

static const struct watch_events events = {
    .on_put = on_put, .on_delete = on_delete, .on_synced = on_synced, .on_state = on_state};

static bool has_wanted(void *data)
{
    struct told *told = data;
    return strcmp(told->log, told->wanted) == 0;
}

/* Waits until exactly this has been told. */
static void expect(struct told *told, const char *log)
{
    told->wanted = log;
    bool done = false;
    for (int i = 0; i < 1000 && !done; i++) {
        world_rest(told->world, 5);
        done = has_wanted(told);
    }
    assert_string_equal(told->log, log);
}

static bool has_stream(void *data)
{
    struct told *told = data;
    return told->stream && fake_is_open(told->stream);
}

static bool has_list(void *data)
{
    struct told *told = data;
    return told->list && fake_is_open(told->list);
}

static void on_request(void *data, const struct fake_request *request)
{
    struct told *told = data;
    if (strcmp(request->target, "/mute") == 0)
        return;
    if (strstr(request->target, "watch=1")) {
        told->stream = request->connection;
        told->streams++;
        str_replace(&told->stream_target, request->target);
    } else {
        told->list = request->connection;
        told->lists++;
        str_replace(&told->list_target, request->target);
    }
}

/* Waits for the next list request and answers it. */
static void answer_list(struct told *told, const char *body)
{
    world_until(told->world, has_list, told);
    struct fake_connection *list = told->list;
    told->list = NULL;
    fake_answer(list, 200, "", body);
}

static void fail_list(struct told *told, int status, const char *headers, const char *body)
{
    world_until(told->world, has_list, told);
    struct fake_connection *list = told->list;
    told->list = NULL;
    fake_answer(list, status, headers, body);
}

/* Waits for the next stream request. */
static struct fake_connection *take_stream(struct told *told)
{
    world_until(told->world, has_stream, told);
    struct fake_connection *stream = told->stream;
    told->stream = NULL;
    return stream;
}

static struct fake_connection *open_stream(struct told *told)
{
    struct fake_connection *stream = take_stream(told);
    fake_begin(stream);
    return stream;
}

static const char *list_of(const char *names, const char *version, const char *more)
{
    static char body[4096];
    size_t length =
        (size_t)snprintf(body, sizeof body,
                         "{\"kind\":\"ThingList\",\"apiVersion\":\"x.io/v1\","
                         "\"metadata\":{\"resourceVersion\":\"%s\",\"continue\":\"%s\"},"
                         "\"items\":[",
                         version, more);
    for (const char *name = names; *name; name++)
        length += (size_t)snprintf(body + length, sizeof body - length,
                                   "%s{\"metadata\":{\"name\":\"%c\",\"namespace\":\"n\","
                                   "\"resourceVersion\":\"%s\",\"managedFields\":[1]}}",
                                   name == names ? "" : ",", *name, version);
    snprintf(body + length, sizeof body - length, "]}");
    return body;
}

static const char *event_of(const char *type, char name, int version)
{
    static char line[512];
    snprintf(line, sizeof line,
             "{\"type\":\"%s\",\"object\":{\"kind\":\"Thing\",\"apiVersion\":\"x.io/v1\","
             "\"metadata\":{\"name\":\"%c\",\"namespace\":\"n\",\"resourceVersion\":\"%d\"}}}\n",
             type, name, version);
    return line;
}

static struct told *begin(const struct watch_spec *spec, const struct cluster_options *options)
{
    struct told *told = mem_alloc(sizeof *told);
    struct watch_spec plain = {.path = THINGS};
    told->world = world_new("{token: t}", options);
    told->world->on_request = on_request;
    told->world->data = told;
    told->watch = watch_open(told->world->cluster, spec ? spec : &plain, &events, told);
    assert_string_equal(told->log, "");
    return told;
}

static void end(struct told *told)
{
    watch_close(told->watch);
    json_decref(told->last);
    free(told->list_target);
    free(told->stream_target);
    world_free(told->world);
    free(told);
}

static void test_list_then_watch(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", ""));
    struct fake_connection *stream = open_stream(told);
    expect(told, "+a +b = OK");
    assert_true(watch_synced(told->watch));
    assert_non_null(strstr(told->list_target, "limit=500"));
    assert_non_null(strstr(told->stream_target, "resourceVersion=10&"));
    assert_non_null(strstr(told->stream_target, "allowWatchBookmarks=true"));
    fake_send(stream, event_of("ADDED", 'c', 11));
    fake_send(stream, event_of("MODIFIED", 'a', 12));
    fake_send(stream, event_of("DELETED", 'b', 13));
    expect(told, "+a +b = OK +c +a -b");
    end(told);
}

/* Items of built-in kinds are only named by their list; managedFields are dropped. */
static void test_items_are_completed_and_pruned(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    expect(told, "+a = OK");
    assert_string_equal(json_string_at(told->last, "/kind"), "Thing");
    assert_string_equal(json_string_at(told->last, "/apiVersion"), "x.io/v1");
    assert_null(json_at(told->last, "/metadata/managedFields"));
    end(told);
}

static void test_keeps_only_what_is_asked_for(void **state)
{
    const char *const keep[] = {"/spec/size"};
    struct watch_spec spec = {.path = THINGS,
                              .label_selector = "app in (a,b)",
                              .field_selector = "metadata.name=a",
                              .metadata_only = false,
                              .keep = keep,
                              .keep_count = 1};
    struct told *told = begin(&spec, NULL);
    answer_list(told,
                "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":"
                "\"a\",\"labels\":{}},\"spec\":{\"size\":3,\"other\":4}}]}");
    expect(told, "+a = OK");
    assert_int_equal(json_int_at(told->last, "/spec/size", 0), 3);
    assert_null(json_at(told->last, "/spec/other"));
    assert_null(json_at(told->last, "/metadata/labels"));
    assert_non_null(strstr(told->list_target, "labelSelector=app%20in%20%28a%2Cb%29&"));
    assert_non_null(strstr(told->list_target, "fieldSelector=metadata.name%3Da&"));
    end(told);
}

/* Of the rest one hash, where it is wanted: equal for what is equal. */
static void test_keeps_a_digest(void **state)
{
    const char *const keep[] = {"/spec/size"}, *const digest[] = {"/spec/other", "/spec/none"};
    struct watch_spec spec = {.path = THINGS,
                              .keep = keep,
                              .keep_count = 1,
                              .digest = digest,
                              .digest_count = 2,
                              .digest_if = "/spec/size"};
    struct told *told = begin(&spec, NULL);
    answer_list(told,
                "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":"
                "\"a\"},\"spec\":{\"size\":3,\"other\":{\"x\":4,\"y\":5}}}]}");
    expect(told, "+a = OK");
    json_t *spec_json AUTO_JSON = json_pack("{s:{s:{s:i, s:i}}}", "spec", "other", "y", 5, "x", 4);
    char hash[HASH_HEX_SIZE];
    assert_true(json_hash_at(spec_json, digest, 2, hash));
    assert_string_equal(json_string_at(told->last, "/" WATCH_DIGEST), hash);
    assert_null(json_at(told->last, "/spec/other"));
    end(told);
}

static void test_no_digest_of_what_is_not_there_or_not_wanted(void **state)
{
    const char *const keep[] = {"/spec/size"}, *const digest[] = {"/spec/other"};
    struct watch_spec spec = {.path = THINGS,
                              .keep = keep,
                              .keep_count = 1,
                              .digest = digest,
                              .digest_count = 1,
                              .digest_if = "/spec/size"};
    const char *const specs[] = {"{\"size\":3}", "{\"other\":3}"};
    for (size_t i = 0; i < 2; i++) {
        struct told *told = begin(&spec, NULL);
        char *list AUTO_FREE = str_format("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":"
                                          "[{\"metadata\":{\"name\":\"a\"},\"spec\":%s}]}",
                                          specs[i]);
        answer_list(told, list);
        expect(told, "+a = OK");
        assert_null(json_at(told->last, "/" WATCH_DIGEST));
        end(told);
    }
}

static void test_pages(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", "tok/1="));
    answer_list(told, list_of("cd", "10", "tok2"));
    answer_list(told, list_of("e", "10", ""));
    expect(told, "+a +b +c +d +e = OK");
    assert_int_equal(fake_api_count(told->world->api, "continue=tok%2F1%3D"), 1);
    assert_int_equal(fake_api_count(told->world->api, "continue=tok2"), 1);
    end(told);
}

/* A lost connection in the middle of a page asks for that page again, not for all. */
static void test_page_cut(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", "next"));
    world_until(told->world, has_list, told);
    struct fake_connection *list = told->list;
    told->list = NULL;
    fake_begin(list);
    fake_send(list, "{\"items\":[{\"metadata\":{\"name\":\"c\"}},{\"meta");
    expect(told, "+a +b +c");
    fake_cut(list);
    answer_list(told, list_of("cd", "10", ""));
    expect(told, "+a +b +c RETRY +c +d = OK");
    assert_int_equal(fake_api_count(told->world->api, "continue=next"), 2);
    end(told);
}

/* The continue token has expired: from the beginning, and what has gone meanwhile is told. */
static void test_page_gone(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", "next"));
    fail_list(told, 410, "", "{\"kind\":\"Status\",\"code\":410,\"message\":\"expired\"}");
    answer_list(told, list_of("bc", "20", ""));
    expect(told, "+a +b +b +c -a = OK");
    end(told);
}

/* A page that is refused for another reason, such as a token the server can't read. */
static void test_page_refused(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", "next"));
    fail_list(told, 400, "", "{\"code\":400,\"message\":\"continue key is not valid\"}");
    answer_list(told, list_of("b", "20", ""));
    expect(told, "+a +b RETRY +b -a = OK");
    assert_int_equal(fake_api_count(told->world->api, "continue="), 1);
    end(told);
}

static void test_half_lines(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("", "10", ""));
    struct fake_connection *stream = open_stream(told);
    char line[600];
    snprintf(line, sizeof line, "%s", event_of("ADDED", 'a', 11));
    for (char *at = line; *at; at++) {
        char one[2] = {*at};
        fake_send(stream, one);
        if (at - line == 40)
            world_rest(told->world, 5);
    }
    expect(told, "= OK +a");
    /* Several in one piece, with empty lines and half of another one. */
    struct text many AUTO(text_done) = {0};
    text_addf(&many, "\n%s\n", event_of("MODIFIED", 'a', 12));
    text_addf(&many, "%s", event_of("ADDED", 'b', 13));
    text_addf(&many, "%.30s", event_of("ADDED", 'c', 14));
    fake_send(stream, many.at);
    expect(told, "= OK +a +a +b");
    fake_send(stream, event_of("ADDED", 'c', 14) + 30);
    expect(told, "= OK +a +a +b +c");
    end(told);
}

/* The stream resumes where the last event or bookmark was, without a word to the owner. */
static void test_resume(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    struct fake_connection *stream = open_stream(told);
    fake_send(stream, event_of("MODIFIED", 'a', 15));
    expect(told, "+a = OK +a");
    fake_cut(stream);
    stream = open_stream(told);
    assert_non_null(strstr(told->stream_target, "resourceVersion=15&"));
    fake_send(stream,
              "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"99\"}}}\n");
    /* The half line behind it is lost with the stream, and comes again with the next. */
    fake_send(stream, "{\"type\":\"ADDED\",\"object\":{\"meta");
    world_rest(told->world, 20);
    fake_end(stream);
    stream = open_stream(told);
    assert_non_null(strstr(told->stream_target, "resourceVersion=99&"));
    fake_send(stream, event_of("ADDED", 'b', 100));
    expect(told, "+a = OK +a +b");
    assert_int_equal(told->lists, 1);
    end(told);
}

static void test_gone_as_event(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("abc", "10", ""));
    struct fake_connection *stream = open_stream(told);
    fake_send(stream, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                      "\"reason\":\"Expired\",\"message\":\"too old\"}}\n");
    answer_list(told, list_of("bcd", "50", ""));
    expect(told, "+a +b +c = OK +b +c +d -a =");
    open_stream(told);
    assert_non_null(strstr(told->stream_target, "resourceVersion=50&"));
    end(told);
}

static void test_gone_as_status(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", ""));
    fake_answer(take_stream(told), 410, "", "{\"kind\":\"Status\",\"code\":410}");
    answer_list(told, list_of("b", "60", ""));
    expect(told, "+a +b = OK +b -a =");
    end(told);
}

/* Another error in the stream: told, and listed again after a while. */
static void test_error_event(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    fake_send(open_stream(told), "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":500,"
                                 "\"message\":\"etcd has no leader\"}}\n");
    answer_list(told, list_of("a", "11", ""));
    expect(told, "+a = OK RETRY +a = OK");
    end(told);
}

/* Server and port vanish and come back: found again within the first tries. */
static void test_server_restarts(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    open_stream(told);
    expect(told, "+a = OK");
    fake_api_stop(told->world->api);
    expect(told, "+a = OK RETRY");
    fake_api_start(told->world->api);
    struct fake_connection *stream = open_stream(told);
    expect(told, "+a = OK RETRY OK");
    fake_send(stream, event_of("ADDED", 'b', 11));
    expect(told, "+a = OK RETRY OK +b");
    end(told);
}

static void test_missing_then_there(void **state)
{
    struct told *told = begin(NULL, NULL);
    fail_list(told, 404, "", "{\"kind\":\"Status\",\"code\":404,\"message\":\"no such thing\"}");
    expect(told, "MISSING");
    assert_false(watch_synced(told->watch));
    fail_list(told, 404, "", "404 page not found\n");
    watch_kick(told->watch);
    answer_list(told, list_of("a", "10", ""));
    expect(told, "MISSING +a = OK");
    end(told);
}

/* A kind that was there must be missing twice before its objects are given up. */
static void test_there_then_missing(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    fake_answer(take_stream(told), 404, "", "{}");
    fake_answer(take_stream(told), 404, "", "{}");
    expect(told, "+a = OK -a MISSING");
    assert_false(watch_synced(told->watch));
    answer_list(told, list_of("a", "90", ""));
    expect(told, "+a = OK -a MISSING +a = OK");
    end(told);
}

static void test_missing_once_is_no_deletion(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("ab", "10", ""));
    fake_answer(take_stream(told), 404, "", "{}");
    struct fake_connection *stream = open_stream(told);
    fake_send(stream, event_of("ADDED", 'c', 11));
    expect(told, "+a +b = OK +c");
    /* Nor once more, later. */
    fake_cut(stream);
    fake_answer(take_stream(told), 404, "", "{}");
    stream = open_stream(told);
    fake_send(stream, event_of("ADDED", 'd', 12));
    expect(told, "+a +b = OK +c +d");
    end(told);
}

static void test_denied(void **state)
{
    struct told *told = begin(NULL, NULL);
    fail_list(told, 403, "", "{\"code\":403,\"message\":\"things is forbidden\"}");
    expect(told, "DENIED");
    answer_list(told, list_of("a", "1", ""));
    expect(told, "DENIED +a = OK");
    end(told);
}

/* Listed, but without the right to be told of changes. */
static void test_denied_after_the_list(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    fake_answer(take_stream(told), 403, "", "{\"code\":403,\"message\":\"things is forbidden\"}");
    expect(told, "+a = OK DENIED");
    assert_true(watch_synced(told->watch));
    assert_true(watch_denied(told->watch));
    fake_send(open_stream(told), event_of("ADDED", 'b', 11));
    expect(told, "+a = OK DENIED OK +b");
    assert_false(watch_denied(told->watch));
    end(told);
}

static void test_server_error_and_garbage(void **state)
{
    struct told *told = begin(NULL, NULL);
    fail_list(told, 500, "", "{\"code\":500,\"message\":\"no\"}");
    expect(told, "RETRY");
    answer_list(told, "<html>not a list</html>");
    answer_list(told, "{\"items\":[{\"metadata\":{\"name\":\"a\"}}");
    answer_list(told, list_of("a", "1", ""));
    expect(told, "RETRY +a +a = OK");
    end(told);
}

/* Retry-After holds the next try back. */
static void test_retry_after(void **state)
{
    struct told *told = begin(NULL, NULL);
    fail_list(told, 429, "Retry-After: 1\r\n", "{\"code\":429}");
    expect(told, "RETRY");
    world_rest(told->world, 700);
    assert_int_equal(told->lists, 1);
    answer_list(told, list_of("a", "1", ""));
    expect(told, "RETRY +a = OK");
    end(told);
}

/* One object that can't be read doesn't hold up the others. */
static void test_unreadable_object(void **state)
{
    struct told *told = begin(NULL, NULL);
    answer_list(told, "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":["
                      "{\"metadata\":{\"name\":\"a\"}},"
                      "{\"metadata\":{\"name\":\"b\"},\"n\":1e999},"
                      "{\"metadata\":{\"name\":\"c\"},\"text\":\"a\\u0000b\"}]}");
    struct fake_connection *stream = open_stream(told);
    fake_send(stream, "{\"type\":\"ADDED\",\"object\":{\"n\":1e999}}\n");
    fake_send(stream, event_of("ADDED", 'd', 5));
    expect(told, "+a +c = OK +d");
    assert_int_equal(cluster_counts(told->world->cluster).undecodable, 2);
    end(told);
}

/* A line without an end must not eat the memory. */
static void test_line_too_long(void **state)
{
    struct cluster_options options = {.body_limit = 10000};
    struct told *told = begin(NULL, &options);
    answer_list(told, list_of("a", "10", ""));
    struct fake_connection *stream = open_stream(told);
    expect(told, "+a = OK");
    char *spaces AUTO_FREE = str_format("{%12000s", "");
    fake_send(stream, spaces);
    expect(told, "+a = OK RETRY");
    stream = open_stream(told);
    expect(told, "+a = OK RETRY OK");
    end(told);
}

static bool has_second_stream(void *data)
{
    return ((struct told *)data)->streams == 2;
}

/* A server that keeps the connection but says nothing any more. */
static void test_silent_server(void **state)
{
    struct told *told = begin(NULL, NULL);
    told->world->cluster->silence_ms = 300;
    answer_list(told, list_of("a", "10", ""));
    struct fake_connection *stream = open_stream(told);
    /* As long as something comes it is left alone. */
    for (int i = 0; i < 5; i++) {
        world_rest(told->world, 150);
        fake_send(stream, "\n");
    }
    assert_int_equal(told->streams, 1);
    world_until(told->world, has_second_stream, told);
    assert_false(fake_is_open(stream));
    fake_send(open_stream(told), event_of("ADDED", 'b', 11));
    expect(told, "+a = OK +b");
    end(told);
}

static void on_no_reply(void *data, const struct reply *reply)
{
    *(bool *)data = reply->error.code == ERR_RETRY;
}

/* A call whose time runs out is the other sign of it. */
static void test_silent_server_noticed_by_a_call(void **state)
{
    struct cluster_options options = {.timeout_ms = 400};
    struct told *told = begin(NULL, &options);
    bool timed_out = false;
    answer_list(told, list_of("a", "10", ""));
    struct fake_connection *stream = open_stream(told);
    world_rest(told->world, 50);
    struct call_spec spec = {.method = "POST", .path = "/mute", .body = "{}"};
    cluster_call(told->world->cluster, &spec, on_no_reply, &timed_out);
    world_rest(told->world, 300);
    assert_true(fake_is_open(stream));
    world_until(told->world, has_second_stream, told);
    assert_true(timed_out);
    assert_false(fake_is_open(stream));
    end(told);
}

static void test_close_in_callbacks(void **state)
{
    struct told *told = begin(NULL, NULL);
    told->close_on_put = true;
    answer_list(told, list_of("abc", "10", ""));
    expect(told, "+a");
    world_rest(told->world, 20);
    end(told);

    told = begin(NULL, NULL);
    told->close_on_synced = true;
    answer_list(told, list_of("a", "10", ""));
    expect(told, "+a =");
    world_rest(told->world, 20);
    assert_int_equal(told->streams, 0);
    end(told);
}

static void test_close_at_any_time(void **state)
{
    struct told *told = begin(NULL, NULL);
    end(told); /* before anything was sent */
    told = begin(NULL, NULL);
    world_until(told->world, has_list, told);
    end(told); /* the list is under way */
    told = begin(NULL, NULL);
    fail_list(told, 500, "", "");
    expect(told, "RETRY");
    end(told); /* waiting */
    told = begin(NULL, NULL);
    answer_list(told, list_of("a", "10", ""));
    fake_send(open_stream(told), event_of("ADDED", 'b', 11));
    end(told); /* with something on its way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_then_watch),
        cmocka_unit_test(test_items_are_completed_and_pruned),
        cmocka_unit_test(test_keeps_only_what_is_asked_for),
        cmocka_unit_test(test_keeps_a_digest),
        cmocka_unit_test(test_no_digest_of_what_is_not_there_or_not_wanted),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_page_cut),
        cmocka_unit_test(test_page_gone),
        cmocka_unit_test(test_page_refused),
        cmocka_unit_test(test_half_lines),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_gone_as_event),
        cmocka_unit_test(test_gone_as_status),
        cmocka_unit_test(test_error_event),
        cmocka_unit_test(test_server_restarts),
        cmocka_unit_test(test_missing_then_there),
        cmocka_unit_test(test_there_then_missing),
        cmocka_unit_test(test_missing_once_is_no_deletion),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_denied_after_the_list),
        cmocka_unit_test(test_server_error_and_garbage),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_unreadable_object),
        cmocka_unit_test(test_line_too_long),
        cmocka_unit_test(test_silent_server),
        cmocka_unit_test(test_silent_server_noticed_by_a_call),
        cmocka_unit_test(test_close_in_callbacks),
        cmocka_unit_test(test_close_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
