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

from cluster import Cluster
from cluster.tools import path as tool_path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))


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
        environment = {**os.environ, "KUBECONFIG": str(self.kubeconfig),
                       "HOME": str(self.kubeconfig.parent)}
        return subprocess.run([tool_path("kubectl"), *arguments], env=environment, input=stdin,
                              capture_output=True, text=True, timeout=timeout, check=False)


@contextmanager
def sandbox_server(folder: Path, runs_pods: bool = False):
    kubeconfig = folder / "kubeconfig"
    program = BUILD / "sdk" / "sandbox" / "sluice-sandbox"
    pods = ["--ready-after", "0"] if runs_pods else []
    with subprocess.Popen([program, "--kubeconfig", kubeconfig, *pods], text=True,
                          stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline().startswith("http://"), "the sandbox hasn't started"
            yield Server(kubeconfig, is_real=False)
        finally:
            process.terminate()
    assert process.returncode == 0, f"the sandbox ended with {process.returncode}"


def _real_cluster(runs_pods: bool) -> Cluster:
    name = f"api{'-pods' if runs_pods else ''}-{os.getpid()}"
    return Cluster.up(name, kubelet=False, kruise=False, kwok=int(runs_pods))


@contextmanager
def real_server(folder: Path, runs_pods: bool = False):
    given = os.environ.get("SLUICE_API_CLUSTER")
    cluster = Cluster(given) if given else _real_cluster(runs_pods)
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig.read_text())
    try:
        yield Server(kubeconfig, is_real=True)
    finally:
        if not given:
            cluster.down()
