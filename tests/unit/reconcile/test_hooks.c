// SPDX-License-Identifier: Apache-2.0
/* Webhooks: what is sent, what the answers mean, and what people are told about them. */
#include "world.h"

#include "base/text.h"
#include "reconcile/hooks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A hook, the server that it calls, and what has come of it. */
struct scene {
    struct loop *loop;
    struct fake_api *api;
    struct hook hook;
    struct hook_spec spec;
    struct allow *loopback, *other; /* lists of where hooks may go */

    int status; /* of the answer; 0: none is given */
    const char *headers, *body;
    bool cut; /* the connection, instead of an answer */

    char *method, *target, *sent;
    char *content_type, *key, *attempt, *trace, *agent, *authorization;

    struct hook_call *call;
    bool done;
    int result;
    char *message;
};

static void note(char **place, char *text)
{
    free(*place);
    *place = text;
}

static void on_request(void *data, const struct fake_request *request)
{
    struct scene *scene = data;
    note(&scene->method, str_copy(request->method));
    note(&scene->target, str_copy(request->target));
    note(&scene->sent, str_copy(request->body));
    note(&scene->content_type, fake_header(request, "Content-Type"));
    note(&scene->key, fake_header(request, "Idempotency-Key"));
    note(&scene->attempt, fake_header(request, "Sluice-Attempt"));
    note(&scene->trace, fake_header(request, "traceparent"));
    note(&scene->agent, fake_header(request, "User-Agent"));
    note(&scene->authorization, fake_header(request, "Authorization"));
    if (scene->cut)
        fake_cut(request->connection);
    else if (scene->status)
        fake_answer(request->connection, scene->status, scene->headers, scene->body);
}

static void on_hook(void *data, int result, const char *message)
{
    struct scene *scene = data;
    assert_false(scene->done);
    scene->result = result;
    note(&scene->message, str_copy(message));
    scene->done = true;
    hook_cancel(scene->call); /* within its own callback it does nothing */
}

static char *scene_url(const struct scene *scene, const char *user, const char *rest)
{
    return str_format("http://%s127.0.0.1:%d%s", user, fake_api_port(scene->api), rest);
}

static struct allow *allow_one(const char *entry)
{
    struct allow *allow = allow_new();
    assert_int_equal(allow_add(allow, entry, NULL), OK);
    return allow;
}

static int setup(void **state)
{
    struct scene *scene = mem_alloc(sizeof *scene);
    scene->loopback = allow_one("127.0.0.0/8");
    assert_int_equal(loop_new(&scene->loop, NULL), OK);
    scene->api = fake_api_new(scene->loop, on_request, scene);
    scene->headers = scene->body = "";
    scene->hook.type = HOOK_PRE_BATCH;
    scene->hook.method = str_copy("POST");
    scene->hook.url = scene_url(scene, "", "/gate");
    scene->spec = (struct hook_spec){
        .hook = &scene->hook,
        .ns = "shop",
        .name = "to-v2",
        .phase = "batchInitializing",
        .idempotency_key = "6f1c/3/pre-batch-rollout/1/0",
        .attempt = 1,
        .roll = "6f1c/web-v2/1767268800000",
        .timeout_ms = 10000,
        .allow = scene->loopback,
    };
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    fake_api_free(scene->api);
    loop_free(scene->loop);
    allow_unref(scene->loopback);
    allow_unref(scene->other);
    free(scene->hook.url);
    free(scene->hook.method);
    free(scene->hook.expected);
    json_decref(scene->hook.metadata);
    char **noted[] = {&scene->method, &scene->target, &scene->sent,          &scene->content_type,
                      &scene->key,    &scene->agent,  &scene->authorization, &scene->attempt,
                      &scene->trace,  &scene->message};
    for (size_t i = 0; i < sizeof noted / sizeof *noted; i++)
        free(*noted[i]);
    free(scene);
    return 0;
}

static void call(struct scene *scene)
{
    struct error err = {0};
    scene->done = false;
    scene->call = hook_start(scene->loop, &scene->spec, on_hook, scene);
    assert_false(scene->done); /* never from within */
    if (loop_run_until(scene->loop, &scene->done, 10000, &err) < 0)
        fail_msg("%s", err.text);
}

/* What stands behind the URL in the message. */
static void expect_message(const struct scene *scene, const char *before, const char *after)
{
    char *url AUTO_FREE = scene_url(scene, "", "/gate");
    char *message AUTO_FREE = str_format("%s%s%s", before, url, after);
    assert_string_equal(scene->message, message);
}

