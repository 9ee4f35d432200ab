# SPDX-License-Identifier: Apache-2.0
"""The clusters themselves: they come up whole, do what tests need, and go without a trace."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from cluster import Cluster, ClusterError, running, wait_for  # noqa: E402
from cluster import cgroups, network, parts  # noqa: E402

CLONESETS = "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets"
PODS = "/api/v1/namespaces/default/pods"


@pytest.fixture(scope="module")
def cluster():
    """One with everything, shared by the tests that leave it as they found it."""
    made = Cluster.up(f"test-{os.getpid()}", print, kwok=2)
    yield made
    made.down()


def cloneset(name, replicas, image, node=None, **strategy):
    """As the seed's component renders it, on real nodes or on fake ones."""
    container = {"name": name, "image": image, "command": ["./podinfo", "stress-cpu=1"],
                 "ports": [{"containerPort": 8080}]}
    spec = {"containers": [container], "nodeSelector": node or {},
            "tolerations": [{"operator": "Exists"}] if node else []}
    return {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
                     "updateStrategy": {"type": "InPlaceIfPossible", **strategy},
                     "template": {"metadata": {"labels": {"app": name}}, "spec": spec}}}


def pods_of(cluster, name):
    found = cluster.api.get(f"{PODS}?labelSelector=app={name}")["items"]
    return {pod["metadata"]["name"]: pod for pod in found}


def wait_for_counts(cluster, name, **wanted):
    def reached():
        thing = cluster.api.get(f"{CLONESETS}/{name}")
        status = thing.get("status", {})
        return (status.get("observedGeneration") == thing["metadata"]["generation"]
                and all(status.get(field) == count for field, count in wanted.items()))

    wait_for(f"{name} with {wanted}", reached, 60)


def remove(cluster, name):
    cluster.api.delete(f"{CLONESETS}/{name}")
    wait_for(f"{name}'s pods are gone", lambda: not pods_of(cluster, name), 60)


def set_image(cluster, name, image):
    path = "/spec/template/spec/containers/0/image"
    change = [{"op": "replace", "path": path, "value": image}]
    cluster.api.patch(f"{CLONESETS}/{name}", change, "json")


def images_and_restarts(pods):
    statuses = [pod["status"]["containerStatuses"][0] for pod in pods.values()]
    return sorted((status["image"].removeprefix("docker.io/"), status["restartCount"])
                  for status in statuses)


def test_all_parts_work(cluster):
    assert sorted(cluster.parts()) == sorted(parts.PARTS)
    assert all(cluster.pid(part) for part in cluster.parts())
    nodes = {node["metadata"]["name"]: node for node in cluster.api.get("/api/v1/nodes")["items"]}
    assert set(nodes) == {cluster.node, "kwok-0", "kwok-1"}
    assert nodes[cluster.node]["status"]["nodeInfo"]["kubeletVersion"] == "v1.34.4"
    assert cluster.kubectl("get", "--raw", "/readyz") == "ok"


@pytest.mark.parametrize("node", [None, {"type": "kwok"}], ids=["real", "fake"])
def test_update_in_place(cluster, node):
    cluster.apply(cloneset("seed", 5, "stefanprodan/podinfo:4.0.6", node, partition=3))
    wait_for_counts(cluster, "seed", readyReplicas=5)
    before = pods_of(cluster, "seed")
    set_image(cluster, "seed", "stefanprodan/podinfo:5.0.2")
    wait_for_counts(cluster, "seed", updatedReadyReplicas=2, readyReplicas=5)
    after = pods_of(cluster, "seed")
    uids = [{pod["metadata"]["uid"] for pod in pods.values()} for pods in (before, after)]
    assert uids[0] == uids[1]
    assert images_and_restarts(after) == [("stefanprodan/podinfo:4.0.6", 0)] * 3 + [
        ("stefanprodan/podinfo:5.0.2", 1)] * 2
    remove(cluster, "seed")


@pytest.mark.parametrize("node", [None, {"type": "kwok"}], ids=["real", "fake"])
def test_broken_image_is_never_ready(cluster, node):
    cluster.apply(cloneset("broken", 2, "stefanprodan/podinfo:4.0.6", node, maxUnavailable=1))
    wait_for_counts(cluster, "broken", readyReplicas=2)
    set_image(cluster, "broken", "stefanprodan/podinfo:broken")
    wait_for_counts(cluster, "broken", readyReplicas=1, updatedReplicas=1, updatedReadyReplicas=0)
    remove(cluster, "broken")


