// SPDX-License-Identifier: Apache-2.0
/* Every way in which an adapter can be refused, and what the refusal says. */
#include "adapters.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/json.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
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

static void assert_refused(const char *file, int code, const char *text)
{
    struct loaded loaded = loaded_open("hostile", file, NULL);
    const struct error *refusal = adapter_refusal(loaded.adapter);
    assert_non_null(refusal);
    assert_contains(refusal->text, text);
    assert_int_equal(refusal->code, code);
    assert_int_equal(adapter_kinds(loaded.adapter), 0);
    loaded_close(&loaded);
}

static void table_refusals(void **state)
{
    static const struct {
        const char *file, *text;
    } cases[] = {
        {"no_symbol", "symbol: expected the function sluice_adapter_v1, found none"},
        {"major_symbol", "symbol: expected sluice_adapter_v1, found sluice_adapter_v2"},
        {"null_table", "sluice_adapter_v1(): expected a table, found a null pointer"},
        {"size", "size: expected at least 88 bytes, found 64"},
        {"major", "major: expected 1, found 2"},
        {"needs", "needs: expected no bits but 0x1 (contract 1.1), found 0x8000000000000000"},
        {"no_calls", "advance: expected a function (the call is mandatory), found a null pointer"},
        {"name", "name: expected \"hostile\" as the config says, found \"friendly\""},
        {"no_version", "version: expected a text, found none"},
        {"manifest_null", "manifest: expected an object, found null"},
        {"manifest_broken", "manifest: line 1, column 11: "},
        {"manifest_no_kinds", "kinds: expected at least one kind, found an empty array"},
        {"manifest_keep", "kinds[0].keep[1]: expected a text that begins with /, found "
                          "\"status.ready\""},
        {"manifest_owned", "kinds[0].owned[0].keep: expected an array of strings, found nothing"},
        {"manifest_member", "manifest: wishes: unknown member"},
        {"manifest_rights", "rights[0].verbs: expected an array of strings, found nothing"},
        {"manifest_kind", "kinds[0].owns: unknown member; known are apiVersion, kind, keep, owned"},
        {"manifest_rule", "rights[0].resourceNames: unknown member; known are apiGroups, "
                          "resources, verbs"},
        {"manifest_schema", "options.properties.a.pattern: unknown keyword"},
        {"smoke", "manifest: smoke: expected [], found [{\"status\":"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].file, ERR_INVALID, cases[i].text);
}

/* A folder of its own with a copy of a sound adapter, removed after the test. */
struct place {
    char folder[64];
    char *file;
};

static char *hostile_file(const char *name)
{
    return str_format("%s/%s.so", HOSTILE_DIR, name);
}

static void copy_file(const char *from, const char *to)
{
    char buffer[8192];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    for (size_t got; (got = fread(buffer, 1, sizeof buffer, in)) > 0;)
        assert_int_equal(fwrite(buffer, 1, got, out), got);
    fclose(in);
    fclose(out);
    assert_int_equal(chmod(to, 0644), 0);
}

static int place_open(void **state)
{
    struct place *place = mem_alloc(sizeof *place);
    char *from AUTO_FREE = hostile_file("future");
    strcpy(place->folder, "/tmp/sluice-test-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->file = str_format("%s/hostile.so", place->folder);
    copy_file(from, place->file);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;
    unlink(place->file);
    rmdir(place->file);
    assert_int_equal(rmdir(place->folder), 0);
    free(place->file);
    free(place);
    return 0;
}

static void patch_header(const char *file, void (*patch)(ElfW(Ehdr) * header))
{
    ElfW(Ehdr) header;
    int fd = open(file, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &header, sizeof header, 0), sizeof header);
    patch(&header);
    assert_int_equal(pwrite(fd, &header, sizeof header, 0), sizeof header);
    close(fd);
}

static void sound_file(void **state)
{
    struct place *place = *state;
    struct loaded loaded = loaded_open("hostile", place->file, NULL);
    if (adapter_refusal(loaded.adapter))
        fail_msg("%s", adapter_refusal(loaded.adapter)->text);
    assert_string_equal(adapter_version(loaded.adapter), "9.0.0");
    assert_string_equal(adapter_file(loaded.adapter), place->file);
    loaded_close(&loaded);
}

static void relative_path(void **state)
{
    struct adapter_entry entry = {.name = "hostile", .file = "hostile.so"};
    struct adapters *set = adapters_load("/nowhere", &entry, 1);
    assert_contains(adapter_refusal(adapters_nth(set, 0))->text,
                    "file: expected an absolute path, found \"hostile.so\"");
    adapters_free(set);
}

static void missing_file(void **state)
{
    struct place *place = *state;
    unlink(place->file);
    assert_refused(place->file, ERR_MISSING, "found nothing there");
}