static void expect_answer(struct scene *scene, int status, int result)
{
    scene->status = status;
    call(scene);
    if (scene->result != result)
        fail_msg("%d gave %d: %s", status, scene->result, scene->message);
}

static void test_results(void **state)
{
    struct scene *scene = *state;
    static const int passed[] = {200, 201, 202, 204, 299};
    static const int rejected[] = {300, 302, 304, 308, 400, 401, 404, 409, 422, 499};
    static const int trouble[] = {408, 429, 500, 502, 503, 504, 599};
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        expect_answer(scene, passed[i], HOOK_PASSED);
    for (size_t i = 0; i < sizeof rejected / sizeof *rejected; i++)
        expect_answer(scene, rejected[i], HOOK_REJECTED);
    for (size_t i = 0; i < sizeof trouble / sizeof *trouble; i++)
        expect_answer(scene, trouble[i], HOOK_TROUBLE);
}

static void expect(struct scene *scene, int first, int second)
{
    scene->hook.expected = mem_alloc(2 * sizeof(int));
    scene->hook.expected[0] = first;
    scene->hook.expected[1] = second;
    scene->hook.expected_count = second ? 2 : 1;
}

static void test_expected_status(void **state)
{
    struct scene *scene = *state;
    expect(scene, 302, 500);
    expect_answer(scene, 500, HOOK_PASSED);
    expect_answer(scene, 302, HOOK_PASSED);
    expect_answer(scene, 404, HOOK_REJECTED);
    expect_message(scene, "POST ", " answered 404, expected 302 or 500");
    expect_answer(scene, 200, HOOK_TROUBLE); /* not yet, it seems: asked again */
    expect_message(scene, "POST ", " answered 200, expected 302 or 500");
}

static void test_one_expected_status(void **state)
{
    struct scene *scene = *state;
    expect(scene, 201, 0);
    scene->body = "still at work";
    expect_answer(scene, 202, HOOK_TROUBLE);
    expect_message(scene, "POST ", " answered 202, expected 201: still at work");
    expect_answer(scene, 201, HOOK_PASSED);
    expect_message(scene, "POST ", " answered 201");
}

static void test_messages(void **state)
{
    struct scene *scene = *state;
    expect_answer(scene, 204, HOOK_PASSED);
    expect_message(scene, "POST ", " answered 204");
    expect_answer(scene, 503, HOOK_TROUBLE);
    expect_message(scene, "POST ", " answered 503");
    scene->body = "the queue is longer than 100";
    expect_answer(scene, 403, HOOK_REJECTED);
    expect_message(scene, "POST ", " answered 403: the queue is longer than 100");
}

static void test_redirection_is_not_followed(void **state)
{
    struct scene *scene = *state;
    char *headers AUTO_FREE =
        str_format("Location: http://127.0.0.1:%d/elsewhere\r\n", fake_api_port(scene->api));
    scene->headers = headers;
    expect_answer(scene, 307, HOOK_REJECTED);
    assert_int_equal(fake_api_count(scene->api, "/gate"), 1);
    assert_int_equal(fake_api_count(scene->api, "/elsewhere"), 0);
}

/* What the design promises to receivers: {name, namespace, phase, metadata}. */
static void test_request(void **state)
{
    struct scene *scene = *state;
    scene->hook.metadata = json_pack("{s:s}", "team", "caf\xc3\xa9");
    expect_answer(scene, 200, HOOK_PASSED);
    json_t *wanted AUTO_JSON =
        json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "to-v2", "namespace", "shop", "phase",
                  "batchInitializing", "metadata", "team", "caf\xc3\xa9");
    json_t *sent AUTO_JSON = json_loads(scene->sent, 0, NULL);
    assert_true(json_equal(wanted, sent));
    assert_string_equal(scene->method, "POST");
    assert_string_equal(scene->target, "/gate");
    assert_string_equal(scene->content_type, "application/json");
    assert_string_equal(scene->key, "6f1c/3/pre-batch-rollout/1/0");
    assert_string_equal(scene->attempt, "1");
    assert_string_equal(scene->agent, "sluice/" SLUICE_VERSION);
}

static void test_every_attempt_sends_the_body(void **state)
{
    struct scene *scene = *state;
    char *first AUTO_FREE = NULL;
    expect_answer(scene, 503, HOOK_TROUBLE);
    first = str_copy(scene->sent);
    assert_true(strlen(first) > 0);
    for (int attempt = 2; attempt <= 4; attempt++) {
        char number[16];
        snprintf(number, sizeof number, "%d", attempt);
        scene->spec.attempt = attempt;
        scene->cut = attempt == 3; /* also over a connection that has to be made anew */
        expect_answer(scene, attempt == 4 ? 200 : 503, attempt == 4 ? HOOK_PASSED : HOOK_TROUBLE);
        assert_string_equal(scene->sent, first);
        assert_string_equal(scene->attempt, number);
        assert_string_equal(scene->key, scene->spec.idempotency_key);
    }
}

