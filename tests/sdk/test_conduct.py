# SPDX-License-Identifier: Apache-2.0
"""Adapters that would endanger a workload, by one mistake each in the guide's own example: the checker
says which, even if the author's cases are as wrong as the adapter."""

import shutil
import subprocess

import pytest
from stranger import BUILD, ROOT

CHECK = BUILD / "sdk" / "check" / "sluice-adapter-check"
EXAMPLE = ROOT / "examples" / "out-of-tree"
PUT_HELD = 'sluice_put_take(object, HELD_BACK, json_integer(size));'
PUT_HELD_AFTER = "sluice_put_take(after, HELD_BACK, json_integer(held));"
SIZE = 'sluice_int(widget, "/spec/replicas", 0)'
HELD = f"at_least_zero({SIZE} - updated)"

# The rule, what it says, and the mistake: a line of widget.c and what stands there instead.
MISTAKES = {
    "begin scales": (
        "begin marks", "the workload's size: expected 4, as it was before, found 3",
        'sluice_put_take(object, "/spec/replicas", json_integer(size));', ""),
    "begin drops the mark": (
        "begin marks", "rollout.sluice.dev~1holder: expected shop/r 1, found nothing",
        PUT_HELD, PUT_HELD + ' sluice_remove(object, "/metadata/annotations");'),
    "begin doesn't hold": (
        "begin holds", "begin doesn't hold every pod: advance to goal 0 right after it",
        PUT_HELD, ""),
    "begin holds all but one": (
        "begin holds", "begin doesn't hold every pod: advance to goal 0 right after it",
        PUT_HELD, PUT_HELD.replace("(size)", "(size - 1)")),
    "the goal is ignored": (
        "advance goes by", "goal 1 and goal 4, expected to differ",
        "paused || updated > goal ? updated : goal, false",
        "paused ? updated : goal ? 4 : 0, false"),
    "a pause is ignored": (
        "advance stands still", 'advance ignores "paused": expected to start nothing new',
        "paused || updated > goal ? updated", "updated > goal ? updated"),
    "a count isn't kept": (
        "what keep", "observe reads /workload/status/fresh of the request, which the manifest's keep",
        '"/spec", "/status"]', '"/spec", "/status/seenGeneration"]'),
    "another group": (
        "what keep", "the manifest's kinds: expected example.com/v1 Widget, as the case's workload is, "
        "found example.org/v1 Widget",
        '"apiVersion": "example.com/v1"', '"apiVersion": "example.org/v1"'),
    "always settled": (
        "observe sees", "STATUS.settled: expected false with metadata.generation 1000000",
        '"settled", settled', '"settled", true'),
    "old pods count as ready": (
        "observe tells", "STATUS.updatedReady: expected ready pods of the new revision only",
        'sluice_int(status, "/freshReady", 0)',
        'sluice_int(status, sluice_int(status, "/ready", 0) < sluice_int(status, "/fresh", 0)'
        ' ? "/ready" : "/fresh", 0)'),
    "a share of nothing": (
        "a workload without pods", "it crashed: Floating point exception",
        HELD, f"{SIZE} * ({SIZE} - updated) / {SIZE}"),
    "less than nothing": (
        "a workload without pods", "with 0 at /workload/spec/replicas: advance: expected no number below 0",
        "return number > 0 ? number : 0", "return number"),
    "pods are taken back": (
        "advance never takes", "goal 1 with 2 updated already, expected the same as for goal 2",
        "paused || updated > goal ? updated", "paused ? updated"),
    "counts of before are believed": (
        "advance believes", "right after begin, with 4 updated pods of the revision before and goal 0",
        ''' || sluice_int(widget, "/status/seenGeneration", 0) <
                       sluice_int(widget, "/metadata/generation", 0))''', ")"),
    "the target's size counts": (
        "advance counts", "advance counts with the target's /spec/replicas: expected the live one",
        HELD, HELD.replace("widget", "request->json").replace("/spec", "/target/spec")),
    "the size isn't tested": (
        "advance counts", "advance doesn't test /spec/replicas, with which it counts",
        "widget, after, relies_on", "widget, after, NULL"),
    "advance scales": (
        "size, template", "advance: the workload's size: expected 4, as it was before, found 3",
        PUT_HELD_AFTER, PUT_HELD_AFTER + ' sluice_put_take(after, "/spec/replicas", json_incref('
        'sluice_at(request->json, "/target/spec/replicas")));'),
    "advance cooks": (
        "size, template", "advance: the workload's /spec/recipe: expected \"bread\"",
        PUT_HELD_AFTER, PUT_HELD_AFTER + ' sluice_put_take(after, "/spec/recipe", json_string("pie"));'),
    "advance drops the mark": (
        "size, template", "advance: the workload's /metadata/annotations/rollout.sluice.dev~1holder",
        "updated : goal, false", "updated : goal, true"),
    "half a target": (
        "an apply patch", "an apply patch without the target's /spec/recipe, which the server would",
        PUT_HELD, PUT_HELD + ' sluice_remove(object, "/spec/recipe");'),
    "of no version": (
        "an apply patch", "metadata.resourceVersion: expected 31, which the workload has, found nothing",
        'sluice_put_take(object, "/metadata/resourceVersion", json_string(version))', "(void)version"),
    "a note stays": (
        "finish leaves nothing", "/metadata/annotations/note: expected nothing, as its owner has it",
        PUT_HELD, PUT_HELD + ' sluice_put_take(object, "/metadata/annotations/note", json_string("x"));'),
    "the hold stays": (
        "finish leaves nothing", "the workload's /spec/heldBack: expected what the target has, which is "
        "nothing, found 4; it still holds pods",
        'sluice_int(widget, "/status/fresh", 0), true', "0, true"),
    "a failure lets go": (
        "finish lets no pod go", "finish after failed lets pods go: the workload's /spec/heldBack: "
        "expected 2, which holds those that are still old, found 0",
        'sluice_int(widget, "/status/fresh", 0), true', f"{SIZE}, true"),
    "the first goal is remembered": (
        "no call remembers", "with 05-advance.json: after the other cases were asked: emitted/0/patch",
        'int64_t goal = sluice_int(request->json, "/goal", 0);',
        'static int64_t goal; goal = goal ? goal : sluice_int(request->json, "/goal", 0);'),
    "a call prints": (
        "a call prints nothing", "advance: standard output: expected nothing, found 8 bytes",
        PUT_HELD_AFTER, PUT_HELD_AFTER + ' puts("holding");'),
    "a leak": (
        "a call releases", "advance keeps what it allocates: expected nothing to stay after a call",
        "    json_decref(after);\n    return result;\n}\n\n/* So many", "    return result;\n}\n\n/* So many"),
    "finish leaves the mark": (
        "finish gives back", "rollout.sluice.dev~1holder: expected nothing, found shop/r 1",
        'sluice_int(widget, "/status/fresh", 0), true', 'sluice_int(widget, "/status/fresh", 0), false'),
    "finish takes both marks": (
        "finish gives back", "rollout.sluice.dev~1applied: expected c0ffee, found nothing",
        'sluice_remove(after, "/metadata/annotations/rollout.sluice.dev~1holder")',
        'sluice_remove(after, "/metadata/annotations")'),
    "finish wants a target": (
        "finish gives back", "finish without a target: expected ok, found invalid: no target",
        "if (!widget || !*sluice_annotation(widget, HOLDER))",
        'if (!sluice_at(request->json, "/target"))'
        ' return sluice_fail(request, SLUICE_INVALID, "", "no target");'
        " if (!widget || !*sluice_annotation(widget, HOLDER))"),
}


def check_widget(folder, change=None):
    source = (EXAMPLE / "widget.c").read_text()
    if change:
        assert source.count(change[0]) == 1
        source = source.replace(*change)
    (folder / "widget.c").write_text(source)
    shutil.copytree(EXAMPLE / "cases", folder / "cases")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "jansson"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    subprocess.run(["cc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
                    f"-I{ROOT}/sdk/include", "-o", folder / "widget.so", folder / "widget.c", *flags],
                   check=True)
    done = subprocess.run([CHECK, folder / "widget.so", folder / "cases"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.partition("\ncontract\n")[2]


def test_the_example_is_sound(tmp_path):
    status, contract = check_widget(tmp_path)
    assert status == 0 and "FAIL" not in contract, contract


@pytest.mark.parametrize("rule, says, old, new", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake(tmp_path, rule, says, old, new):
    status, contract = check_widget(tmp_path, (old, new))
    failed = next((line for line in contract.splitlines() if line.startswith(f"  FAIL  {rule}")), "")
    assert status == 1 and says in failed, contract