static void missing_in_directory(void **state)
{
    struct adapter_entry entry = {.name = "hostile"};
    struct adapters *set = adapters_load("/nowhere", &entry, 1);
    assert_contains(adapter_refusal(adapters_nth(set, 0))->text,
                    "file: expected /nowhere/hostile.so, found nothing there");
    adapters_free(set);
}

static void directory(void **state)
{
    struct place *place = *state;
    unlink(place->file);
    assert_int_equal(mkdir(place->file, 0755), 0);
    assert_refused(place->file, ERR_INVALID, "to be a regular file, found a directory");
}

static void named_pipe(void **state)
{
    struct place *place = *state;
    unlink(place->file);
    assert_int_equal(mkfifo(place->file, 0644), 0);
    assert_refused(place->file, ERR_INVALID, "to be a regular file, found something else");
}

static void writable_by_others(void **state)
{
    struct place *place = *state;
    assert_int_equal(chmod(place->file, 0646), 0);
    assert_refused(place->file, ERR_DENIED, "to be writable by its owner only, found 0646");
    assert_int_equal(chmod(place->file, 0664), 0);
    assert_refused(place->file, ERR_DENIED, "to be writable by its owner only, found 0664");
}

static void other_owner(void **state)
{
    struct place *place = *state;
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    assert_int_equal(chown(place->file, 12345, 0), 0);
    assert_refused(place->file, ERR_DENIED, "to belong to root or to user 0, found user 12345");
}

static void through_link(void **state)
{
    struct place *place = *state;
    char *elsewhere AUTO_FREE = str_format("%s/real", place->folder);
    assert_int_equal(rename(place->file, elsewhere), 0);
    assert_int_equal(symlink("real", place->file), 0);
    sound_file(state);
    assert_int_equal(chmod(elsewhere, 0666), 0);
    assert_refused(place->file, ERR_DENIED, "found 0666");
    unlink(elsewhere);
}

static void not_elf(void **state)
{
    struct place *place = *state;
    FILE *out = fopen(place->file, "w");
    for (int i = 0; i < 100; i++)
        fputs("#!/bin/sh\n", out);
    fclose(out);
    assert_refused(place->file, ERR_INVALID, "format: expected an ELF shared object");
    assert_int_equal(truncate(place->file, 3), 0);
    assert_refused(place->file, ERR_INVALID, "found a file too short to be one");
    assert_int_equal(truncate(place->file, 0), 0);
    assert_refused(place->file, ERR_INVALID, "found an empty file");
}

static void set_class(ElfW(Ehdr) * header)
{
    header->e_ident[EI_CLASS] = header->e_ident[EI_CLASS] == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
}

static void set_machine(ElfW(Ehdr) * header)
{
    header->e_machine = EM_S390;
}

static void set_type(ElfW(Ehdr) * header)
{
    header->e_type = ET_REL;
}

static void other_class(void **state)
{
    struct place *place = *state;
    patch_header(place->file, set_class);
    assert_refused(place->file, ERR_INVALID, "class: expected ELF class");
}

static void other_machine(void **state)
{
    struct place *place = *state;
    patch_header(place->file, set_machine);
    assert_refused(place->file, ERR_INVALID, "found S/390 (22)");
}

static void other_type(void **state)
{
    struct place *place = *state;
    patch_header(place->file, set_type);
    assert_refused(place->file, ERR_INVALID,
                   "type: expected a shared object (ELF type 3), found "
                   "type 1");
}

static void truncated(void **state)
{
    struct place *place = *state;
    assert_int_equal(truncate(place->file, 8000), 0);
    assert_refused(place->file, ERR_INVALID, "found 8000: the file is cut short");
    assert_int_equal(truncate(place->file, 200), 0);
    assert_refused(place->file, ERR_INVALID, "found 200: the file is cut short");
}

static void pinned(void **state)
{
    struct place *place = *state;
    char digest[HASH_HEX_SIZE];
    char *bytes = mem_alloc(1 << 20);
    FILE *in = fopen(place->file, "rb");
    hash_sha256(bytes, fread(bytes, 1, 1 << 20, in), digest);
    fclose(in);
    free(bytes);
    struct adapter_entry entry = {.name = "hostile", .file = place->file, .sha256 = digest};
    struct adapters *set = adapters_load("/nowhere", &entry, 1);
    assert_null(adapter_refusal(adapters_nth(set, 0)));
    adapters_free(set);
    digest[0] = digest[0] == '0' ? '1' : '0';
    set = adapters_load("/nowhere", &entry, 1);
    assert_contains(adapter_refusal(adapters_nth(set, 0))->text, "sha256: expected ");
    assert_int_equal(adapter_refusal(adapters_nth(set, 0))->code, ERR_DENIED);
    adapters_free(set);
}