enum { TRACE_AT = 3, TRACE_LENGTH = 32, SPAN_AT = 36, SPAN_LENGTH = 16 };

static bool same(const char *one, const char *other, int at, int length)
{
    return memcmp(one + at, other + at, (size_t)length) == 0;
}

/* A trace for the roll, a span for each call; both are the same in another process. */
static void test_trace(void **state)
{
    struct scene *scene = *state;
    expect_answer(scene, 200, HOOK_PASSED);
    char *first AUTO_FREE = str_copy(scene->trace);
    const char *digits = "0123456789abcdef";
    assert_int_equal(strlen(first), 55);
    assert_memory_equal(first, "00-", 3);
    assert_int_equal(strspn(first + TRACE_AT, digits), TRACE_LENGTH);
    assert_int_equal(strspn(first + SPAN_AT, digits), SPAN_LENGTH);
    assert_string_equal(first + 52, "-01");
    expect_answer(scene, 200, HOOK_PASSED);
    assert_string_equal(scene->trace, first);
    scene->spec.attempt = 2;
    expect_answer(scene, 200, HOOK_PASSED);
    assert_true(same(scene->trace, first, TRACE_AT, TRACE_LENGTH));
    assert_false(same(scene->trace, first, SPAN_AT, SPAN_LENGTH));
    scene->spec.roll = "6f1c/web-v3/1767268900000";
    expect_answer(scene, 200, HOOK_PASSED);
    assert_false(same(scene->trace, first, TRACE_AT, TRACE_LENGTH));
}

static void test_methods(void **state)
{
    struct scene *scene = *state;
    static const char *const methods[] = {"PUT", "PATCH", "GET"};
    for (size_t i = 0; i < 3; i++) {
        str_replace(&scene->hook.method, methods[i]);
        expect_answer(scene, 200, HOOK_PASSED);
        assert_string_equal(scene->method, methods[i]);
        bool bare = str_equal(methods[i], "GET");
        assert_int_equal(strlen(scene->sent) == 0, bare);
        assert_int_equal(scene->content_type == NULL, bare);
        assert_string_equal(scene->key, scene->spec.idempotency_key);
    }
    scene->status = 503;
    call(scene);
    expect_message(scene, "GET ", " answered 503");
}

static void test_no_answer_in_time(void **state)
{
    struct scene *scene = *state;
    scene->spec.timeout_ms = 150;
    expect_answer(scene, 0, HOOK_TROUBLE);
    assert_int_equal(fake_api_count(scene->api, "/gate"), 1);
    expect_message(scene, "no answer from ", " within 0.15 s");
}

static void test_nobody_there(void **state)
{
    struct scene *scene = *state;
    fake_api_stop(scene->api);
    expect_answer(scene, 200, HOOK_TROUBLE);
    char *url AUTO_FREE = scene_url(scene, "", "/gate");
    char *begin AUTO_FREE = str_format("no answer from %s: ", url);
    assert_memory_equal(scene->message, begin, strlen(begin));
    assert_non_null(strstr(scene->message, "Failed to connect"));
}

static void test_connection_lost(void **state)
{
    struct scene *scene = *state;
    scene->cut = true;
    expect_answer(scene, 200, HOOK_TROUBLE);
    assert_non_null(strstr(scene->message, "no answer from "));
}

/* The status has said what matters; the rest of a flood isn't read. */
static void test_huge_answers(void **state)
{
    struct scene *scene = *state;
    struct text body AUTO(text_done) = {0};
    while (body.len < 8 * 1024 * 1024)
        text_puts(&body, "0123456789abcdef");
    scene->body = body.at;
    expect_answer(scene, 200, HOOK_PASSED);
    expect_answer(scene, 500, HOOK_TROUBLE);
    char *quote AUTO_FREE = str_copy_n(body.at, 200);
    char *after AUTO_FREE = str_format(" answered 500: %s", quote);
    expect_message(scene, "POST ", after);
}

/* The beginning of an answer that never ends. */
static void on_endless(void *data, const struct fake_request *request)
{
    const struct scene *scene = data;
    fake_begin(request->connection);
    fake_send(request->connection, scene->body);
}

static void answer_endlessly(struct scene *scene)
{
    fake_api_free(scene->api);
    scene->api = fake_api_new(scene->loop, on_endless, scene);
    note(&scene->hook.url, scene_url(scene, "", "/gate"));
    call(scene);
}

