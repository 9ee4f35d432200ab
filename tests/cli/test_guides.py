# SPDX-License-Identifier: Apache-2.0
"""The guides in docs, followed to the letter on a sandbox."""

import re
import shutil
import sys

import pytest
import yaml
from conftest import BUILD, ROOT
from guide import Shell, alike, pattern, steps_of

sys.path.insert(0, str(ROOT / "tests" / "cluster"))

from cluster.tools import path as tool_path  # noqa: E402

DOCS = ROOT / "docs"
START = DOCS / "getting-started.md"
ALONE = ("from-kubevela.md", "from-argo-rollouts.md", "from-kruise-rollouts.md", "from-flagger.md")
ON_A_CLUSTER = ("roll-a-deployment.md", "roll-a-cloneset.md", "hold-and-approve.md",
                "when-it-is-stuck.md")

needs_kubectl = pytest.mark.skipif(not tool_path("kubectl").exists(),
                                   reason="kubectl isn't built: tests/cluster/build kubectl")
needs_cue = pytest.mark.skipif(not (BUILD / "plugins" / "cue" / "sluice-cue").exists(),
                               reason="this build has no renderer")


@pytest.fixture
def folder(tmp_path):
    """A reader's checkout, whose build isn't installed: so the config is told where things are."""
    for name in ("deploy", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    adapters = tmp_path / "adapters"
    adapters.mkdir()
    for module in (BUILD / "plugins").glob("*/*.so"):
        shutil.copy(module, adapters)
    return tmp_path


@pytest.fixture
def shell(folder):
    made = Shell(folder, [BUILD / "core", BUILD / "sdk" / "sandbox", tool_path("kubectl").parent])
    yield made
    made.close()


def as_built(text: str, folder) -> str:
    config = yaml.safe_load(text)
    config["adapters"]["directory"] = str(folder / "adapters")
    config["renderer"] = {"program": str(BUILD / "plugins" / "cue" / "sluice-cue")}
    config["serve"] = {"listen": ""}
    return yaml.safe_dump(config)


def follow(shell, page: str) -> None:
    steps = steps_of(page)
    assert any(step.command for step in steps)
    for step in steps:
        if step.file == "sluice.yaml":
            step.text = as_built(step.text, shell.folder)
        shell.follow(step)


def cluster_part() -> str:
    """How a reader comes to a cluster with Sluice, out of the first guide."""
    return START.read_text().partition("\n## Roll something\n")[0]


@needs_kubectl
@needs_cue
def test_getting_started(shell):
    follow(shell, START.read_text())


@needs_kubectl
@needs_cue
@pytest.mark.parametrize("name", ON_A_CLUSTER)
def test_on_a_cluster(shell, name):
    follow(shell, cluster_part())
    follow(shell, (DOCS / name).read_text())


@pytest.mark.parametrize("name", ALONE)
def test_without_a_cluster(shell, name):
    follow(shell, (DOCS / name).read_text())


def test_every_guide_is_followed():
    guides = {page.name for page in DOCS.glob("*.md") if "```console\n" in page.read_text()}
    assert guides == {START.name, *ALONE, *ON_A_CLUSTER}


# ── the reader of guides itself ──

def test_what_is_shown_is_compared():
    shown = pattern(["NAME  FOR", "…", "web   5s  at 0123456789abcdef …"])
    assert shown.fullmatch(alike("NAME FOR\nx\ny\nweb 17m at fedcba9876543210 and so on\n") + "\n")
    assert not shown.fullmatch(alike("NAME FOR\napi 17m at fedcba9876543210 and so on\n") + "\n")


def test_steps():
    page = "```yaml\n# a.yaml\nx: 1\n```\ntext\n```console\n$ one\n$ two\nout\n```\n```\nno\n```\n"
    assert [(step.line, step.file, step.command, step.shown) for step in steps_of(page)] == [
        (2, "a.yaml", "", None), (7, "", "one", None), (8, "", "two", ["out"])]


# ── links ──

def anchors(page: str) -> set:
    heads = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", page, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", sorted([ROOT / "README.md", *DOCS.glob("*.md")]),
                         ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", page.read_text(),
                                                        flags=re.S)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        assert to.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(to.read_text()), f"{page.name}: {target}"
