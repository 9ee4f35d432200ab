// SPDX-License-Identifier: Apache-2.0
/* Exec credential plugins: shell scripts that the tests write. */
#include "base/clock.h"
#include "cluster/child.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stage {
    struct world *world;
    char *folder;        /* of the script */
    char *authorization; /* of the last request */
    int rejected;        /* how many requests get 401 */
    int answers;
    int code;
    struct error error;
};

static void on_request(void *data, const struct fake_request *request)
{
    struct stage *stage = data;
    free(stage->authorization);
    stage->authorization = fake_header(request, "Authorization");
    if (stage->rejected-- > 0)
        fake_answer(request->connection, 401, "", "{\"message\":\"Unauthorized\"}");
    else
        fake_answer(request->connection, 200, "", "{}");
}

static void on_reply(void *data, const struct reply *reply)
{
    struct stage *stage = data;
    stage->answers++;
    stage->code = reply->error.code;
    stage->error = reply->error;
}

static bool has_answer(void *data)
{
    return ((struct stage *)data)->answers;
}

static bool has_four_answers(void *data)
{
    return ((struct stage *)data)->answers == 4;
}

static void call(struct stage *stage)
{
    struct call_spec spec = {.method = "GET", .path = "/a"};
    cluster_call(stage->world->cluster, &spec, on_reply, stage);
}

static int ask(struct stage *stage)
{
    stage->answers = 0;
    call(stage);
    world_until(stage->world, has_answer, stage);
    return stage->code;
}

/* `script` is the body of a shell script; each run also adds a line to the file `runs`. `more` are
 * further members of exec. */
static void begin(struct stage *stage, const char *script, const char *more)
{
    *stage = (struct stage){.folder = folder_new()};
    char *text AUTO_FREE =
        str_format("#!/bin/sh\necho run >>'%s/runs'\n%s\n", stage->folder, script);
    char *path AUTO_FREE = folder_file(stage->folder, "plugin", text);
    assert_int_equal(chmod(path, 0700), 0);
    char *user AUTO_FREE =
        str_format("{exec: {apiVersion: client.authentication.k8s.io/v1, command: '%s', args: "
                   "[one, 'two three'], env: [{name: COLOUR, value: blue}]%s}}",
                   path, more);
    struct cluster_options options = {.timeout_ms = 2000};
    stage->world = world_new(user, &options);
    stage->world->on_request = on_request;
    stage->world->data = stage;
}

static void end(struct stage *stage)
{
    world_free(stage->world);
    folder_remove(stage->folder);
    free(stage->folder);
    free(stage->authorization);
}

static int runs(const struct stage *stage)
{
    char *path AUTO_FREE = str_format("%s/runs", stage->folder);
    struct stat info;
    return stat(path, &info) == 0 ? (int)(info.st_size / 4) : 0;
}

#define CREDENTIAL(status)                                                                         \
    "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","       \
    "\"status\":" status "}'"

static void test_token(void **state)
{
    struct stage stage;
    begin(&stage, CREDENTIAL("{\"token\":\"'\"$COLOUR-$1-${2#two }\"'\"}"), "");
    assert_int_equal(ask(&stage), OK);
    assert_string_equal(stage.authorization, "Bearer blue-one-three");
    end(&stage);

    begin(&stage, CREDENTIAL("{\"token\":\"t\"}"), "");
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask(&stage), OK);
    assert_int_equal(runs(&stage), 1);
    end(&stage);
}

/* Several calls wait for the same run. */
static void test_one_run_for_all(void **state)
{
    struct stage stage;
    begin(&stage, "sleep 0.2\n" CREDENTIAL("{\"token\":\"t\"}"), "");
    for (int i = 0; i < 4; i++)
        call(&stage);
    int64_t before = clock_monotonic_ms();
    bool never = false;
    loop_run_until(stage.world->loop, &never, 50, NULL);
    assert_true(clock_monotonic_ms() - before < 150); /* the loop isn't held up */
    assert_int_equal(stage.answers, 0);
    world_until(stage.world, has_four_answers, &stage);
    assert_int_equal(runs(&stage), 1);
    end(&stage);
}

