// SPDX-License-Identifier: Apache-2.0
/* Which of the ways in which files change are told, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "loop/file_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOON_MS = 5000 };

/* A folder with a file in it. */
struct scene {
    struct loop *loop;
    struct file_watch *watch;
    char folder[64];
    bool told;
};

static void on_change(void *data)
{
    struct scene *scene = data;
    scene->told = true;
}

static char *path_of(const struct scene *scene, const char *name)
{
    return str_format("%s/%s", scene->folder, name);
}

static void write_file(const struct scene *scene, const char *name, const char *text)
{
    char *path AUTO_FREE = path_of(scene, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void rename_to(const struct scene *scene, const char *from, const char *to)
{
    char *old AUTO_FREE = path_of(scene, from), *new AUTO_FREE = path_of(scene, to);
    assert_int_equal(rename(old, new), 0);
}

static void link_to(const struct scene *scene, const char *end, const char *name)
{
    char *path AUTO_FREE = path_of(scene, name);
    assert_int_equal(symlink(end, path), 0);
}

static void make_folder(const struct scene *scene, const char *name)
{
    char *path AUTO_FREE = path_of(scene, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void watch(struct scene *scene, const char *name)
{
    struct error err = {0};
    char *path AUTO_FREE = path_of(scene, name);
    if (file_watch_open(scene->loop, path, on_change, scene, &scene->watch, &err) < 0)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct scene *scene = mem_alloc(sizeof *scene);
    struct error err = {0};
    assert_int_equal(loop_new(&scene->loop, &err), OK);
    strcpy(scene->folder, "/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(scene->folder));
    write_file(scene, "watched.yaml", "first");
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    char *clean AUTO_FREE = str_format("rm -r %s", scene->folder);
    file_watch_close(scene->watch);
    loop_free(scene->loop);
    assert_int_equal(system(clean), 0);
    free(scene);
    return 0;
}

static void assert_told(struct scene *scene)
{
    struct error err = {0};
    if (loop_run_until(scene->loop, &scene->told, SOON_MS, &err) < 0)
        fail_msg("%s", err.text);
    scene->told = false;
}

/* inotify has its events ready before the system call that causes them returns: one turn of the
 * loop reads them all. */
static void assert_untold(struct scene *scene)
{
    const bool never = false;
    struct error err = {0};
    assert_int_equal(loop_run_until(scene->loop, &never, 1, &err), ERR_RETRY);
    assert_false(scene->told);
}

static void written_over(void **state)
{
    struct scene *scene = *state;
    watch(scene, "watched.yaml");
    write_file(scene, "watched.yaml", "second");
    assert_told(scene);
}

/* Half a file is nobody's business. */
static void not_before_it_is_closed(void **state)
{
    struct scene *scene = *state;
    char *path AUTO_FREE = path_of(scene, "watched.yaml");
    watch(scene, "watched.yaml");
    FILE *out = fopen(path, "w");
    fputs("sec", out);
    fflush(out);
    assert_untold(scene);
    fputs("ond", out);
    fclose(out);
    assert_told(scene);
}

static void renamed_into_place(void **state)
{
    struct scene *scene = *state;
    watch(scene, "watched.yaml");
    write_file(scene, "watched.yaml.new", "second");
    assert_untold(scene);
    rename_to(scene, "watched.yaml.new", "watched.yaml");
    assert_told(scene);
}

static void others_change(void **state)
{
    struct scene *scene = *state;
    watch(scene, "watched.yaml");
    write_file(scene, "other.yaml", "other");
    rename_to(scene, "other.yaml", "another.yaml");
    make_folder(scene, "folder");
    assert_untold(scene);
}

static void gone_and_back(void **state)
{
    struct scene *scene = *state;
    char *path AUTO_FREE = path_of(scene, "watched.yaml");
    watch(scene, "watched.yaml");
    unlink(path);
    assert_untold(scene);
    write_file(scene, "watched.yaml", "second");
    assert_told(scene);
}

/* A mounted ConfigMap: watched.yaml → ..data/watched.yaml, ..data → ..1; then ..data → ..2. */
static void config_map(void **state)
{
    struct scene *scene = *state;
    char *path AUTO_FREE = path_of(scene, "watched.yaml");
    unlink(path);
    make_folder(scene, "..1");
    make_folder(scene, "..2");
    write_file(scene, "..1/watched.yaml", "first");
    write_file(scene, "..2/watched.yaml", "second");
    link_to(scene, "..1", "..data");
    link_to(scene, "..data/watched.yaml", "watched.yaml");
    watch(scene, "watched.yaml");
    link_to(scene, "..2", "..data_tmp");
    rename_to(scene, "..data_tmp", "..data");
    assert_told(scene);
}

/* Where the links lead is followed, and followed anew when they lead elsewhere. */
static void file_far_away(void **state)
{
    struct scene *scene = *state;
    make_folder(scene, "one");
    make_folder(scene, "two");
    write_file(scene, "one/config.yaml", "first");
    write_file(scene, "two/config.yaml", "second");
    link_to(scene, "one/config.yaml", "link.yaml");
    watch(scene, "link.yaml");
    write_file(scene, "one/config.yaml", "third");
    assert_told(scene);
    link_to(scene, "two/config.yaml", "link.new");
    rename_to(scene, "link.new", "link.yaml");
    assert_told(scene);
    write_file(scene, "one/config.yaml", "fourth");
    assert_untold(scene);
    write_file(scene, "two/config.yaml", "fifth");
    assert_told(scene);
}

static void no_folder(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    char *path AUTO_FREE = path_of(scene, "nowhere/watched.yaml");
    assert_int_equal(file_watch_open(scene->loop, path, on_change, scene, &scene->watch, &err),
                     ERR_MISSING);
    assert_non_null(strstr(err.text, "nowhere can't be watched: "));
}

int main(void)
{
#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_SCENE(written_over),       IN_SCENE(not_before_it_is_closed),
        IN_SCENE(renamed_into_place), IN_SCENE(others_change),
        IN_SCENE(gone_and_back),      IN_SCENE(config_map),
        IN_SCENE(file_far_away),      IN_SCENE(no_folder),
    };
#undef IN_SCENE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
