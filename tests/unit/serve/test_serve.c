// SPDX-License-Identifier: Apache-2.0
/* The HTTP server over loopback: what it answers, and what it doesn't put up with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/address.h"
#include "base/alloc.h"
#include "serve/serve.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOON_MS = 5000 };

struct site {
    struct loop *loop;
    struct serve *serve;
    int asked;
};

/* The other end of a connection: all that came, until the server closed it. */
struct client {
    struct loop *loop;
    int fd;
    struct fd_watch *ready;
    struct text got;
    bool closed;
};

static void answer_hello(void *data, struct serve_answer *answer)
{
    struct site *site = data;
    text_addf(&answer->body, "hello %d\n", ++site->asked);
}

static void answer_json(void *data, struct serve_answer *answer)
{
    (void)data;
    answer->status = 503;
    answer->type = "application/json";
    text_puts(&answer->body, "{}");
}

static void answer_echo(void *data, struct serve_answer *answer)
{
    (void)data;
    text_addf(&answer->body, "you said %s", answer->asked->at ? answer->asked->at : "nothing");
}

static struct serve_route routes[] = {{.path = "/hello", .answer = answer_hello},
                                      {.path = "/json", .answer = answer_json},
                                      {.path = "/echo", .answer = answer_echo, .body_max = 8},
                                      {0}};

static int setup(void **state)
{
    struct site *site = mem_alloc(sizeof *site);
    struct error err = {0};
    assert_int_equal(loop_new(&site->loop, &err), OK);
    routes[0].data = site;
    const struct serve_spec spec = {.listen = "127.0.0.1:0", .routes = routes};
    if (serve_new(site->loop, &spec, &site->serve, &err) < 0)
        fail_msg("%s", err.text);
    *state = site;
    return 0;
}

static int teardown(void **state)
{
    struct site *site = *state;
    serve_free(site->serve);
    loop_free(site->loop);
    free(site);
    return 0;
}

static void on_ready(void *data, short revents)
{
    struct client *client = data;
    char buffer[4096];
    ssize_t got = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    (void)revents;
    if (got > 0)
        text_add(&client->got, buffer, (size_t)got);
    client->closed = got <= 0;
    if (client->closed)
        fd_watch_change(client->ready, 0);
}

static void client_open(struct client *client, const struct site *site)
{
    union address address;
    char *at AUTO_FREE = str_format("127.0.0.1:%d", serve_port(site->serve));
    *client = (struct client){.loop = site->loop};
    assert_int_equal(address_parse(at, &address, NULL), OK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client->fd, &address.any, sizeof address.v4), 0);
    client->ready = fd_watch(client->loop, client->fd, POLLIN, on_ready, client);
}

static void client_send(struct client *client, const char *text, size_t length)
{
    assert_int_equal(send(client->fd, text, length, MSG_NOSIGNAL), length);
}

static void client_await_end(struct client *client)
{
    struct error err = {0};
    if (loop_run_until(client->loop, &client->closed, SOON_MS, &err) < 0)
        fail_msg("%s; so far: %s", err.text, client->got.at ? client->got.at : "nothing");
}

static void client_close(struct client *client)
{
    fd_unwatch(client->ready);
    close(client->fd);
    text_done(&client->got);
}

static void assert_has(const struct client *client, const char *part)
{
    const char *got = client->got.at ? client->got.at : "";
    if (!strstr(got, part))
        fail_msg("expected \"%s\" in \"%s\"", part, got);
}

/* One request on a connection of its own; the answer must begin so and have the part. */
static void assert_answer_to(const struct site *site, const char *head, const char *body,
                             const char *status, const char *part)
{
    struct client client;
    char *request AUTO_FREE =
        str_format("%s\r\nHost: here\r\nConnection: close\r\n\r\n%s", head, body);
    client_open(&client, site);
    client_send(&client, request, strlen(request));
    client_await_end(&client);
    assert_has(&client, status);
    assert_has(&client, part);
    client_close(&client);
}

static void assert_answer(const struct site *site, const char *head, const char *status,
                          const char *part)
{
    assert_answer_to(site, head, "", status, part);
}

static void answers(void **state)
{
    const struct site *site = *state;
    assert_answer(site, "GET /hello HTTP/1.1", "HTTP/1.1 200 OK\r\n", "\r\n\r\nhello 1\n");
    assert_answer(site, "GET /hello?verbose=1 HTTP/1.1", "HTTP/1.1 200 OK\r\n", "hello 2\n");
    assert_answer(site, "GET /hello HTTP/1.1", "200 OK", "Cache-Control: no-store\r\n");
    assert_answer(site, "GET /hello HTTP/1.1", "200 OK", "text/plain; charset=utf-8\r\n");
    assert_answer(site, "GET /json HTTP/1.1", "HTTP/1.1 503 ", "application/json\r\n");
}

static void refusals(void **state)
{
    const struct site *site = *state;
    assert_answer(site, "GET / HTTP/1.1", "HTTP/1.1 404 ", "there is nothing at this path");
    assert_answer(site, "GET /hello/ HTTP/1.1", "HTTP/1.1 404 ", "nothing");
    assert_answer(site, "GET //hello HTTP/1.1", "HTTP/1.1 404 ", "nothing");
    assert_answer(site, "POST /hello HTTP/1.1\r\nContent-Length: 3", "HTTP/1.1 405 ",
                  "Allow: GET\r\n");
    assert_answer(site, "DELETE /hello HTTP/1.1", "HTTP/1.1 405 ", "expected the method GET");
    assert_answer(site, "GET /hello HTTP/1.1\r\nContent-Length: 3", "HTTP/1.1 400 ",
                  "expected no body");
    assert_answer(site, "GET /hello HTTP/1.1\r\nTransfer-Encoding: chunked", "HTTP/1.1 400 ",
                  "expected no body");
    assert_int_equal(site->asked, 0);
}

