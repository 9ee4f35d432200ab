# SPDX-License-Identifier: Apache-2.0
"""What sluice-adapter-check says to authors: of adapters with odd habits, good ones and bad ones."""

import json
import subprocess

import pytest
from stranger import BUILD, ROOT

CHECK = BUILD / "sdk" / "check" / "sluice-adapter-check"
RULE = '{"apiGroups": [%s], "resources": ["xs"], "verbs": ["list", "watch", "patch"]}'

# An adapter of which a test changes one thing; %(…)s are the places.
SOURCE = r"""
#include <sluice/json.h>
#define MARK "/metadata/annotations/rollout.sluice.dev~1holder"
static int32_t observe_x(const struct sluice_request *r)
{
    json_t *w = sluice_at(r->json, "/workload");
    return sluice_emit_take(r, SLUICE_STATUS, json_pack("{s:I, s:I, s:I, s:I, s:b}",
        "size", (json_int_t)sluice_int(w, "/spec/size", 0), "updated", (json_int_t)0,
        "updatedReady", (json_int_t)%(ready)s, "ready", (json_int_t)0, "%(settled)s", 1));
}
static int32_t act_x(const struct sluice_request *r)
{
    json_t *w = sluice_at(r->json, "/workload");
    json_t *after = w ? json_deep_copy(w) : NULL;
    if (!json_is_object(w) || !sluice_at(r->json, "/goal") || sluice_bool(r->json, "/paused", false)) {
        json_decref(after);
        return SLUICE_OK;
    }
    sluice_put_take(after, "/spec/goal", json_incref(sluice_at(r->json, "/goal")));
    int32_t result = sluice_emit_changes(r, w, after, NULL);
    json_decref(after);
    return result;
}
static int32_t observe(const sluice_host *h, sluice_call *c, sluice_text t)
{ return sluice_with_request(h, c, t, observe_x); }
static int32_t act(const sluice_host *h, sluice_call *c, sluice_text t)
{ return sluice_with_request(h, c, t, act_x); }
static const char manifest[] = SLUICE_JSON({"kinds": %(kinds)s, "rights": [%(rights)s]});
%(export)s
"""
C_EXPORT = """SLUICE_ADAPTER(.name = "%s", .version = "1", .manifest = manifest, .observe = observe,
                             .begin = act, .advance = act, .finish = act)"""
CPP_EXPORT = """const sluice_adapter *sluice_adapter_v1(void)
{
    static const sluice_adapter table = {sizeof table, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, 0, 0, "odd",
        "1", manifest, nullptr, observe, act, act, act, nullptr};
    return &table;
}"""

# As the runtime of a language with threads does it: loading starts one, and calls wait for it.
RUNTIME_EXPORT = """
#include <pthread.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready;
static void *start(void *nothing)
{
    usleep(100000); /* it takes its time, but it is ready in the end */
    pthread_mutex_lock(&lock);
    ready = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return nothing;
}
__attribute__((constructor)) static void load(void)
{
    pthread_t thread;
    if (!pthread_create(&thread, NULL, start, NULL))
        pthread_detach(thread);
}
static int32_t late(const sluice_host *h, sluice_call *c, sluice_text t)
{
    pthread_mutex_lock(&lock);
    while (!ready)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return act(h, c, t);
}
SLUICE_ADAPTER(.name = "odd", .version = "1", .manifest = manifest, .observe = observe,
               .begin = act, .advance = late, .finish = act)"""
CRASHING_EXPORT = C_EXPORT % "odd" + """
__attribute__((constructor)) static void load(void) { __builtin_trap(); }"""


def kind(name="X", version="x.io/v1") -> str:
    return f'{{"apiVersion": "{version}", "kind": "{name}", "keep": ["/spec"]}}'


GOOD = {"ready": "0", "settled": "settled", "kinds": f"[{kind()}]", "rights": RULE % '"x.io"',
        "export": C_EXPORT % "odd"}


def build(folder, language="c", file="odd.so", **changes):
    source = folder / f"odd.{language}"
    source.write_text(SOURCE % {**GOOD, **changes})
    compiler, standard = ("cc", "gnu11") if language == "c" else ("c++", "c++17")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "jansson"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    subprocess.run([compiler, f"-std={standard}", "-Wall", "-Wextra", "-Werror", "-g", "-O1", "-fPIC",
                    "-shared", "-fvisibility=hidden", f"-I{ROOT}/sdk/include", "-o", folder / file,
                    source, *flags], check=True)
    return folder / file