def test_pods_answer_this_machine_and_each_other(cluster):
    cluster.apply(cloneset("web", 2, "stefanprodan/podinfo:6.0.0"))
    wait_for_counts(cluster, "web", readyReplicas=2)
    first, second = pods_of(cluster, "web")
    address = cluster.api.get(f"{PODS}/{second}")["status"]["podIP"]
    script = ("import http.client; c = http.client.HTTPConnection('%s', 8080, timeout=10);"
              "c.request('GET', '/'); print(c.getresponse().read().decode())" % address)
    from_machine = subprocess.check_output([sys.executable, "-c", script], text=True)
    from_pod = cluster.run_in_pod(first, sys.executable, "-c", script)
    assert json.loads(from_machine) == {"hostname": second, "version": "6.0.0"}
    assert from_pod == from_machine
    assert "podinfo 6.0.0 serves" in cluster.kubectl("logs", first)
    remove(cluster, "web")


def test_apiserver_comes_back_after_a_kill(cluster):
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": "value"},
                   "metadata": {"name": "kept", "namespace": "default"}})
    old = cluster.pid("apiserver")
    cluster.restart("apiserver")
    assert cluster.pid("apiserver") not in (0, old)
    assert cluster.kubectl("get", "cm", "kept", "-o", "jsonpath={.data.key}") == "value"
    cluster.apply(cloneset("later", 1, "stefanprodan/podinfo:4.0.6"))
    wait_for_counts(cluster, "later", readyReplicas=1)
    remove(cluster, "later")


def test_pods_outlive_kubelet_and_containerd(cluster):
    cluster.apply(cloneset("stays", 1, "stefanprodan/podinfo:4.0.6"))
    wait_for_counts(cluster, "stays", readyReplicas=1)
    cluster.restart("containerd")
    cluster.restart("kubelet")
    set_image(cluster, "stays", "stefanprodan/podinfo:5.0.2")
    wait_for_counts(cluster, "stays", updatedReadyReplicas=1)
    assert images_and_restarts(pods_of(cluster, "stays")) == [("stefanprodan/podinfo:5.0.2", 1)]
    remove(cluster, "stays")


def test_a_stopped_part_starts_again(cluster):
    cluster.stop("kruise")
    assert not cluster.pid("kruise")
    with pytest.raises(ClusterError, match="webhook"):
        cluster.apply(cloneset("refused", 1, "stefanprodan/podinfo:4.0.6"))
    cluster.start("kruise")
    cluster.apply(cloneset("taken", 0, "stefanprodan/podinfo:4.0.6"))
    remove(cluster, "taken")


def test_audit_log_tells_who_wrote(cluster):
    account = cluster.service_account("auditor", role="edit")
    command = ["create", f"--kubeconfig={account}", "configmap", "mine"]
    cluster.kubectl(*command)
    user = "system:serviceaccount:default:auditor"
    wrote, = wait_for("the write is in the log", lambda: cluster.writes(user=user))
    assert wrote["verb"] == "create" and wrote["objectRef"]["name"] == "mine"
    assert wrote["userAgent"].startswith("kubectl")
    assert cluster.writes(user=user, resource="pods") == []


def test_two_at_once(cluster):
    other = Cluster.up(f"other-{os.getpid()}", kruise=False)
    try:
        for each in (cluster, other):
            each.kubectl("run", "alone", "--image=stefanprodan/podinfo:5.0.3", "--restart=Never")
            each.kubectl("wait", "--for=condition=Ready", "pod/alone", "--timeout=60s")
        assert other.kubectl("get", "nodes", "-o", "name").split() == [f"node/{other.node}"]
        assert {each.name for each in running()} >= {cluster.name, other.name}
        other.install_kruise()
        other.apply(cloneset("late", 1, "stefanprodan/podinfo:4.0.6"))
        wait_for_counts(other, "late", readyReplicas=1)
    finally:
        other.down()
    ready = cluster.kubectl("get", "pod", "alone", "-o", "jsonpath={.status.containerStatuses[0]}")
    assert json.loads(ready)["ready"] and json.loads(ready)["restartCount"] == 0
    cluster.kubectl("delete", "pod", "alone", "--now")


