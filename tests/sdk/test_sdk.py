# SPDX-License-Identifier: Apache-2.0
"""The SDK as a stranger meets it: on a machine where there is a compiler, and nothing of ours."""

import re
import shutil
import subprocess

import pytest
from stranger import BUILD, ROOT

CHECK = BUILD / "sdk" / "check" / "sluice-adapter-check"


def example(stranger, name: str) -> str:
    """A copy of an installed example in the author's home, as the guide tells to make it."""
    stranger.run(f"rm -rf {name} && cp -r {stranger.prefix}/share/doc/sluice/examples/{name} {name}")
    return name


def test_only_the_sdk_is_installed(stranger):
    files = stranger.installed()
    assert [path for path in files if not path.startswith("share/doc/sluice/examples/")] == sorted([
        "bin/sluice-adapter-check",
        "include/sluice/abi.h", "include/sluice/adapter.h", "include/sluice/json.h",
        next(path for path in files if path.endswith("/pkgconfig/sluice-adapter.pc")),
        "share/doc/sluice/abi-policy.md", "share/doc/sluice/adapter-guide.md",
        "share/man/man1/sluice-adapter-check.1",
    ])
    kept = {path.name for path in (ROOT / "examples" / "out-of-tree").iterdir()}
    assert {path.split("/")[5] for path in files if "/out-of-tree/" in path} == kept


def test_nothing_of_sluice_is_within_reach(stranger):
    found = stranger.run("find / '(' -path /proc -o -type d ! -readable ')' -prune"
                         " -o -name '*sluice*' -print").split()
    assert [path for path in found if not path.startswith(stranger.prefix + "/")] == []
    assert stranger.run("ls /").split() == sorted(
        ["bin", "dev", "etc", "home", "lib", "lib64", "proc", "sbin", "tmp", "usr"])


def test_pkg_config(stranger):
    assert stranger.run("pkg-config --cflags sluice-adapter").split() == [
        f"-I{stranger.prefix}/include"]
    folder = stranger.run("pkg-config --variable=adapterdir sluice-adapter").strip()
    assert re.fullmatch(re.escape(stranger.prefix) + "/lib.*/sluice/adapters", folder)
    assert not stranger.run("pkg-config --libs sluice-adapter").strip()
    version = stranger.run("pkg-config --modversion sluice-adapter").strip()
    assert version in subprocess.run([BUILD / "core" / "sluice", "version"], text=True, check=True,
                                     stdout=subprocess.PIPE).stdout


def test_the_example_builds_passes_and_installs(stranger):
    folder = example(stranger, "out-of-tree")
    printed = stranger.run(f"make -C {folder} CFLAGS='-O2 -Wall -Wextra -Werror' check install")
    assert "widget 1.0.0, contract 1." in printed and ", 0 failed" in printed
    adapters = stranger.run("pkg-config --variable=adapterdir sluice-adapter").strip()
    assert stranger.file(f"{adapters}/widget.so").is_file()
    assert stranger.file(f"{adapters}/widget.so").stat().st_mode & 0o777 == 0o644


def test_a_broken_example_fails_to_pass(stranger):
    """What makes the test above worth something: one sign the wrong way round is found."""
    folder = example(stranger, "out-of-tree")
    stranger.run(f"sed -i 's/updated > goal/updated < goal/' {folder}/widget.c")
    printed = stranger.run(f"make -C {folder} check", status=2)
    assert "FAIL  05-advance.json" in printed


@pytest.mark.skipif(not shutil.which("rustc"), reason="there is no rustc")
def test_the_example_in_rust(tmp_path):
    """Needs no SDK but the checker: where rustc stands differs, so it is built outside."""
    folder = tmp_path / "gadget"
    shutil.copytree(ROOT / "examples" / "out-of-tree-rust", folder)
    done = subprocess.run(["make", "-C", folder, "RUSTFLAGS=-O -D warnings", f"CHECK={CHECK}",
                           "check"], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and ", 0 failed" in done.stdout, done.stdout
