# SPDX-License-Identifier: Apache-2.0
"""One cluster for all proofs, and a stage of its own for each.

    SLUICE_BUILD         the build under test (../../build)
    SLUICE_E2E_CLUSTER   a cluster that is up already, to be used and left up; or `sandbox`: one in
                         memory
"""

import fcntl
import itertools
import os
import signal
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "cluster")]

from cluster.cluster import Cluster, wait_for  # noqa: E402
from cluster.in_memory import SandboxCluster  # noqa: E402
from harness import followed  # noqa: E402
from harness.controller import BUILD  # noqa: E402
from harness.receiver import Receiver  # noqa: E402
from harness.stage import ROLE, Stage  # noqa: E402

SANDBOX = BUILD / "sdk" / "sandbox" / "sluice-sandbox"

_numbers = itertools.count(1)


def pytest_configure(config):
    """Told to end, end in good order: clusters and controllers must not stay behind. A worker is told
    by the one that has started it, and may not run in the main thread, where signals are handled."""
    config.addinivalue_line("markers", "real(why): needs a real cluster, a sandbox won't do")
    if hasattr(config, "workerinput"):
        return

    def on_term(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough, and a second one too much
        pytest.exit("told to end", 143)

    signal.signal(signal.SIGTERM, on_term)


def pytest_collection_modifyitems(items):
    if os.environ.get("SLUICE_E2E_CLUSTER") != "sandbox":
        return
    for item in items:
        for mark in item.iter_markers("real"):
            item.add_marker(pytest.mark.skip(f"not on a sandbox: {mark.args[0]}"))


@contextmanager
def alone(cluster):
    """Other processes' tests may share the cluster: of two that create one thing, one fails."""
    with open(cluster.kubeconfig, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(cluster) -> Path:
    """Sluice's resource definitions and rights, and the definitions of the tests. Returns the
    kubeconfig of the controller's service account; a sandbox has none, and no rights either."""
    with alone(cluster):
        cluster.define(ROOT / "deploy" / "crds")
        cluster.make_namespace("vela-system")  # of definitions that are meant for all
        account = install_account(cluster) if cluster.is_real else cluster.kubeconfig
        cluster.apply_files(HERE / "definitions")
        return account


def install_account(cluster) -> Path:
    cluster.apply_files(ROOT / "deploy" / "rbac")
    path = "/api/v1/namespaces/sluice-system/serviceaccounts/sluice/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
               "spec": {"expirationSeconds": 86400}}
    token = cluster.api.create(path, request)["status"]["token"]
    wait_for("the controller's role is put together", lambda: cluster.api.get(ROLE).get("rules"), 30)
    return cluster.credentials.kubeconfig("sluice", {"token": token})


def open_stage(cluster, account, folder) -> Stage:
    return Stage(cluster, f"test-{os.getpid()}-{next(_numbers)}", account, folder)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """With a real node, and a fake one on which pods are ready at once."""
    name = os.environ.get("SLUICE_E2E_CLUSTER")
    if name == "sandbox":
        made = SandboxCluster(SANDBOX, tmp_path_factory.mktemp("sandbox"), "--ready-after", "0.2",
                              "--openkruise")
    else:
        made = Cluster(name) if name else Cluster.up(f"e2e-{os.getpid()}", kwok=1)
    yield made
    if not name or not made.is_real:
        made.down()


@pytest.fixture(scope="session")
def account(cluster):
    return install(cluster)


@pytest.fixture
def stage(cluster, account, tmp_path):
    made = open_stage(cluster, account, tmp_path)
    yield made
    made.close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def follow(monkeypatch, cluster, account, tmp_path):
    """Called with a kind: a workload for a Rollout to hold, on a stage whose history has that kind."""
    with ExitStack() as opened:
        def begin(kind, real=False):
            followed.watch(monkeypatch, kind)
            made = open_stage(cluster, account, tmp_path)
            opened.callback(made.close)
            return opened.enter_context(followed.followed(made, kind, real))

        yield begin
