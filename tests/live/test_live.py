# SPDX-License-Identifier: Apache-2.0
"""core/cluster against a real API server: every way to identify oneself, and everything that
cluster_live does.

    SLUICE_BUILD          the build under test (../../build)
    SLUICE_LIVE_CLUSTER   a cluster that is up already, to be used and left up
"""

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
sys.path.insert(0, str(ROOT / "tests" / "cluster"))

from cluster import Cluster  # noqa: E402

ACCESS = BUILD / "tests" / "live" / "access_live"
LIVE = BUILD / "tests" / "live" / "cluster_live"
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
EXEC = "client.authentication.k8s.io/v1"


@pytest.fixture(scope="module")
def cluster():
    given = os.environ.get("SLUICE_LIVE_CLUSTER")
    if given:
        yield Cluster(given)
        return
    made = Cluster.up(f"live-{os.getpid()}", print, kubelet=False, kruise=False)
    yield made
    made.down()


@pytest.fixture
def auth(cluster):
    return cluster.dir / "auth"


def kubeconfig(folder, server, user, **more):
    """Writes one with these members of cluster and user."""
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "x",
              "clusters": [{"name": "c", "cluster": {"server": server, **more}}],
              "users": [{"name": "u", "user": user}],
              "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}]}
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    return path


def who(*arguments, **environment):
    done = subprocess.run([ACCESS, *arguments], env={"PATH": os.environ["PATH"], **environment},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=60)
    return done.stdout.strip()


def embedded(path):
    return base64.b64encode(path.read_bytes()).decode()


def ca_of(auth):
    return {"certificate-authority": str(auth / "ca.crt")}


def token_of(cluster):
    config = json.loads((cluster.dir / "kubeconfig").read_text())
    return config["users"][0]["user"]["token"]


def plugin(folder, status):
    """An exec plugin that says this; returns the user with it."""
    answer = {"apiVersion": EXEC, "kind": "ExecCredential", "status": status}
    (folder / "answer").write_text(json.dumps(answer))
    script = folder / "plugin"
    script.write_text('#!/bin/sh\ncat "$(dirname "$0")/answer"\n')
    script.chmod(0o755)
    return {"exec": {"apiVersion": EXEC, "command": "./plugin", "interactiveMode": "Never"}}


def test_token(cluster, auth, tmp_path):
    user = {"token": token_of(cluster)}
    path = kubeconfig(tmp_path, cluster.server, user, **ca_of(auth))
    assert who("--kubeconfig", path) == "admin"
    assert who(KUBECONFIG=f"{tmp_path}/none:{path}") == "admin"


def test_token_rejected(cluster, auth, tmp_path):
    path = kubeconfig(tmp_path, cluster.server, {"token": "wrong"}, **ca_of(auth))
    assert who("--kubeconfig", path) in (
        f"denied: POST {REVIEW}: Unauthorized",
        f"denied: POST {REVIEW}: the server answered 401 (the credentials are not accepted)")


def test_client_certificate(cluster, auth, tmp_path):
    user = {"client-certificate": str(auth / "admin.crt"), "client-key": str(auth / "admin.key")}
    path = kubeconfig(tmp_path, cluster.server, user, **ca_of(auth))
    assert who("--kubeconfig", path) == "admin"


def test_embedded_data(cluster, auth, tmp_path):
    user = {"client-certificate-data": embedded(auth / "admin.crt"),
            "client-key-data": embedded(auth / "admin.key")}
    path = kubeconfig(tmp_path, cluster.server, user,
                      **{"certificate-authority-data": embedded(auth / "ca.crt")})
    assert who("--kubeconfig", path) == "admin"


def test_impersonation(cluster, auth, tmp_path):
    user = {"token": token_of(cluster), "as": "jane", "as-groups": ["dev"]}
    path = kubeconfig(tmp_path, cluster.server, user, **ca_of(auth))
    assert who("--kubeconfig", path) == "jane"


def test_exec_plugin(cluster, auth, tmp_path):
    user = plugin(tmp_path, {"token": token_of(cluster)})
    path = kubeconfig(tmp_path, cluster.server, user, **ca_of(auth))
    assert who("--kubeconfig", path) == "admin"


def test_exec_plugin_with_certificate(cluster, auth, tmp_path):
    user = plugin(tmp_path, {"clientCertificateData": (auth / "admin.crt").read_text(),
                             "clientKeyData": (auth / "admin.key").read_text()})
    path = kubeconfig(tmp_path, cluster.server, user, **ca_of(auth))
    assert who("--kubeconfig", path) == "admin"


def test_tls_is_verified(cluster, auth, tmp_path):
    user = {"token": token_of(cluster)}
    path = kubeconfig(tmp_path, cluster.server, user)
    assert "certificate problem" in who("--kubeconfig", path)
    # The right authority, but another server's name.
    path = kubeconfig(tmp_path, cluster.server, user, **ca_of(auth),
                      **{"tls-server-name": "other.example"})
    assert "matches target host name 'other.example'" in who("--kubeconfig", path)


def test_tls_server_name(cluster, auth, tmp_path):
    path = kubeconfig(tmp_path, cluster.server, {"token": token_of(cluster)}, **ca_of(auth),
                      **{"tls-server-name": "kubernetes.default.svc"})
    assert who("--kubeconfig", path) == "admin"


def test_insecure(cluster, tmp_path):
    path = kubeconfig(tmp_path, cluster.server, {"token": token_of(cluster)},
                      **{"insecure-skip-tls-verify": True})
    assert who("--kubeconfig", path) == "admin"


def test_in_cluster_with_rotating_token(cluster, auth, tmp_path):
    """As in a Pod, whose kubelet replaces the token while we run."""
    account = Path(cluster.service_account("rotating"))
    user = json.loads(account.read_text())["users"][0]["user"]
    host, port = cluster.server.removeprefix("https://").split(":")
    (tmp_path / "ca.crt").write_bytes((auth / "ca.crt").read_bytes())
    (tmp_path / "namespace").write_text("default")
    (tmp_path / "token").write_text(token_of(cluster))
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port,
                   "HOME": str(tmp_path)}
    with subprocess.Popen([ACCESS, "--service-account", tmp_path], env=environment, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as asking:
        assert asking.stdout.readline().strip() == "admin"
        (tmp_path / "next").write_text(user["token"])
        (tmp_path / "next").rename(tmp_path / "token")
        asking.stdin.write("\n")
        asking.stdin.flush()
        assert asking.stdout.readline().strip() == "system:serviceaccount:default:rotating"
        asking.stdin.close()


def test_everything_else(cluster, tmp_path):
    """Reads, writes, watches, a restart in their middle, discovery, Events."""
    restart = f"{ROOT}/tests/cluster/restart --name {cluster.name} apiserver 2>&1"
    began = time.monotonic()
    done = subprocess.run([LIVE, "--kubeconfig", cluster.dir / "kubeconfig", "--restart", restart],
                          stdout=subprocess.PIPE, text=True, timeout=180)
    print(done.stdout, f"{time.monotonic() - began:.1f} s")
    assert done.returncode == 0, done.stdout
    assert all(line.startswith("ok") for line in done.stdout.splitlines())
