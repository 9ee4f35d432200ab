# SPDX-License-Identifier: Apache-2.0
"""One server for all cases, and a transcript for each.

    SLUICE_API_SERVER    sandbox (the default) or real
    SLUICE_API_CLUSTER   a real cluster that is up already, to be used and left up; with fake nodes
                         (--kwok) for the cases of workloads, and OpenKruise for those of CloneSets
    SLUICE_API_RECORD    when set, what the real server answers becomes what is expected
    SLUICE_BUILD         the build under test (../../build)
"""

import os
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "cluster")]

from server import real_server, sandbox_server  # noqa: E402
from transcript import Transcript  # noqa: E402

EXPECTED = HERE / "expected"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    which = os.environ.get("SLUICE_API_SERVER", "sandbox")
    with {"sandbox": sandbox_server, "real": real_server}[which](folder) as made:
        yield made


@pytest.fixture(scope="session")
def nodes_server(tmp_path_factory):
    """One whose pods run."""
    folder = tmp_path_factory.mktemp("nodes")
    which = os.environ.get("SLUICE_API_SERVER", "sandbox")
    with {"sandbox": sandbox_server, "real": real_server}[which](folder, runs_pods=True) as made:
        yield made


@pytest.fixture(scope="session")
def clones_server(tmp_path_factory):
    """One whose pods run, with OpenKruise."""
    folder = tmp_path_factory.mktemp("clones")
    which = os.environ.get("SLUICE_API_SERVER", "sandbox")
    start = {"sandbox": sandbox_server, "real": real_server}[which]
    with start(folder, runs_pods=True, openkruise=True) as made:
        yield made


def _file_name(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9.]+", "-", name).strip("-")


@pytest.fixture
def api(server, request):
    yield from _transcript(server, request)


@pytest.fixture
def nodes_api(nodes_server, request):
    yield from _transcript(nodes_server, request)


@pytest.fixture
def clones_api(clones_server, request):
    yield from _transcript(clones_server, request)


def _transcript(server, request):
    """A namespace of its own. What was answered is compared when the case is over."""
    name = f"{request.module.__name__.removeprefix('test_')}.{request.node.name}"
    transcript = Transcript(server, EXPECTED / f"{_file_name(name)}.json")
    yield transcript
    transcript.close()
    if os.environ.get("SLUICE_API_RECORD"):
        assert server.is_real, "only the real server knows what is right"
        transcript.record()
    else:
        transcript.compare()
