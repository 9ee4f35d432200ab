# SPDX-License-Identifier: Apache-2.0
"""The parts of a cluster: how each is started, and how one sees that it works."""

import http.client
import os
from dataclasses import dataclass
from typing import Callable

from . import kruise, kwok, network, tools
from .api import ApiError
from .images import Registry
from .node import CONTAINERD
from .paths import HERE


@dataclass(frozen=True)
class Part:
    """A process of a cluster. `command` and `ready` are asked with the cluster at hand."""

    name: str
    command: Callable
    ready: Callable
    environment: Callable = lambda cluster: {}


def environment(cluster) -> dict:
    """What every part starts with. HOME and TMPDIR keep stray files inside the cluster."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(cluster.dir / "tmp"), "TMPDIR": str(cluster.dir / "tmp"),
            "LANG": "C.UTF-8"}


def _etcd(cluster):
    client = f"http://127.0.0.1:{cluster.ports['etcd']}"
    peer = f"http://127.0.0.1:{cluster.ports['etcd-peer']}"
    return [tools.path("etcd"), f"--data-dir={cluster.dir}/etcd", "--unsafe-no-fsync",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}", "--log-level=warn",
            "--quota-backend-bytes=8589934592"]


def _etcd_ready(cluster):
    return _http_ok(cluster.ports["etcd"], "/health")


def _apiserver(cluster):
    auth = cluster.credentials.folder
    return [tools.path("kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{cluster.ports['etcd']}",
            "--bind-address=127.0.0.1", f"--secure-port={cluster.ports['apiserver']}",
            "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=Node,RBAC", "--allow-privileged",
            f"--token-auth-file={auth}/tokens.csv", f"--client-ca-file={auth}/ca.crt",
            f"--tls-cert-file={auth}/apiserver.crt",
            f"--tls-private-key-file={auth}/apiserver.key",
            f"--kubelet-client-certificate={auth}/admin.crt",
            f"--kubelet-client-key={auth}/admin.key",
            "--kubelet-preferred-address-types=InternalIP",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={auth}/service-accounts.pub",
            f"--service-account-signing-key-file={auth}/service-accounts.key",
            f"--audit-log-path={cluster.audit_log}", "--audit-log-maxsize=4096",
            f"--audit-policy-file={cluster.dir}/etc/audit-policy.json"]


def _apiserver_ready(cluster):
    return cluster.api.request("GET", "/readyz") == "ok"


def _controller_manager(cluster):
    auth = cluster.credentials
    return [tools.path("kube-controller-manager"),
            f"--kubeconfig={auth.path('kube-controller-manager')}", "--leader-elect=false",
            "--secure-port=0", "--use-service-account-credentials",
            f"--service-account-private-key-file={auth.folder}/service-accounts.key",
            f"--root-ca-file={auth.ca}", "--kube-api-qps=500", "--kube-api-burst=1000",
            "--node-monitor-grace-period=300s", "--horizontal-pod-autoscaler-sync-period=1s"]


def _controller_manager_ready(cluster):
    return cluster.api.exists("/api/v1/namespaces/default/serviceaccounts/default")


def _scheduler(cluster):
    return [tools.path("kube-scheduler"), f"--config={cluster.dir}/etc/scheduler.json",
            "--secure-port=0"]


def _registry(cluster):
    return ["docker-registry", "serve", cluster.dir / "etc/registry.json"]


def _registry_ready(cluster):
    return Registry(cluster.ports["registry"]).answers()


def _containerd(cluster):
    return ["containerd", "--config", cluster.dir / "etc/containerd.toml"]


def _containerd_ready(cluster):
    return os.path.exists(f"/proc/{cluster.pid('init')}/root{CONTAINERD}")


def _kubelet(cluster):
    return [tools.path("kubelet"), f"--kubeconfig={cluster.credentials.path('kubelet')}",
            f"--config={cluster.dir}/etc/kubelet.json", f"--root-dir={cluster.dir}/kubelet",
            f"--cert-dir={cluster.dir}/kubelet/pki", f"--hostname-override={cluster.node}",
            f"--node-ip={network.gateway(cluster.number)}"]


def _kubelet_ready(cluster):
    """The node says Ready by itself when containerd and the network are there."""
    conditions = cluster.api.get(f"/api/v1/nodes/{cluster.node}")["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _kruise(cluster):
    return [tools.path("kruise-manager"), f"--kubeconfig={cluster.credentials.path('kruise')}",
            "--enable-leader-election=false", "--metrics-addr=0", "--enable-pprof=false",
            f"--health-probe-addr=127.0.0.1:{cluster.ports['kruise-health']}",
            "--rest-config-qps=500", "--rest-config-burst=1000", "--logtostderr=true"]


def _kruise_environment(cluster):
    return {"POD_NAMESPACE": "kruise-system", "WEBHOOK_HOST": "127.0.0.1",
            "WEBHOOK_PORT": str(cluster.ports["kruise-webhook"]),
            "WEBHOOK_CERT_DIR": str(cluster.dir / "kruise-certs")}


def _kruise_ready(cluster):
    return _http_ok(cluster.ports["kruise-health"], "/readyz") and kruise.webhook_answers(cluster)


def _kwok(cluster):
    types = f"{kwok.LABEL['type']},{kwok.APART['type']}"
    return [tools.path("kwok"), f"--kubeconfig={cluster.credentials.path('kwok')}",
            f"--config={HERE}/manifests/kwok.yaml", "--manage-all-nodes=false",
            f"--manage-nodes-with-label-selector=type in ({types})",
            "--node-lease-duration-seconds=200", "--cidr=10.214.0.0/15", "--node-ip=127.0.0.1",
            f"--server-address=127.0.0.1:{cluster.ports['kwok']}"]


def _kwok_ready(cluster):
    return _http_ok(cluster.ports["kwok"], "/healthz")


PARTS = {part.name: part for part in (
    Part("etcd", _etcd, _etcd_ready),
    Part("apiserver", _apiserver, _apiserver_ready),
    Part("controller-manager", _controller_manager, _controller_manager_ready),
    Part("scheduler", _scheduler, lambda cluster: True),
    Part("registry", _registry, _registry_ready),
    Part("containerd", _containerd, _containerd_ready),
    Part("kubelet", _kubelet, _kubelet_ready),
    Part("kruise", _kruise, _kruise_ready, _kruise_environment),
    Part("kwok", _kwok, _kwok_ready),
)}


def is_ready(part: Part, cluster) -> bool:
    """Not being reachable yet, or not being allowed to yet, is an answer too: no."""
    try:
        return part.ready(cluster)
    except (OSError, ApiError):
        return False


def _http_ok(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    finally:
        connection.close()