class Traces:
    """What a cluster has on the machine, seen while it runs, to be looked for when it's gone."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.namespaces = namespaces_of(cluster.pid("init"))

    def left(self):
        folder = str(self.cluster.dir)
        found = [f"process {pid}" for pid in self.processes()]
        found += [f"link {link}" for link in self.links()]
        found += [line for line in Path("/proc/mounts").read_text().splitlines() if folder in line]
        found += [folder] if self.cluster.dir.exists() else []
        return found + (["cgroup"] if cgroups.exists(self.cluster.cgroup) else [])

    def links(self):
        ends = network.machine_end(self.cluster.number), network.pods_end(self.cluster.number)
        return [end for end in ends if Path("/sys/class/net", end).exists()]

    def processes(self):
        """Those in its namespaces, in its control groups, or with its folder in their command."""
        return [entry for entry in os.listdir("/proc") if entry.isdigit() and self.is_ours(entry)]

    def is_ours(self, pid):
        process = Path("/proc", pid)
        try:
            return (bool(self.namespaces & namespaces_of(pid))
                    or f"/{self.cluster.cgroup}/" in (process / "cgroup").read_text()
                    or f"{self.cluster.dir}/".encode() in (process / "cmdline").read_bytes())
        except OSError:
            return False


def namespaces_of(pid):
    return {os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("pid", "mnt")}


def machine_state():
    """What kubelet, containerd and network plugins are known to change or to leave lying about."""
    settings = ["net/ipv4/ip_forward", "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic",
                "kernel/panic_on_oops", "kernel/keys/root_maxkeys"]
    folders = ["/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers",
               "/opt/containerd", "/opt/cni", "/etc/cni", "/run/containerd", "/run/netns",
               "/var/run/kubernetes", "/usr/libexec/kubernetes"]
    return ({name: Path("/proc/sys", name).read_text() for name in settings},
            [folder for folder in folders if os.path.exists(folder)])


@pytest.mark.parametrize("crash", [False, True], ids=["up", "crashed"])
def test_down_leaves_nothing(crash):
    before = machine_state()
    cluster = Cluster.up(f"gone-{os.getpid()}", kruise=False)
    cluster.kubectl("run", "last", "--image=stefanprodan/podinfo:4.0.6")
    cluster.kubectl("wait", "--for=condition=Ready", "pod/last", "--timeout=60s")
    traces = Traces(cluster)
    assert len(traces.processes()) >= 10 and len(traces.links()) == 2
    assert len(traces.left()) > 12
    if crash:
        os.kill(cluster.pid("init"), signal.SIGKILL)
    cluster.down()
    assert traces.left() == []
    assert machine_state() == before


def test_failure_names_the_part_and_leaves_nothing(monkeypatch):
    failing = parts.Part("apiserver", lambda cluster: ["sh", "-c", "echo no luck; exit 3"],
                         lambda cluster: False)
    monkeypatch.setitem(parts.PARTS, "apiserver", failing)
    name = f"failing-{os.getpid()}"
    with pytest.raises(ClusterError, match=r"(?s)apiserver exited with 3.*no luck"):
        Cluster.up(name)
    assert name not in [each.name for each in running()]


def test_bad_requests_are_refused():
    with pytest.raises(ClusterError, match="there is no cluster 'nowhere'"):
        Cluster("nowhere")
    with pytest.raises(ClusterError, match="cluster name 'Not A Name'"):
        Cluster.up("Not A Name")
    with pytest.raises(ClusterError, match="no option 'krusie'"):
        Cluster.up("typo", krusie=False)


def test_the_scripts():
    name = f"scripts-{os.getpid()}"

    def run(script, *arguments):
        return subprocess.run([HERE / script, "--name", name, *arguments], check=True, text=True,
                              capture_output=True, timeout=300).stdout

    try:
        assert "up in " in run("up", "--no-kubelet", "--without", "kruise", "--kwok")
        assert "is up already" in run("up")
        assert run("kubectl", "get", "nodes", "-o", "name") == "node/kwok-0\n"
        assert f"export SLUICE_CLUSTER={name}\n" in run("env")
        run("restart", "etcd")
        assert run("kubectl", "get", "nodes", "-o", "name") == "node/kwok-0\n"
        assert "controller-manager" in run("status")
        assert "containerd" not in run("enter", "ps", "ax")
    finally:
        run("down")
    assert name not in [each.name for each in running()]