def check(*arguments) -> tuple:
    done = subprocess.run([CHECK, *map(str, arguments)], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def case(folder, call="advance", workload=None, name="one.json", **members):
    """A folder with one case."""
    cases = folder / "cases"
    cases.mkdir(exist_ok=True)
    live = {"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"size": 3}}
    request = {"workload": workload or live, "goal": 2}
    (cases / name).write_text(json.dumps({"call": call, "request": request, **members}))
    return cases


ADDED = [{"patch": {"type": "json", "body": [{"op": "add", "path": "/spec/goal", "value": 2}]}}]


@pytest.mark.parametrize("changes", [
    {"kinds": f"[{kind()}, {kind('Y')}, {kind('Z', 'x.io/v2')}]"},
    {"kinds": f"[{kind('ReplicationController', 'v1')}]", "rights": RULE % '""'},
    {"rights": RULE % '"*"'},
    {"language": "cpp", "export": CPP_EXPORT},
    {"export": RUNTIME_EXPORT},
], ids=["several kinds", "the core group", "all groups", "C++", "threads"])
def test_odd_and_good(tmp_path, changes):
    live = None
    if "ReplicationController" in changes.get("kinds", ""):
        live = {"apiVersion": "v1", "kind": "ReplicationController", "metadata": {"name": "x"},
                "spec": {"size": 3}}
    status, printed = check(build(tmp_path, **changes), case(tmp_path, workload=live, emitted=ADDED))
    assert status == 0, printed


def test_a_huge_object(tmp_path):
    """Of a megabyte, and two hundred levels deep."""
    deep = "end"
    for _ in range(200):
        deep = {"in": deep}
    huge = {"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "x"},
            "spec": {"deep": deep, "many": ["x" * 100] * 10000}}
    status, printed = check(build(tmp_path), case(tmp_path, workload=huge, emitted=ADDED))
    assert status == 0, printed


@pytest.mark.parametrize("changes, says", [
    ({"settled": "setled"}, "STATUS.setled: unknown member; known are size, updated"),
    ({"ready": "7"}, "STATUS.updatedReady: expected at most updated, which is 0, found 7"),
], ids=["a misspelt member", "counts that contradict"])
def test_what_the_controller_would_refuse(tmp_path, changes, says):
    """Before it does: the author's own case says that all this is right."""
    emitted = [{"status": {"size": 3, "updated": 0, "ready": 0,
                           "updatedReady": int(changes.get("ready", "0")),
                           changes.get("settled", "settled"): True}}]
    status, printed = check(build(tmp_path, **changes), case(tmp_path, "observe", emitted=emitted))
    assert status == 1 and "ok    one.json" in printed and says in printed, printed


@pytest.mark.parametrize("members, says", [
    ({"emitted": [{"patch": {"type": "json", "body": [
        {"op": "add", "path": "/spec/goal", "value": 3}]}}]},
     "one.json: emitted/0/patch/body/0/value: expected 3, found 2"),
    ({"emited": []}, "case.emited: unknown member; known are call, request, emitted"),
    ({}, 'emitted: expected an array, or "result" instead'),
    ({"result": "stale"}, "expected the result stale, found ok"),
    ({"call": "advanced", "emitted": []}, "call: expected validate, observe, begin"),
])
def test_a_case_that_fails(tmp_path, members, says):
    status, printed = check(build(tmp_path), case(tmp_path, **members))
    assert status == 1 and says in printed, printed


def test_notes(tmp_path):
    """Of what will be found out later otherwise."""
    file = build(tmp_path, file="libodd.so", rights=RULE % '"y.io"')
    status, printed = check(file, case(tmp_path, emitted=ADDED))
    assert status == 0
    assert "note: the config looks for odd.so; for libodd.so it needs `file:`" in printed
    assert 'note: rights: expected a rule with "list" for apiGroups "x.io", found none' in printed
    assert "note: no case asks begin" in printed and "no case asks advance" not in printed


def test_a_right_that_is_missing(tmp_path):
    """Of what it handles, an adapter has to change something."""
    rule = RULE.replace(', "patch"', "") % '"x.io"'
    status, printed = check(build(tmp_path, rights=rule), case(tmp_path, emitted=ADDED))
    assert status == 0, printed
    assert 'note: rights: expected a rule with "patch" for apiGroups "x.io", found none: the ' \
        "controller couldn't change any X" in printed


@pytest.mark.parametrize("name, says", [
    ("Odd", "name: expected lower-case letters, digits and '-', found \"Odd\""),
    ("", "name: expected lower-case letters"),
])
def test_a_name_that_no_config_can_say(tmp_path, name, says):
    status, printed = check(build(tmp_path, export=C_EXPORT % name))
    assert status == 1 and f"refused: {says}" in printed


def test_a_crash_while_loading(tmp_path):
    status, printed = check(build(tmp_path, export=CRASHING_EXPORT))
    assert status == 1 and "refused: it crashed" in printed


@pytest.mark.parametrize("arguments, status, says", [
    ([], 2, "expected a file and at most one folder, found 0 arguments"),
    (["--nme", "x"], 2, "unrecognized option '--nme'"),
    (["/nowhere.so"], 1, "file: expected /nowhere.so, found nothing there"),
    (["/etc/passwd"], 1, "format: expected an ELF shared object"),
])
def test_usage(arguments, status, says):
    found, printed = check(*arguments)
    assert found == status and says in printed
