# SPDX-License-Identifier: Apache-2.0
"""The flow of deploy/quickstart, on the sandbox, from the build directory."""

import os
import re
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT

sys.path.insert(0, str(ROOT / "deploy"))

import quickstart_flow  # noqa: E402

STEPS = ["First deployment: 10%, 40%, 50% of 5 pods", "v1 to v2, in place: 1, 2 and 2 pods",
         "Back to v1: name the other revision", "v1 to v2 again, held after the second batch",
         "Leave to go on: batchPartition taken away"]


def run(folder, *options) -> str:
    """What it shows. All that it makes is in the folder."""
    environment = {**os.environ, "TMPDIR": str(folder), "HOME": str(folder)}
    environment.pop("KUBECONFIG", None)
    done = subprocess.run(
        [sys.executable, ROOT / "deploy" / "quickstart_flow.py", "--build", BUILD,
         "--ready-after", "0.1", *options],
        env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def last_line(shown: str, step: str) -> str:
    """What a step ends with."""
    return shown.partition(f"\n{step}\n")[2].partition("\n\n")[0].splitlines()[-1].strip()


def test_the_flow_ends_at_the_second_version(tmp_path):
    shown = run(tmp_path)
    ends = [re.split(" {2,}", last_line(shown, step)) for step in STEPS]
    assert [end[1:3] for end in ends if len(end) > 1] == [["batch 3", "●●●●●"]] * 4
    assert [end[-1].rpartition(" › ")[2] for end in ends] == [
        "rolloutSucceed", "rolloutSucceed", "rolloutSucceed", "holds: batchPartition is 1",
        "rolloutSucceed"]
    assert shown.partition("\nLeave to go on")[2].split("\n\n")[1] == "rolloutSucceed"
    assert not list(tmp_path.iterdir()), "it cleans up"


def test_what_the_roll_before_has_left_behind_is_not_shown_again(monkeypatch, capsys):
    """Even when the first that is seen of a roll is that it has gone on."""
    left = {"RolloutLocating": "00:00:01", "BatchInitializing": "00:00:02", "BatchReady": "00:00:09"}
    status = {"observedGeneration": 2, "rollingState": "rollingInBatches", "currentBatch": 2,
              "batchRollingState": "batchInitializing", "rolloutTargetSize": 5,
              "upgradedReplicas": 4, "upgradedReadyReplicas": 4,
              "conditions": [{"type": what, "status": "True", "lastTransitionTime": when}
                             for what, when in left.items()]}
    monkeypatch.setattr(quickstart_flow, "watch_statuses", lambda *_: iter([(2, status)]))
    assert quickstart_flow.follow(None, 2, "00:00:05", lambda _: True) == status
    assert [re.split(" {2,}", line)[-1] for line in capsys.readouterr().out.splitlines()] == [
        "batchReady", "batchInitializing"]


def test_what_is_kept_answers_until_it_is_ended_as_it_says(tmp_path):
    shown = run(tmp_path, "--keep")
    export, look, _, end = [line.strip() for line in shown.splitlines()[-4:]]
    try:
        looked = subprocess.run(["bash", "-c", f"{export}; {look}"], cwd=ROOT, text=True,
                                capture_output=True, timeout=60)
        assert looked.returncode == 0, looked.stderr
        assert re.search(r"rolling-example +rolloutSucceed +●●●●●", looked.stdout), looked.stdout
    finally:
        subprocess.run(["bash", "-c", end.replace("(ends all of it)", "")], check=True, timeout=60)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("said, told", [
    ("go1.19.8", "Go 1.25.0 or newer is needed, found go1.19.8 in {}: put one from go.dev/dl into "),
    ("go1.25.0", None), ("go1.100.1", None),
    (None, "Go 1.25.0 or newer is needed, found none: put one from go.dev/dl into "),
])
def test_a_go_that_is_new_enough(tmp_path, said, told):
    if said:
        go = tmp_path / "go"
        go.write_text(f"#!/bin/sh\necho {said}\n")
        go.chmod(0o755)
    found = subprocess.run([ROOT / "deploy" / "go", tmp_path / "nothing"], text=True,
                           capture_output=True, check=False,
                           env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    if told:
        assert found.returncode == 1 and found.stderr.startswith(told.format(tmp_path))
    else:
        assert (found.returncode, found.stdout) == (0, f"{tmp_path}\n")


def test_packages_without_sudo_are_for_root_to_install(tmp_path):
    for name, says in (("id", "1000"), ("dpkg-query", "not-installed")):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    asked = subprocess.run([ROOT / "deploy" / "packages", "build", "sandbox"], text=True,
                           capture_output=True, check=False, env={"PATH": str(tmp_path)})
    assert asked.returncode == 1
    assert re.fullmatch(r"packages: there is no sudo; as root: \S+deploy/packages build sandbox\n",
                        asked.stderr), asked.stderr