/* An answer without an end is none, however good its beginning. */
static void test_unfinished_answer(void **state)
{
    struct scene *scene = *state;
    scene->body = "so far so good";
    scene->spec.timeout_ms = 150;
    answer_endlessly(scene);
    assert_int_equal(scene->result, HOOK_TROUBLE);
    expect_message(scene, "no answer from ", " within 0.15 s");
}

/* Of a flood only the beginning is wanted, so nobody waits for its end. */
static void test_flood(void **state)
{
    struct scene *scene = *state;
    struct text body AUTO(text_done) = {0};
    while (body.len < 70 * 1024)
        text_puts(&body, "0123456789abcdef");
    scene->body = body.at;
    answer_endlessly(scene);
    assert_int_equal(scene->result, HOOK_PASSED);
}

static void test_strange_answers_become_words(void **state)
{
    struct scene *scene = *state;
    scene->body = "\r\n<html>\n\tno\x1b[31m way \xff\xc3 \n";
    expect_answer(scene, 400, HOOK_REJECTED);
    expect_message(scene, "POST ", " answered 400:   <html>  no [31m way ??");

    /* 199 bytes and then a character of two: it isn't cut through. */
    struct text body AUTO(text_done) = {0};
    while (body.len < 199)
        text_puts(&body, "x");
    char *quote AUTO_FREE = str_format(" answered 400: %s", body.at);
    text_puts(&body, "\xc3\xa9 and more");
    scene->body = body.at;
    expect_answer(scene, 400, HOOK_REJECTED);
    expect_message(scene, "POST ", quote);
}

/* Statuses and Events are read by more people than may know a token. */
static void test_secrets_stay_out_of_messages(void **state)
{
    struct scene *scene = *state;
    note(&scene->hook.url, scene_url(scene, "me:sesame@", "/gate?token=sesame"));
    expect_answer(scene, 403, HOOK_REJECTED);
    expect_message(scene, "POST ", " answered 403");
    assert_string_equal(scene->target, "/gate?token=sesame");
    assert_string_equal(scene->authorization, "Basic bWU6c2VzYW1l");
    fake_api_stop(scene->api);
    expect_answer(scene, 200, HOOK_TROUBLE);
    assert_null(strstr(scene->message, "sesame"));
}

static void test_no_other_protocols(void **state)
{
    struct scene *scene = *state;
    str_replace(&scene->hook.url, "file:///etc/hostname");
    expect_answer(scene, 200, HOOK_TROUBLE);
    assert_non_null(strstr(scene->message, "file:///etc/hostname isn't called: hooks.allow "));
    scene->spec.allow = NULL;
    expect_answer(scene, 200, HOOK_TROUBLE);
    assert_non_null(strstr(scene->message, "no answer from file:///etc/hostname: "));
    str_replace(&scene->hook.url, "http://[not a host/");
    expect_answer(scene, 200, HOOK_TROUBLE);
}

/* A server with a certificate that nobody has signed. It ends with us. */
struct tls_server {
    pid_t pid;
    FILE *said;
    int port;
};

static pid_t spawn_shell(const char *script, int out)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(127);
}

static void tls_start(struct tls_server *server, const char *folder)
{
    char *script AUTO_FREE = str_format(
        "cd '%s' && openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null && "
        "exec openssl s_server -accept 127.0.0.1:0 -key key -cert cert -www 2>/dev/null",
        folder);
    char line[256];
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    server->pid = spawn_shell(script, out[1]);
    close(out[1]);
    server->said = fdopen(out[0], "r");
    server->port = 0;
    while (server->port == 0 && fgets(line, sizeof line, server->said))
        sscanf(line, "ACCEPT 127.0.0.1:%d", &server->port);
    assert_true(server->port > 0);
}

static void tls_end(struct tls_server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    fclose(server->said);
}

/* What can't be verified isn't trusted, nor told anything. */
static void test_unknown_certificate(void **state)
{
    struct scene *scene = *state;
    struct tls_server server;
    char *folder AUTO_FREE = folder_new();
    tls_start(&server, folder);
    note(&scene->hook.url, str_format("https://127.0.0.1:%d/", server.port));
    call(scene);
    tls_end(&server);
    folder_remove(folder);
    assert_int_equal(scene->result, HOOK_TROUBLE);
    assert_non_null(strstr(scene->message, "certificate"));
}

static void expect_refused(struct scene *scene, const char *words)
{
    size_t before = fake_api_count(scene->api, "/gate");
    expect_answer(scene, 200, HOOK_TROUBLE); /* a config can be changed: asked again */
    if (!strstr(scene->message, words))
        fail_msg("%s", scene->message);
    assert_int_equal(fake_api_count(scene->api, "/gate"), before);
}

