// SPDX-License-Identifier: Apache-2.0
/* The config is read again: by itself when the file changes, on SIGHUP with a look at the adapters'
 * files; what is wrong changes nothing but what is said. */
#include "running.h"

#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    char *text AUTO_FREE = config_with("sound1", "");
    *state = running_new(text);
    return 0;
}

static int teardown(void **state)
{
    running_free(*state);
    return 0;
}

static struct adapter *only(const struct running *running)
{
    const struct adapters *adapters = controller_adapters(running->controller);
    assert_int_equal(adapters_count(adapters), 1);
    return adapters_nth(adapters, 0);
}

/* A member of what is said of the config, to be compared before the next is asked for. */
static const char *told(const struct running *running, const char *pointer)
{
    static char text[800];
    json_t *about AUTO_JSON = reload_about(running->reload);
    const char *found = json_string_at(about, pointer);
    snprintf(text, sizeof text, "%s", found ? found : "");
    return text;
}

static bool is_second(void *data)
{
    const struct error *refusal = adapter_refusal(only(data));
    return !refusal && str_equal(adapter_version(only(data)), "2.0.0");
}

static bool is_refused(void *data)
{
    return *told(data, "/refusal/message");
}

static bool is_accepted(void *data)
{
    return !is_refused(data);
}

static bool has_none(void *data)
{
    return !adapters_count(controller_adapters(((const struct running *)data)->controller));
}

static bool is_in_folder(void *data)
{
    return strstr(adapter_file(only(data)), ((const struct running *)data)->world->folder);
}

static bool logs_less(void *data)
{
    return ((const struct running *)data)->config.log_level == LOG_WARN;
}

static bool has_kept(void *data)
{
    int64_t at_ms;
    return adapter_kept_refusal(only(data), &at_ms);
}

static void at_first(void **state)
{
    const struct running *running = *state;
    assert_string_equal(told(running, "/file"), running->file);
    assert_int_equal(strlen(told(running, "/readAt")), strlen("2026-01-31T12:00:00Z"));
    assert_false(is_refused(*state));
}

static void edited(void **state)
{
    struct running *running = *state;
    char *text AUTO_FREE = config_with("sound2", "");
    running_write(running, text);
    world_until(running->world, is_second, running);
    assert_string_equal(running->config.adapters[0].file, HOSTILE_DIR "/sound2.so");
}

/* Everything in it stays out of force, the adapter too that would have been right. */
static void edited_wrongly(void **state)
{
    struct running *running = *state;
    char *right AUTO_FREE = config_with("sound2", "");
    char *wrong AUTO_FREE = str_format("%slogLevel: {\n", right);
    char *place AUTO_FREE = str_format("%s:5:1: ", running->file);
    running_write(running, wrong);
    world_until(running->world, is_refused, running);
    assert_memory_equal(told(running, "/refusal/message"), place, strlen(place));
    assert_int_equal(strlen(told(running, "/refusal/at")), strlen("2026-01-31T12:00:00Z"));
    assert_string_equal(adapter_version(only(running)), "1.0.0");
    assert_string_equal(running->config.adapters[0].file, HOSTILE_DIR "/sound1.so");
    running_write(running, right);
    world_until(running->world, is_accepted, running);
    assert_string_equal(adapter_version(only(running)), "2.0.0");
}

static void adapter_is_refused(void **state)
{
    struct running *running = *state;
    char *text AUTO_FREE = config_with("smoke", "");
    running_write(running, text);
    world_until(running->world, has_kept, running);
    assert_string_equal(adapter_version(only(running)), "1.0.0");
    assert_false(is_refused(running));
}

static void adapter_is_removed(void **state)
{
    struct running *running = *state;
    const char *none = "adapters: {enabled: []}\n";
    running_write(running, none);
    world_until(running->world, has_none, running);
}

/* An edit alone doesn't look into the files: who has pinned nothing decides when they count. */
static void file_replaced(void **state)
{
    struct running *running = *state;
    char *file AUTO_FREE = running_copy(running, "sound1", "mine.so");
    char *first AUTO_FREE = config_with(file, "");
    running_write(running, first);
    world_until(running->world, is_in_folder, running);
    free(running_copy(running, "sound2", "mine.so"));
    char *longer AUTO_FREE = str_format("%slogLevel: warn\n", first);
    running_write(running, longer);
    world_until(running->world, logs_less, running);
    assert_string_equal(adapter_version(only(running)), "1.0.0");
    raise(SIGHUP);
    world_until(running->world, is_second, running);
    log_set_level(LOG_INFO);
}

/* Only a restart changes where the controller answers. */
static void key_that_takes_a_restart(void **state)
{
    struct running *running = *state;
    char *first AUTO_FREE = config_with("sound2", "");
    char *text AUTO_FREE = str_format("%sserve: {listen: '127.0.0.1:1'}\n", first);
    running_write(running, text);
    world_until(running->world, is_second, running);
    assert_string_equal(running->config.serve_listen, "127.0.0.1:8474");
}

/* What was read from it stays in force. */
static void file_is_missing(void **state)
{
    struct running *running = *state;
    remove(running->file);
    raise(SIGHUP);
    world_until(running->world, is_refused, running);
    assert_non_null(strstr(told(running, "/refusal/message"), running->file));
    assert_string_equal(adapter_version(only(running)), "1.0.0");
}

int main(void)
{
#define RUNNING(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        RUNNING(at_first),
        RUNNING(edited),
        RUNNING(edited_wrongly),
        RUNNING(adapter_is_refused),
        RUNNING(adapter_is_removed),
        RUNNING(file_replaced),
        RUNNING(key_that_takes_a_restart),
        RUNNING(file_is_missing),
    };
#undef RUNNING
    return cmocka_run_group_tests(tests, NULL, NULL);
}