static void assert_options(const char *options, const char *text)
{
    struct loaded loaded = loaded_open("hostile", "options", options);
    const struct error *refusal = adapter_refusal(loaded.adapter);
    if (text)
        assert_contains(refusal ? refusal->text : "", text);
    else
        assert_null(refusal);
    loaded_close(&loaded);
}

static void options(void **state)
{
    assert_options("{\"pods\":3}", NULL);
    assert_options("{\"pods\":9,\"mode\":\"slow\",\"tags\":[\"a\"]}", NULL);
    assert_options(NULL, "options.pods: expected a value, found nothing");
    assert_options("{\"pods\":\"3\"}", "options.pods: expected integer, found string \"3\"");
    assert_options("{\"pods\":0}", "options.pods: expected at least 1, found 0");
    assert_options("{\"pods\":10}", "options.pods: expected at most 9, found 10");
    assert_options("{\"pods\":3,\"mode\":\"warp\"}",
                   "options.mode: expected one of [\"slow\",\"fast\"], found \"warp\"");
    assert_options("{\"pods\":3,\"tags\":[\"a\",1]}",
                   "options.tags[1]: expected string, found integer 1");
    assert_options("{\"pods\":3,\"pod\":3}", "options.pod: unknown option");
    struct loaded loaded = loaded_open("hostile", "future", "{\"pods\":3}");
    assert_contains(adapter_refusal(loaded.adapter)->text, "options: expected none");
    loaded_close(&loaded);
}

static void assert_described(const char *options, const char *text)
{
    struct loaded loaded = loaded_open("hostile", "describes", options);
    const struct error *refusal = adapter_refusal(loaded.adapter);
    assert_contains(refusal ? refusal->text : "in use", text);
    loaded_close(&loaded);
}

/* What an adapter is with these options, it says itself; then it must be complete. */
static void described(void **state)
{
    assert_described("{\"manifest\":7}", "options.manifest: expected string, found integer 7");
    assert_described("{\"fails\":\"no\"}", "options.fails: no");
    assert_described("{}", "describe: expected exactly one MANIFEST, found 0 emissions");
    assert_described("{\"manifest\":\"[]\"}", "MANIFEST: expected an object, found array");
    assert_described("{\"manifest\":\"{}\"}",
                     "describe: manifest: kinds: expected at least one kind");
    assert_described("{\"manifest\":\"{\\\"kinds\\\":[{\\\"apiVersion\\\":\\\"a/v1\\\","
                     "\\\"kind\\\":\\\"A\\\",\\\"keep\\\":[]}]}\"}",
                     "describe: manifest: rights: expected an array of rules, found nothing");
    assert_described("{\"manifest\":\"{\\\"options\\\":{}}\"}",
                     "describe: manifest: options: expected in the table only");
}

#define MANIFEST_OF(kind)                                                                          \
    "{\"manifest\":\"{\\\"kinds\\\":[{\\\"apiVersion\\\":\\\"a/v1\\\",\\\"kind\\\":\\\"" kind      \
    "\\\",\\\"keep\\\":[\\\"/spec\\\"]}],\\\"rights\\\":[]}\"}"

/* One shared object, enabled twice under names of their own, for two kinds. */
static void instances(void **state)
{
    char *file AUTO_FREE = hostile_file("describes");
    json_t *first AUTO_JSON = json(MANIFEST_OF("A")), *second AUTO_JSON = json(MANIFEST_OF("B"));
    const struct adapter_entry entries[] = {
        {.name = "as", .adapter = "hostile", .file = file, .options = first},
        {.name = "bs", .adapter = "hostile", .file = file, .options = second},
        {.name = "again", .adapter = "hostile", .file = file, .options = first},
        {.name = "nameless", .file = file, .options = first},
    };
    struct adapters *set = adapters_load("/nowhere", entries, 4);
    const struct adapter *found;
    struct error err = {0};
    assert_int_equal(adapters_find(set, "a/v1", "B", &found, &err), OK);
    assert_string_equal(adapter_name(found), "bs");
    assert_string_equal(adapter_kind(found, 0)->keep[0], "/spec");
    assert_int_equal(adapters_find(set, "a/v1", "A", &found, &err), OK);
    assert_string_equal(adapter_name(found), "as");
    assert_contains(adapter_refusal(adapters_nth(set, 2))->text, "found a/v1 A, which as handles");
    assert_contains(adapter_refusal(adapters_nth(set, 3))->text,
                    "name: expected \"nameless\" as the config says, found \"hostile\"");
    adapters_free(set);
}

