// SPDX-License-Identifier: Apache-2.0
/* Replacing adapters while they are in use: what stays, what is loaded anew, what is refused. */
#include "adapters.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"

#include <fcntl.h>
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

/* A folder with one adapter's file, and the set that was loaded from it. */
struct scene {
    char folder[64];
    char *file;
    struct adapter_entry entry;
    struct adapters *set;
};

static char *built(const char *name)
{
    return str_format("%s/%s.so", HOSTILE_DIR, name);
}

/* Over what is there, in place, as `cp` does. */
static void write_over(const char *file, const char *name)
{
    char *from AUTO_FREE = built(name);
    char buffer[8192];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t got; (got = read(in, buffer, sizeof buffer)) > 0;)
        assert_int_equal(write(out, buffer, (size_t)got), got);
    close(in);
    close(out);
}

static struct adapter *only(const struct scene *scene)
{
    assert_int_equal(adapters_count(scene->set), 1);
    return adapters_nth(scene->set, 0);
}

static void assert_version(struct adapter *adapter, const char *version)
{
    struct workload_status status;
    const struct adapter_request request = {0};
    struct error err = {0};
    if (adapter_refusal(adapter))
        fail_msg("%s", adapter_refusal(adapter)->text);
    assert_string_equal(adapter_version(adapter), version);
    if (adapter_observe(adapter, &request, &status, &err) < 0)
        fail_msg("%s", err.text);
}