/* A body in one piece, in several, none, and more than there may be. */
static void bodies(void **state)
{
    static const char chunked[] = "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked";
    const struct site *site = *state;
    assert_answer_to(site, "POST /echo HTTP/1.1\r\nContent-Length: 8", "12345678", "200 OK",
                     "you said 12345678");
    assert_answer_to(site, chunked, "2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "200 OK", "you said abc");
    assert_answer(site, "POST /echo HTTP/1.1\r\nContent-Length: 0", "200 OK", "you said nothing");
    assert_answer(site, "POST /echo HTTP/1.1\r\nContent-Length: 9", "413 ", "too large");
    assert_answer_to(site, chunked, "5\r\nabcde\r\n4\r\nfghi\r\n0\r\n\r\n", "413 ", "too large");
    assert_answer(site, "GET /echo HTTP/1.1", "HTTP/1.1 405 ", "Allow: POST\r\n");
    assert_answer(site, "GET /echo HTTP/1.1", "HTTP/1.1 405 ", "expected the method POST");
}

static void head_too_large(void **state)
{
    const struct site *site = *state;
    char *long_value AUTO_FREE = mem_alloc(20001);
    memset(long_value, 'a', 20000);
    char *head AUTO_FREE = str_format("GET /hello HTTP/1.1\r\nX-Long: %s", long_value);
    assert_answer(site, head, "HTTP/1.1 431 ", "");
    assert_int_equal(site->asked, 0);
}

/* A request that comes letter by letter holds nobody up. */
static void slow_and_fast(void **state)
{
    const struct site *site = *state;
    const char request[] = "GET /hello HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    struct client slow;
    client_open(&slow, site);
    client_send(&slow, request, 10);
    assert_answer(site, "GET /hello HTTP/1.1", "200 OK", "hello 1\n");
    client_send(&slow, request + 10, strlen(request) - 10);
    client_await_end(&slow);
    assert_has(&slow, "hello 2\n");
    client_close(&slow);
}

static void kept_alive(void **state)
{
    const struct site *site = *state;
    const char first[] = "GET /hello HTTP/1.1\r\nHost: here\r\n\r\n";
    const char last[] = "GET /hello HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    struct client client;
    client_open(&client, site);
    client_send(&client, first, strlen(first));
    client_send(&client, last, strlen(last));
    client_await_end(&client);
    assert_has(&client, "hello 1\n");
    assert_has(&client, "hello 2\n");
    client_close(&client);
}

static void rest(const struct site *site)
{
    const bool never = false;
    loop_run_until(site->loop, &never, 1, NULL);
}

/* Who is one too many waits until another one leaves. */
static void too_many_connections(void **state)
{
    enum { LIMIT = 64 };
    const struct site *site = *state;
    const char request[] = "GET /hello HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";
    struct client clients[LIMIT + 1];
    for (int i = 0; i <= LIMIT; i++) {
        client_open(&clients[i], site);
        rest(site);
    }
    client_send(&clients[LIMIT], request, strlen(request));
    rest(site);
    assert_int_equal(site->asked, 0);
    client_close(&clients[0]);
    client_await_end(&clients[LIMIT]);
    assert_has(&clients[LIMIT], "hello 1\n");
    for (int i = 1; i <= LIMIT; i++)
        client_close(&clients[i]);
}

/* What isn't HTTP ends the connection. */
static void nonsense(void **state)
{
    const struct site *site = *state;
    struct client client;
    client_open(&client, site);
    client_send(&client, "nonsense\r\n\r\n", 12);
    client_await_end(&client);
    client_close(&client);
    assert_answer(site, "GET /hello HTTP/1.1", "200 OK", "hello 1\n");
}

static void address_in_use(void **state)
{
    const struct site *site = *state;
    char *at AUTO_FREE = str_format("127.0.0.1:%d", serve_port(site->serve));
    struct serve *second;
    struct error err = {0};
    const struct serve_spec spec = {.listen = at, .routes = routes};
    assert_int_equal(serve_new(site->loop, &spec, &second, &err), ERR_DENIED);
    char *expected AUTO_FREE = str_format("it can't listen on %s: Address already in use", at);
    assert_string_equal(err.text, expected);
}

static void addresses(void **state)
{
    static const struct {
        const char *text, *reached; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:8474", "127.0.0.1:8474"},
        {"0.0.0.0:1", "127.0.0.1:1"},
        {"[::]:65535", "[::1]:65535"},
        {"[fe80::1]:80", "[fe80::1]:80"},
        {"localhost:80", NULL},
        {"127.0.0.1", NULL},
        {"127.0.0.1:", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:80x", NULL},
        {":80", NULL},
        {"::1:80", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        union address address;
        struct error err = {0};
        int code = address_parse(cases[i].text, &address, &err);
        char *reached AUTO_FREE = code == OK ? address_to_reach(&address) : NULL;
        if (!str_equal(reached, cases[i].reached))
            fail_msg("%s: expected %s, found %s", cases[i].text, cases[i].reached, reached);
    }
}

int main(void)
{
#define ON_SITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ON_SITE(answers),
        ON_SITE(refusals),
        ON_SITE(head_too_large),
        ON_SITE(bodies),
        ON_SITE(slow_and_fast),
        ON_SITE(kept_alive),
        ON_SITE(too_many_connections),
        ON_SITE(address_in_use),
        ON_SITE(nonsense),
        cmocka_unit_test(addresses),
    };
#undef ON_SITE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
