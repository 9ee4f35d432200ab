# SPDX-License-Identifier: Apache-2.0
"""The configuration of a real node: containerd, its network plugins, and the kubelet."""

import json
from pathlib import Path

from . import images, network

CNI_PLUGINS = "/usr/lib/cni"
# Below /run, which is the cluster's own (see init.py): `ctr` finds it there without being told.
CONTAINERD = "/run/containerd/containerd.sock"

CONTAINERD_CONFIG = """\
version = 2
root = "{folder}/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  # Not every machine lets containers be less likely to be killed than their parent.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    # Works on any file system; the images are a few megabytes.
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{folder}/etc/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{folder}/etc/registries"
"""

# _default stands for every registry there is; nothing is ever asked of another one.
REGISTRY_CONFIG = """\
server = "http://127.0.0.1:{port}"
[host."http://127.0.0.1:{port}"]
  capabilities = ["pull", "resolve"]
"""


def write(cluster) -> None:
    """Everything below etc/ that the node's parts read."""
    etc = cluster.dir / "etc"
    for folder in ("cni", "registries/_default"):
        (etc / folder).mkdir(parents=True)
    (etc / "containerd.toml").write_text(CONTAINERD_CONFIG.format(
        folder=cluster.dir, socket=CONTAINERD, pause=images.PAUSE, plugins=CNI_PLUGINS))
    (etc / "registries/_default/hosts.toml").write_text(
        REGISTRY_CONFIG.format(port=cluster.ports["registry"]))
    (etc / "resolv.conf").write_text("")
    _write_json(etc / "cni/10-pods.conflist", _network_config(cluster))
    _write_json(etc / "kubelet.json", _kubelet_config(cluster))


def _network_config(cluster) -> dict:
    addresses = {"type": "host-local", "dataDir": "/run/cni-addresses",
                 "ranges": [[{"subnet": network.subnet(cluster.number),
                              "gateway": network.gateway(cluster.number)}]]}
    wire = {"type": "macvlan", "master": network.pods_end(cluster.number), "mode": "bridge",
            "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [wire]}


def _kubelet_config(cluster) -> dict:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": network.gateway(cluster.number),
        "port": cluster.ports["kubelet"],
        "healthzPort": cluster.ports["kubelet-health"],
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": False},
                           "x509": {"clientCAFile": str(cluster.credentials.ca)}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cluster.cgroup}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "failCgroupV1": False,
        "makeIPTablesUtilChains": False,
        # On, the kubelet won't start where it can't find the disk below its root file system.
        "localStorageCapacityIsolation": False,
        "evictionHard": {"nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "volumePluginDir": str(cluster.dir / "kubelet/plugins"),
        "podLogsDir": "/var/log/pods",
        "clusterDNS": [network.gateway(cluster.number)],
        "clusterDomain": "cluster.local",
        "resolvConf": str(cluster.dir / "etc/resolv.conf"),
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "maxPods": 200,
    }


def _write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