static void test_expiry(void **state)
{
    struct stage stage;
    begin(&stage, CREDENTIAL("{\"token\":\"t\",\"expirationTimestamp\":\"2001-01-01T00:00:00Z\"}"),
          "");
    assert_int_equal(ask(&stage), OK);
    assert_int_equal(ask(&stage), OK);
    assert_int_equal(runs(&stage), 2);
    end(&stage);

    begin(&stage, CREDENTIAL("{\"token\":\"t\",\"expirationTimestamp\":\"2101-01-01T00:00:00Z\"}"),
          "");
    assert_int_equal(ask(&stage), OK);
    assert_int_equal(ask(&stage), OK);
    assert_int_equal(runs(&stage), 1);
    end(&stage);
}

/* A second from now, written as it is in a time zone far in the east: not in fifteen hours. */
static void test_expiry_in_another_zone(void **state)
{
    struct stage stage;
    begin(&stage,
          "at=$(TZ=XYZ-14 date -d '+1 second' +%Y-%m-%dT%H:%M:%S+14:00)\n" CREDENTIAL(
              "{\"token\":\"t\",\"expirationTimestamp\":\"'$at'\"}"),
          "");
    assert_int_equal(ask(&stage), OK);
    world_rest(stage.world, 1100);
    assert_int_equal(ask(&stage), OK);
    assert_int_equal(runs(&stage), 2);
    end(&stage);
}

/* A 401 runs it again; one right after a run answers an older request and doesn't. */
static void test_rejected(void **state)
{
    struct stage stage;
    begin(&stage, CREDENTIAL("{\"token\":\"t\"}"), "");
    assert_int_equal(ask(&stage), OK);
    stage.rejected = 5;
    assert_int_equal(ask(&stage), ERR_DENIED);
    assert_int_equal(runs(&stage), 1);
    assert_int_equal(stage.rejected, 3);
    end(&stage);
}

static void check_failure(const char *script, const char *more, const char *words)
{
    struct stage stage;
    begin(&stage, script, more);
    assert_int_not_equal(ask(&stage), OK);
    if (!strstr(stage.error.text, words) || !strstr(stage.error.text, "users[u].user.exec"))
        fail_msg("\"%s\" lacks \"%s\"", stage.error.text, words);
    assert_int_equal(fake_api_count(stage.world->api, "GET"), 0);
    end(&stage);
}

static void test_failures(void **state)
{
    check_failure("echo 'no' >&2; echo 'login first' >&2; exit 3", "",
                  "ended with status 3: no login first");
    check_failure("kill -9 $$", "", "was ended by signal 9");
    check_failure("exit 1", ", installHint: 'get it there'", "; get it there");
    check_failure("echo hello", "", "printed no JSON");
    check_failure("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\"}'", "",
                  "isn't the one");
    check_failure(CREDENTIAL("{}"), "", "neither a token nor a certificate");
    check_failure(CREDENTIAL("{\"clientCertificateData\":\"x\"}"), "", "neither a token nor");
    check_failure("head -c 2000000 /dev/zero; sleep 60", "", "printed more than 1048576 bytes");
}

static void test_command_that_is_not_there(void **state)
{
    struct stage stage = {.folder = folder_new()};
    struct cluster_options options = {.timeout_ms = 300};
    stage.world = world_new("{exec: {apiVersion: client.authentication.k8s.io/v1, command: "
                            "no-such-plugin, installHint: get it}}",
                            &options);
    assert_int_equal(ask(&stage), ERR_RETRY);
    /* Some C libraries learn of it only from the child's end. */
    assert_true(strstr(stage.error.text, "\"no-such-plugin\" could not be started: No such") ||
                strstr(stage.error.text, "\"no-such-plugin\" ended with status 127"));
    assert_non_null(strstr(stage.error.text, "; get it"));
    end(&stage);
}

static void test_cluster_info(void **state)
{
    struct stage stage;
    begin(&stage,
          "echo \"$KUBERNETES_EXEC_INFO\" >\"$(dirname \"$0\")/info\"\n" CREDENTIAL(
              "{\"token\":\"t\"}"),
          ", provideClusterInfo: true");
    assert_int_equal(ask(&stage), OK);
    char *path AUTO_FREE = str_format("%s/info", stage.folder);
    json_t *info AUTO_JSON = json_load_file(path, 0, NULL);
    assert_string_equal(json_string_at(info, "/kind"), "ExecCredential");
    assert_string_equal(json_string_at(info, "/spec/cluster/server"),
                        access_server(cluster_access(stage.world->cluster)));
    assert_true(json_is_false(json_at(info, "/spec/interactive")));
    end(&stage);
}