static int scene_open(void **state)
{
    struct scene *scene = mem_alloc(sizeof *scene);
    strcpy(scene->folder, "/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    scene->file = str_format("%s/hostile.so", scene->folder);
    write_over(scene->file, "sound1");
    scene->entry = (struct adapter_entry){.name = "hostile", .file = scene->file};
    scene->set = adapters_load("/nowhere", &scene->entry, 1);
    assert_version(only(scene), "1.0.0");
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    adapters_free(scene->set);
    unlink(scene->file);
    assert_int_equal(rmdir(scene->folder), 0);
    free(scene->file);
    free(scene);
    return 0;
}

static void renew_with(struct scene *scene, const struct adapters_wish *wish)
{
    struct adapters *set = adapters_renew(scene->set, wish);
    adapters_free(scene->set);
    scene->set = set;
}

static void renew(struct scene *scene, bool look_at_files)
{
    const struct adapters_wish wish = {.directory = "/nowhere",
                                       .entries = &scene->entry,
                                       .count = 1,
                                       .look_at_files = look_at_files};
    renew_with(scene, &wish);
}

static void nothing_new(void **state)
{
    struct scene *scene = *state;
    const struct adapter *before = only(scene);
    renew(scene, false);
    assert_ptr_equal(only(scene), before);
    renew(scene, true);
    assert_ptr_equal(only(scene), before);
}

/* Whoever still calls the old one holds it, and may go on. */
static void other_file(void **state)
{
    struct scene *scene = *state;
    char *second AUTO_FREE = built("sound2");
    struct adapter *before = adapter_hold(only(scene));
    scene->entry.file = second;
    renew(scene, false);
    assert_version(only(scene), "2.0.0");
    assert_version(before, "1.0.0");
    assert_string_not_equal(adapter_digest(only(scene)), adapter_digest(before));
    adapter_release(before);
}

static void other_file_is_refused(void **state)
{
    struct scene *scene = *state;
    char *broken AUTO_FREE = built("size");
    const struct adapter *before = only(scene);
    int64_t at_ms = 0;
    assert_null(adapter_kept_refusal(before, &at_ms));
    scene->entry.file = broken;
    renew(scene, false);
    assert_ptr_equal(only(scene), before);
    assert_version(only(scene), "1.0.0");
    const struct error *refusal = adapter_kept_refusal(before, &at_ms);
    assert_non_null(refusal);
    assert_contains(refusal->text, "size: expected at least 88 bytes, found 64");
    assert_true(at_ms > 0);
}

static void other_digest_is_refused(void **state)
{
    struct scene *scene = *state;
    char pin[HASH_HEX_SIZE];
    int64_t at_ms;
    const struct adapter *before = only(scene);
    memset(pin, 'a', sizeof pin - 1);
    pin[sizeof pin - 1] = '\0';
    scene->entry.sha256 = pin;
    renew(scene, false);
    assert_ptr_equal(only(scene), before);
    assert_contains(adapter_kept_refusal(before, &at_ms)->text, "sha256: expected aaaa");
}

static void other_options_are_refused(void **state)
{
    struct scene *scene = *state;
    int64_t at_ms;
    json_t *options AUTO_JSON = json("{\"pods\":3}");
    scene->entry.options = options;
    renew(scene, false);
    assert_contains(adapter_kept_refusal(only(scene), &at_ms)->text, "options: expected none");
}

/* What has been written over under our feet neither changes nor hurts what is loaded. */
static void same_file_written_over(void **state)
{
    struct scene *scene = *state;
    struct adapter *before = adapter_hold(only(scene));
    write_over(scene->file, "sound2");
    assert_version(before, "1.0.0");
    renew(scene, false);
    assert_ptr_equal(only(scene), before);
    renew(scene, true);
    assert_version(only(scene), "2.0.0");
    assert_version(before, "1.0.0");
    adapter_release(before);
}

static void same_file_has_gone(void **state)
{
    struct scene *scene = *state;
    const struct adapter *before = only(scene);
    int64_t at_ms;
    unlink(scene->file);
    renew(scene, true);
    assert_ptr_equal(only(scene), before);
    assert_contains(adapter_kept_refusal(before, &at_ms)->text, "found nothing there");
}

/* One that never worked has nothing to go on with, and is tried again each time. */
static void refused_before(void **state)
{
    struct scene *scene = *state;
    const struct adapters_wish nothing = {.directory = "/nowhere"};
    renew_with(scene, &nothing);
    assert_int_equal(adapters_count(scene->set), 0);
    write_over(scene->file, "size");
    renew(scene, false);
    assert_contains(adapter_refusal(only(scene))->text, "size: expected");
    write_over(scene->file, "sound2");
    renew(scene, false);
    assert_version(only(scene), "2.0.0");
}

/* The old version may only go on with kinds that nobody else has been given. */
static void kind_given_to_another(void **state)
{
    struct scene *scene = *state;
    char *other AUTO_FREE = built("other_kind"), *broken AUTO_FREE = built("size");
    const struct adapter_entry entries[] = {{.name = "neighbour", .file = other},
                                            {.name = "hostile", .file = broken}};
    const struct adapters_wish wish = {.directory = "/nowhere", .entries = entries, .count = 2};
    renew_with(scene, &wish);
    assert_null(adapter_refusal(adapters_nth(scene->set, 0)));
    assert_contains(adapter_refusal(adapters_nth(scene->set, 1))->text, "size: expected");
}

static void about(void **state)
{
    struct scene *scene = *state;
    char *broken AUTO_FREE = built("size");
    scene->entry.file = broken;
    renew(scene, false);
    json_t *about AUTO_JSON = adapter_about(only(scene));
    assert_string_equal(json_string_at(about, "/state"), "inUse");
    assert_string_equal(json_string_at(about, "/version"), "1.0.0");
    assert_string_equal(json_string_at(about, "/file"), scene->file);
    assert_string_equal(json_string_at(about, "/sha256"), adapter_digest(only(scene)));
    assert_string_equal(json_string_at(about, "/kinds/0/kind"), "X");
    assert_contains(json_string_at(about, "/lastRefusal/message"), "size: expected");
    assert_non_null(json_string_at(about, "/lastRefusal/at"));
    assert_string_equal(json_string_at(about, "/next/file"), broken);
    assert_contains(json_string_at(about, "/next/refusal"), "size: expected");
    assert_int_equal(strlen(json_string_at(about, "/next/sha256")), HASH_HEX_SIZE - 1);
}

/* The config asks for what is in force again: the refusal is history, and nothing comes next. */
static void about_history(void **state)
{
    struct scene *scene = *state;
    char *broken AUTO_FREE = built("smoke");
    scene->entry.file = broken;
    renew(scene, false);
    json_t *before AUTO_JSON = adapter_about(only(scene));
    assert_string_equal(json_string_at(before, "/next/version"), "1.0.0");
    scene->entry.file = scene->file;
    renew(scene, false);
    json_t *about AUTO_JSON = adapter_about(only(scene));
    assert_null(json_at(about, "/next"));
    assert_contains(json_string_at(about, "/lastRefusal/message"), "manifest: smoke");
}

/* Each of these is another wish, though the file is the same. */
static void other_process(void **state)
{
    struct scene *scene = *state;
    const struct adapter *before = only(scene);
    scene->entry.isolation = ISOLATION_PROCESS;
    scene->entry.host = ADAPTER_HOST;
    renew(scene, false);
    assert_ptr_not_equal(only(scene), before);
    before = only(scene);
    renew(scene, false);
    assert_ptr_equal(only(scene), before);
    scene->entry.deadline_ms = ADAPTER_DEADLINE_MS + 1;
    renew(scene, false);
    assert_ptr_not_equal(only(scene), before);
    before = only(scene);
    scene->entry.host = "/nowhere/host";
    renew(scene, false);
    int64_t at_ms;
    assert_ptr_equal(only(scene), before);
    assert_contains(adapter_kept_refusal(before, &at_ms)->text, "/nowhere/host");
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_open, scene_close)
    const struct CMUnitTest tests[] = {
        IN_SCENE(nothing_new),
        IN_SCENE(other_file),
        IN_SCENE(other_file_is_refused),
        IN_SCENE(other_digest_is_refused),
        IN_SCENE(other_options_are_refused),
        IN_SCENE(same_file_written_over),
        IN_SCENE(same_file_has_gone),
        IN_SCENE(refused_before),
        IN_SCENE(kind_given_to_another),
        IN_SCENE(about),
        IN_SCENE(about_history),
        IN_SCENE(other_process),
    };
#undef IN_SCENE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
