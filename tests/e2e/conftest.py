# SPDX-License-Identifier: Apache-2.0
"""One real cluster for all proofs, and a stage of its own for each.

    SLUICE_BUILD         the build under test (../../build)
    SLUICE_E2E_CLUSTER   a cluster that is up already, to be used and left up
"""

import itertools
import os
import signal
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests" / "cluster")]

from cluster.cluster import Cluster, wait_for  # noqa: E402
from harness.stage import Stage  # noqa: E402

_numbers = itertools.count(1)


def pytest_configure(config):
    """Told to end, end in good order: clusters and controllers must not stay behind."""
    def on_term(*_):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough, and a second one too much
        pytest.exit("told to end", 143)

    signal.signal(signal.SIGTERM, on_term)


def install(cluster) -> Path:
    """Sluice's resource definitions and rights, and the definitions of the tests. Returns the
    kubeconfig of the controller's service account."""
    cluster.kubectl("apply", "-f", str(ROOT / "deploy" / "crds"))
    account = install_account(cluster)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f",
                    str(ROOT / "deploy" / "crds"))
    cluster.kubectl("apply", "-f", str(HERE / "definitions"))
    return account


def install_account(cluster) -> Path:
    cluster.kubectl("apply", "-f", str(ROOT / "deploy" / "rbac"))
    cluster.kubectl("apply", "-f", "-", stdin="apiVersion: v1\nkind: Namespace\nmetadata:\n"
                                              "  name: vela-system\n")
    path = "/api/v1/namespaces/sluice-system/serviceaccounts/sluice/token"
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
               "spec": {"expirationSeconds": 86400}}
    token = cluster.api.create(path, request)["status"]["token"]
    wait_for("the controller's role is put together", lambda: cluster.api.get(
        "/apis/rbac.authorization.k8s.io/v1/clusterroles/sluice").get("rules"), 30)
    return cluster.credentials.kubeconfig("sluice", {"token": token})


def open_stage(cluster, account, folder) -> Stage:
    return Stage(cluster, f"test-{os.getpid()}-{next(_numbers)}", account, folder)


@pytest.fixture(scope="session")
def cluster():
    """With a real node, and a fake one on which pods are ready at once."""
    name = os.environ.get("SLUICE_E2E_CLUSTER")
    made = Cluster(name) if name else Cluster.up(f"e2e-{os.getpid()}", kwok=1)
    yield made
    if not name:
        made.down()


@pytest.fixture(scope="session")
def account(cluster):
    return install(cluster)


@pytest.fixture
def stage(cluster, account, tmp_path):
    made = open_stage(cluster, account, tmp_path)
    yield made
    made.close()