/* Freed in the middle of a run: nobody is told, nothing stays behind. */
static void test_freed_while_running(void **state)
{
    struct stage stage;
    begin(&stage, "exec sleep 100", "");
    call(&stage);
    world_rest(stage.world, 50);
    end(&stage);
    assert_int_equal(stage.answers, 0);
}

/* Children by themselves */

struct ended {
    bool done;
    char *trouble, *out, *err;
};

static void on_end(void *data, const struct child_end *end)
{
    struct ended *ended = data;
    ended->done = true;
    ended->trouble = str_copy(end->trouble);
    ended->out = str_copy(end->out);
    ended->err = str_copy(end->err);
}

static struct ended run(const char *script, int64_t limit_ms)
{
    struct error err = {0};
    struct loop *loop;
    struct ended ended = {0};
    char *copy AUTO_FREE = str_copy(script);
    char sh[] = "sh", c[] = "-c";
    char *command[] = {sh, c, copy, NULL};
    char home[] = "HOME=/changed", colour[] = "COLOUR=red";
    char *environment[] = {home, colour, NULL};
    assert_int_equal(loop_new(&loop, &err), OK);
    struct child_spec spec = {.command = command, .environment = environment, .limit_ms = limit_ms};
    child_start(loop, &spec, on_end, &ended);
    assert_false(ended.done);
    assert_int_equal(loop_run_until(loop, &ended.done, 10000, &err), OK);
    loop_free(loop);
    return ended;
}

static void ended_done(struct ended *ended)
{
    free(ended->trouble);
    free(ended->out);
    free(ended->err);
}

static void test_child(void **state)
{
    struct ended ended =
        run("echo $HOME $COLOUR; read line; echo \"<$line>\"; env | grep -c ^HOME=", 5000);
    assert_null(ended.trouble);
    assert_string_equal(ended.out, "/changed red\n<>\n1\n");
    ended_done(&ended);
}

static void test_child_gets_none_of_our_files(void **state)
{
    int fd = dup(2);
    struct ended ended = run("ls /proc/self/fd | wc -l", 5000);
    assert_string_equal(ended.out, "4\n"); /* 0, 1, 2 and the folder that ls reads */
    close(fd);
    ended_done(&ended);
}

/* Neither there nor waiting to be collected by somebody else. */
static bool is_running(int pid)
{
    char *path AUTO_FREE = str_format("/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    char state = 'X';
    if (file && fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    if (file)
        fclose(file);
    return state != 'X' && state != 'Z';
}

/* The time limit ends it and everything that it has started. */
static void test_child_takes_too_long(void **state)
{
    struct ended ended = run("sleep 100 & echo $!; wait", 100);
    assert_string_equal(ended.trouble, "took too long and was stopped");
    int pid = atoi(ended.out);
    int64_t deadline = clock_monotonic_ms() + 5000;
    assert_true(pid > 1);
    while (is_running(pid) && clock_monotonic_ms() < deadline)
        usleep(1000);
    assert_false(is_running(pid));
    ended_done(&ended);
}

/* Something left behind holds the pipe open: the end is the program's own. */
static void test_child_leaves_something_behind(void **state)
{
    int64_t before = clock_monotonic_ms();
    struct ended ended = run("sleep 3 & echo done", 5000);
    assert_true(clock_monotonic_ms() - before < 2500);
    assert_null(ended.trouble);
    assert_string_equal(ended.out, "done\n");
    ended_done(&ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_one_run_for_all),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_expiry_in_another_zone),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_command_that_is_not_there),
        cmocka_unit_test(test_cluster_info),
        cmocka_unit_test(test_freed_while_running),
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_child_gets_none_of_our_files),
        cmocka_unit_test(test_child_takes_too_long),
        cmocka_unit_test(test_child_leaves_something_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
