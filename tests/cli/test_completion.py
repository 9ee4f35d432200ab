# SPDX-License-Identifier: Apache-2.0
"""Completion, tried in the shells that are here; every verb and option is in each script."""

import re
import shutil
import subprocess

import pytest

SHELLS = ("bash", "zsh", "fish")


def complete(sluice, *words) -> list:
    """What bash would offer for the last of these words."""
    script = sluice("completion", "bash").out
    quoted = " ".join(f"'{word}'" for word in words)
    script += f'\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _sluice\n'
    script += 'printf "%s\\n" "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout.split()


def test_bash(sluice, tmp_path):
    (tmp_path / "plan.yaml").touch()
    assert complete(sluice, "sluice", "st") == ["status", "states"]
    assert "version" in complete(sluice, "sluice", "")
    assert complete(sluice, "sluice", "version", "-o", "") == ["json", "yaml"]
    assert complete(sluice, "sluice", "states", "--output", "m") == ["mermaid"]
    assert complete(sluice, "sluice", "states", "b") == ["batch"]
    assert complete(sluice, "sluice", "role", "--") == ["--config", "--help"]
    assert complete(sluice, "sluice", "help", "ver") == ["version"]
    assert complete(sluice, "sluice", "role", "--config", str(tmp_path) + "/") == [
        str(tmp_path / "plan.yaml")]


def test_bash_asks_the_cluster_for_names(sluice, tmp_path, monkeypatch):
    fake = tmp_path / "sluice"
    fake.write_text("#!/bin/sh\n[ \"$*\" = 'status -o name' ] || exit 9\n"
                    "echo approllouts.core.oam.dev/shop\necho approllouts.core.oam.dev/api\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert complete(sluice, "sluice", "explain", "") == ["shop", "api"]
    assert complete(sluice, "sluice", "approve", "s") == ["shop"]


@pytest.mark.parametrize("shell", SHELLS)
def test_everything_is_in_the_script(sluice, shell):
    script = sluice("completion", shell).out
    listed = sluice("help").out.partition("\n\n")[2].partition("\n\n")[2].partition("\n\n")[0]
    for verb in re.findall(r"^  ([a-z]+) ", listed, re.M):
        assert re.search(rf"\b{verb}\b", script)
        for option in re.findall(r"--([a-z-]+)", sluice("help", verb).out):
            assert re.search(rf"(--|-l ){option}\b", script) or option == "help"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_it(sluice, shell):
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} here")
    done = subprocess.run([shell, "-n"], input=sluice("completion", shell).out, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (done.returncode, done.stdout) == (0, "")


def test_bad_input(sluice):
    assert 'expected bash|zsh|fish, found "zh"; did you mean "zsh"?' in sluice("completion", "zh").err
    assert "expected bash|zsh|fish, found nothing" in sluice("completion").err
