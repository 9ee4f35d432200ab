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
