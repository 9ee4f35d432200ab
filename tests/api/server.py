# SPDX-License-Identifier: Apache-2.0
"""The two servers that answer the same requests: the sandbox, and a real API server."""

import http.client
import json
import os
import ssl
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cluster import Cluster
from cluster.in_memory import SandboxCluster
from cluster.tools import path as tool_path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))


needs_kubectl = pytest.mark.skipif(not tool_path("kubectl").exists(),
                                   reason="kubectl isn't built: tests/cluster/build kubectl")


class Server:
    """Where it is and how to speak with it: all from a kubeconfig that is JSON."""

    def __init__(self, kubeconfig: Path, is_real: bool):
        config = json.loads(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self.kubeconfig = kubeconfig
        self.is_real = is_real
        self._at = urlsplit(cluster["server"])
        self._headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
        self._tls = ssl.create_default_context(cafile=cluster["certificate-authority"]) \
            if "certificate-authority" in cluster else None

    def connect(self) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._at.netloc, timeout=20, context=self._tls)
        return http.client.HTTPConnection(self._at.netloc, timeout=20)

    def request(self, method: str, path: str, body, headers: dict):
        """Starts a request of its own connection; returns both, the answer unread."""
        connection = self.connect()
        connection.request(method, path, body, {**self._headers, **headers})
        return connection, connection.getresponse()

    def kubectl(self, *arguments, stdin=None, timeout=60) -> subprocess.CompletedProcess:
        return subprocess.run([tool_path("kubectl"), *arguments], env=self._environment(),
                              input=stdin, capture_output=True, text=True, timeout=timeout,
                              check=False)

    @contextmanager
    def kubectl_lines(self, *arguments):
        """The lines of one that goes on until it is ended, as they come."""
        with subprocess.Popen([tool_path("kubectl"), *arguments], env=self._environment(),
                              stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process.stdout
            finally:
                process.terminate()

    def _environment(self) -> dict:
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig),
                "HOME": str(self.kubeconfig.parent)}


@contextmanager
def sandbox_server(folder: Path, runs_pods: bool = False, openkruise: bool = False):
    options = ["--ready-after", "0"] if runs_pods else []
    options += ["--openkruise"] if openkruise else []
    sandbox = SandboxCluster(BUILD / "sdk" / "sandbox" / "sluice-sandbox", folder, *options)
    try:
        yield Server(sandbox.kubeconfig, is_real=False)
    finally:
        sandbox.down()


def _real_cluster(runs_pods: bool, openkruise: bool) -> Cluster:
    parts = "-pods" * runs_pods + "-kruise" * openkruise
    return Cluster.up(f"api{parts}-{os.getpid()}", kubelet=False, kruise=openkruise,
                      kwok=int(runs_pods))


@contextmanager
def real_server(folder: Path, runs_pods: bool = False, openkruise: bool = False):
    given = os.environ.get("SLUICE_API_CLUSTER")
    cluster = Cluster(given) if given else _real_cluster(runs_pods, openkruise)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig.read_text())
    try:
        yield Server(kubeconfig, is_real=True)
    finally:
        if not given:
            cluster.down()