/* The object's name is also its file's in the directory. */
static void instance_in_directory(void **state)
{
    const struct adapter_entry entry = {.name = "as", .adapter = "describes"};
    struct adapters *set = adapters_load(HOSTILE_DIR, &entry, 1);
    assert_contains(adapter_refusal(adapters_nth(set, 0))->text, "name: expected \"describes\"");
    adapters_free(set);
}

static void neighbours(void **state)
{
    char *first AUTO_FREE = hostile_file("future"), *second AUTO_FREE = hostile_file("other_kind");
    const struct adapter_entry entries[] = {
        {.name = "hostile", .file = first},
        {.name = "neighbour", .file = second},
        {.name = "hostile", .file = first},
    };
    struct adapters *set = adapters_load("/nowhere", entries, 3);
    assert_int_equal(adapters_count(set), 3);
    assert_null(adapter_refusal(adapters_nth(set, 0)));
    assert_contains(adapter_refusal(adapters_nth(set, 1))->text,
                    "kinds[1]: expected a kind that no other adapter handles, found x.io/v1 X, "
                    "which hostile handles");
    assert_contains(adapter_refusal(adapters_nth(set, 2))->text,
                    "found \"hostile\" twice in the config");
    adapters_free(set);
}

static void finding(void **state)
{
    char *file AUTO_FREE = hostile_file("future");
    const struct adapter_entry entries[] = {
        {.name = "hostile", .file = file},
        {.name = "broken", .file = "/nowhere/broken.so"},
    };
    struct adapters *set = adapters_load("/nowhere", entries, 2);
    const struct adapter *found = NULL;
    struct error err = {0};
    assert_int_equal(adapters_find(set, "x.io/v1", "X", &found, &err), OK);
    assert_string_equal(adapter_name(found), "hostile");
    assert_int_equal(adapters_find(set, "x.io/v2", "X", &found, &err), ERR_MISSING);
    assert_string_equal(err.text,
                        "no adapter handles x.io/v2 X; kinds handled: x.io/v1 X; adapter broken is "
                        "refused: file: expected /nowhere/broken.so, found nothing there");
    adapters_free(set);
    set = adapters_load("/nowhere", NULL, 0);
    assert_int_equal(adapters_find(set, "x.io/v1", "X", &found, &err), ERR_MISSING);
    assert_contains(err.text, "kinds handled: none");
    adapters_free(set);
}

/* The descriptor of one file must not make the next one look like it. */
static void reloading(void **state)
{
    for (int i = 0; i < 3; i++) {
        struct loaded first = loaded_open("hostile", "future", NULL);
        struct loaded second = loaded_open("puppet", "puppet", NULL);
        assert_null(adapter_refusal(first.adapter));
        assert_null(adapter_refusal(second.adapter));
        assert_string_equal(adapter_version(first.adapter), "9.0.0");
        assert_string_equal(adapter_version(second.adapter), "1.0.0");
        loaded_close(&first);
        loaded_close(&second);
        assert_refused("no_symbol", ERR_INVALID, "symbol: ");
    }
}

static void refused_calls(void **state)
{
    struct loaded loaded = loaded_open("hostile", "major", NULL);
    const struct adapter_request request = {.goal = 1};
    struct workload_status status = {.size = 42};
    struct actions actions;
    struct error err = {0};
    assert_int_equal(adapter_observe(loaded.adapter, &request, &status, &err), ERR_INVALID);
    assert_string_equal(err.text,
                        "adapter hostile, observe: it is refused: major: expected 1, found 2");
    assert_int_equal(status.size, 42);
    assert_int_equal(adapter_validate(loaded.adapter, &request, &err), ERR_INVALID);
    assert_int_equal(adapter_begin(loaded.adapter, &request, &actions, &err), ERR_INVALID);
    assert_int_equal(adapter_finish(loaded.adapter, &request, &actions, &err), ERR_INVALID);
    loaded_close(&loaded);
}

#define in_place_test(test) cmocka_unit_test_setup_teardown(test, place_open, place_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_refusals),
        in_place_test(sound_file),
        cmocka_unit_test(relative_path),
        in_place_test(missing_file),
        cmocka_unit_test(missing_in_directory),
        in_place_test(directory),
        in_place_test(named_pipe),
        in_place_test(writable_by_others),
        in_place_test(other_owner),
        in_place_test(through_link),
        in_place_test(not_elf),
        in_place_test(other_class),
        in_place_test(other_machine),
        in_place_test(other_type),
        in_place_test(truncated),
        in_place_test(pinned),
        cmocka_unit_test(options),
        cmocka_unit_test(described),
        cmocka_unit_test(instances),
        cmocka_unit_test(instance_in_directory),
        cmocka_unit_test(neighbours),
        cmocka_unit_test(finding),
        cmocka_unit_test(reloading),
        cmocka_unit_test(refused_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