static void test_loopback_is_closed(void **state)
{
    struct scene *scene = *state;
    scene->spec.allow = NULL;
    expect_refused(scene, "/gate isn't called: 127.0.0.1 is a loopback address, and hooks.allow in "
                          "the config has no such address");
}

/* Or it would show which ports are open. */
static void test_closed_is_not_even_connected_to(void **state)
{
    struct scene *scene = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &size), 0);
    note(&scene->hook.url, str_format("http://127.0.0.1:%d/", ntohs(address.sin_port)));
    scene->spec.allow = NULL;
    expect_refused(scene, "127.0.0.1 is a loopback address");
    assert_int_equal(accept(listening, NULL, NULL), -1);
    close(listening);
}

/* Whatever name it has: curl itself takes this one for loopback, as a nameserver may any other. */
static void test_name_that_leads_inside(void **state)
{
    struct scene *scene = *state;
    note(&scene->hook.url, str_format("http://localhost:%d/gate", fake_api_port(scene->api)));
    scene->other = allow_one("localhost");
    scene->spec.allow = scene->other;
    expect_refused(scene, "a loopback address, and hooks.allow in the config lets hooks go to "
                          "localhost");
    scene->spec.allow = scene->loopback;
    expect_answer(scene, 200, HOOK_PASSED);
}

/* One that was made when the config still let it be. */
static void test_connection_of_before(void **state)
{
    struct scene *scene = *state;
    expect_answer(scene, 200, HOOK_PASSED);
    scene->spec.allow = NULL;
    expect_refused(scene, "127.0.0.1 is a loopback address");
}

static void test_url_that_is_not_listed(void **state)
{
    struct scene *scene = *state;
    char *listed AUTO_FREE = scene_url(scene, "", "/gates/");
    scene->other = allow_one(listed);
    scene->spec.allow = scene->other;
    expect_refused(scene, "/gate isn't called: hooks.allow in the config lets hooks go to http://");
    note(&scene->hook.url, scene_url(scene, "", "/gates/one"));
    expect_answer(scene, 200, HOOK_PASSED);
    assert_string_equal(scene->target, "/gates/one");
    struct hook_call *dropped = NULL;
    str_replace(&scene->hook.url, "http://elsewhere.example/");
    scene->done = false;
    dropped = hook_start(scene->loop, &scene->spec, on_hook, scene);
    hook_cancel(dropped);
    bool never = false;
    loop_run_until(scene->loop, &never, 20, NULL);
    assert_false(scene->done);
}

/* Behind a proxy nobody sees where a connection ends. */
static void test_no_proxy_is_asked(void **state)
{
    struct scene *scene = *state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    expect_answer(scene, 200, HOOK_PASSED);
    unsetenv("http_proxy");
}

static void test_cancel(void **state)
{
    struct scene *scene = *state;
    bool never = false;
    hook_cancel(hook_start(scene->loop, &scene->spec, on_hook, scene));
    struct hook_call *waiting = hook_start(scene->loop, &scene->spec, on_hook, scene);
    for (int i = 0; i < 2000 && fake_api_count(scene->api, "/gate") == 0; i++)
        loop_run_until(scene->loop, &never, 5, NULL);
    hook_cancel(waiting);
    loop_run_until(scene->loop, &never, 30, NULL);
    assert_false(scene->done);
    assert_int_equal(fake_api_count(scene->api, "/gate"), 1);
    hook_cancel(NULL);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(test_results),
        SCENE(test_expected_status),
        SCENE(test_one_expected_status),
        SCENE(test_messages),
        SCENE(test_redirection_is_not_followed),
        SCENE(test_request),
        SCENE(test_every_attempt_sends_the_body),
        SCENE(test_trace),
        SCENE(test_methods),
        SCENE(test_no_answer_in_time),
        SCENE(test_nobody_there),
        SCENE(test_connection_lost),
        SCENE(test_huge_answers),
        SCENE(test_unfinished_answer),
        SCENE(test_flood),
        SCENE(test_strange_answers_become_words),
        SCENE(test_secrets_stay_out_of_messages),
        SCENE(test_no_other_protocols),
        SCENE(test_unknown_certificate),
        SCENE(test_loopback_is_closed),
        SCENE(test_closed_is_not_even_connected_to),
        SCENE(test_name_that_leads_inside),
        SCENE(test_connection_of_before),
        SCENE(test_url_that_is_not_listed),
        SCENE(test_no_proxy_is_asked),
        SCENE(test_cancel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
