# SPDX-License-Identifier: Apache-2.0
"""A cluster: bring it up, look at it, hurt its parts, take it down.

    cluster = Cluster.up("mine")
    cluster.kubectl("get", "nodes")
    cluster.restart("apiserver")
    cluster.down()

`Cluster("mine")` is one that is up already. All it knows is in its folder, so any process of the
same user may hold it.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterable

from . import audit, cgroups, kruise, kwok, network, node, tools
from .api import Api
from .credentials import Credentials
from .errors import ClusterError
from .images import Registry
from .parts import PARTS, environment, is_ready
from .paths import CACHE, CLUSTERS
from .reach import Reachable, wait_for  # noqa: F401
from .sandbox import Sandbox

PATIENCE = 90
OPTIONS = ("kruise", "kubelet", "kwok")


class Cluster(Reachable):
    """Reads its folder; raises ClusterError when there is no such cluster."""

    is_real = True

    def __init__(self, name: str):
        self.name = name
        self.dir = CLUSTERS / name
        try:
            facts = json.loads((self.dir / "cluster.json").read_text())
        except OSError as error:
            raise ClusterError(f"there is no cluster {name!r}; `up --name {name}` makes it") \
                from error
        self.number = facts["number"]
        self.options = facts["options"]
        self.node = name
        self.cgroup = f"sluice-{name}"
        self.ports = network.ports(self.number)
        self.server = f"https://127.0.0.1:{self.ports['apiserver']}"
        self.credentials = Credentials(self.dir / "auth", self.server)
        self.audit_log = self.dir / "audit.log"
        self.sandbox = Sandbox(self.dir)
        self._api = None

    # Coming and going

    @classmethod
    def up(cls, name: str = "sluice", log: Callable = lambda line: None, **options) -> "Cluster":
        """Brings a new cluster up. Options: kruise and kubelet (True unless said otherwise), kwok
        (how many fake nodes). On failure nothing is left, and the error says which part it was."""
        facts = {"kruise": True, "kubelet": True, "kwok": 0, **options}
        _check(name, facts)
        tools.build(tools.needed(facts))
        cluster, lock = _claim(name, facts)
        with lock:
            try:
                cluster._bring_up(log)
            except BaseException:
                cluster.down()
                raise
            (cluster.dir / "complete").touch()
        return cluster

    def is_up(self) -> bool:
        """As a whole; a part may be stopped."""
        return self.pid("init") != 0 and (self.dir / "complete").exists()

    def is_coming_up(self) -> bool:
        """Whether another process is at it."""
        with open(self.dir / "cluster.json", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def down(self) -> None:
        """Ends and removes all of it, whatever state it is in."""
        self.sandbox.close()
        network.delete_wire(self.number)
        cgroups.remove(self.cgroup)
        shutil.rmtree(self.dir)

    def _bring_up(self, log: Callable) -> None:
        self._prepare()
        self.sandbox.open()
        self._launch("etcd")
        if self.options["kubelet"]:
            self._launch("registry", "containerd")
        self._await(log, "etcd")
        self._launch("apiserver")
        if self.options["kubelet"]:
            self._await(log, "registry", "containerd")
            self.registry.push_all()
        self._await(log, "apiserver")
        late = ["controller-manager", "scheduler"]
        late += [name for name in ("kubelet", "kwok") if self.options[name]]
        self._launch(*late)
        if self.options["kwok"]:
            kwok.add_nodes(self, self.options["kwok"])
        if self.options["kruise"]:
            kruise.install(self)
            self._launch("kruise")
            late.append("kruise")
        self._await(log, *late)

    def _prepare(self) -> None:
        (self.dir / "tmp").mkdir()
        (self.dir / "etc").mkdir()
        self.credentials.create(self.node, network.gateway(self.number))
        self.kubeconfig.symlink_to(self.credentials.path("admin"))
        self._write_config("audit-policy", audit.POLICY)
        self._write_config("scheduler", {
            "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": str(self.credentials.path("kube-scheduler")),
                                 "qps": 500, "burst": 1000}})
        self._write_config("registry", {
            "version": 0.1, "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": str(self.dir / "registry")}},
            "http": {"addr": f"127.0.0.1:{self.ports['registry']}"}})
        if self.options["kubelet"]:
            network.create_wire(self.number)
            cgroups.create(self.cgroup)
            node.write(self)

    def _write_config(self, name: str, content: dict) -> None:
        (self.dir / "etc" / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")

    # Parts

    def parts(self) -> list:
        """Those that have been started, running or not."""
        return [name for name in PARTS if (self.dir / "pids" / name).exists()]

    def pid(self, part: str) -> int:
        """0 when it isn't running."""
        return self.sandbox.pid(part)

    def start(self, part: str) -> None:
        """Returns when it works."""
        if not self.pid(_part(part).name):
            self._launch(part)
        self._await(lambda line: None, part)

    def stop(self, part: str, sign: signal.Signals = signal.SIGTERM) -> None:
        """Returns when it is gone."""
        self.sandbox.stop(_part(part).name, sign)

    def restart(self, part: str, sign: signal.Signals = signal.SIGKILL) -> None:
        """Kills it, unless another signal is asked for, and starts it again: same port, same data.
        Returns when it works again."""
        self.stop(part, sign)
        self.start(part)

    def install_kruise(self) -> None:
        """For a cluster that was brought up without it."""
        tools.build(["kruise-manager", "kruise.yaml"])
        kruise.install(self)
        self.start("kruise")

    def log_of(self, part: str) -> Path:
        return self.dir / "logs" / f"{part}.log"

    def _launch(self, *parts: str) -> None:
        for part in parts:
            own = PARTS[part].environment(self)
            self.sandbox.start(part, PARTS[part].command(self), {**environment(self), **own})

    def _await(self, log: Callable, *parts: str) -> None:
        """Says so when each of them works, in whatever order that happens."""
        began = time.monotonic()
        waiting = list(parts)
        while waiting:
            for part in list(waiting):
                if is_ready(PARTS[part], self):
                    waiting.remove(part)
                    log(part)
                elif self.sandbox.exit_of(part):
                    raise ClusterError(self._failure(part, self.sandbox.exit_of(part)))
            if waiting and time.monotonic() > began + PATIENCE:
                raise ClusterError(self._failure(waiting[0], f"did not work in {PATIENCE} s"))
            time.sleep(0.05)

    def _failure(self, part: str, what: str) -> str:
        return f"{part} {what}; the end of its log:\n{self.sandbox.tail(part)}"

    # Talking to it

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.dir / "kubeconfig"

    @property
    def token(self) -> str:
        """The administrator's."""
        return self.credentials.token("admin")

    @property
    def api(self) -> Api:
        if not self._api:
            self._api = Api(self.ports["apiserver"], self.token, self.credentials.ca)
        return self._api

    @property
    def registry(self) -> Registry:
        """Where a test may push images of its own."""
        return Registry(self.ports["registry"])

    def environment(self) -> dict:
        """The variables by which programs find this cluster."""
        path = f"{tools.path('kubectl').parent}:{os.environ.get('PATH', '')}"
        return {"KUBECONFIG": str(self.kubeconfig), "SLUICE_CLUSTER": self.name, "PATH": path}

    def writes(self, **which) -> list:
        """Audit events of writes so far; see audit.writes for what can be asked."""
        return audit.writes(self.audit_log, **which)

    def run_in_pod(self, pod: str, *command: str, namespace: str = "default") -> str:
        """Runs a program of this machine in the network of a real pod; what it prints."""
        uid = self.api.get(f"/api/v1/namespaces/{namespace}/pods/{pod}")["metadata"]["uid"]
        pid = cgroups.member(self.cgroup, uid)
        if not pid:
            raise ClusterError(f"pod {namespace}/{pod} has no process")
        return subprocess.run(["nsenter", f"--target={pid}", "--net", *command], text=True,
                              check=True, capture_output=True).stdout

    def service_account(self, name: str, namespace: str = "default",
                        role: str = "cluster-admin") -> Path:
        """Makes one, bound to a ClusterRole, and returns its kubeconfig."""
        account = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
        self.apply(
            {"apiVersion": "v1", "kind": "ServiceAccount",
             "metadata": {"name": name, "namespace": namespace}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
             "metadata": {"name": f"{namespace}-{name}"}, "subjects": [account],
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                         "name": role}})
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                   "spec": {"expirationSeconds": 86400}}
        token = self.api.create(path, request)["status"]["token"]
        return self.credentials.kubeconfig(f"{namespace}-{name}", {"token": token})


def running() -> Iterable[Cluster]:
    """All clusters of this user, whatever state they are in."""
    return [Cluster(file.parent.name) for file in sorted(CLUSTERS.glob("*/cluster.json"))]


def _claim(name: str, options: dict):
    """A folder and a number for a new cluster, and a lock to be held while it comes up. Another
    lock keeps two clusters from getting the same number."""
    CLUSTERS.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "clusters.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        others = running()
        if name in [other.name for other in others]:
            raise ClusterError(f"cluster {name!r} is there already; `down --name {name}` ends it")
        number = network.free_number({other.number for other in others})
        shutil.rmtree(CLUSTERS / name, ignore_errors=True)
        (CLUSTERS / name).mkdir(mode=0o700)
        held = open(CLUSTERS / name / "cluster.json", "w", encoding="utf-8")
        fcntl.flock(held, fcntl.LOCK_EX)
        json.dump({"number": number, "options": options}, held)
        held.flush()
    return Cluster(name), held


def _check(name: str, options: dict) -> None:
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?", name):
        raise ClusterError(f"cluster name {name!r}: it should be lower-case letters, digits and "
                           "dashes, at most 32, and begin with a letter")
    unknown = set(options) - set(OPTIONS)
    if unknown:
        raise ClusterError(f"there is no option {unknown.pop()!r}; there are: {', '.join(OPTIONS)}")
    if os.geteuid():
        raise ClusterError("a cluster needs root: it makes namespaces, mounts and interfaces")
    if options["kubelet"]:
        _check_programs()


def _check_programs() -> None:
    programs = ["containerd", "runc", "docker-registry", "ip", "openssl", "mount"]
    missing = [program for program in programs if not shutil.which(program)]
    if not os.path.exists(f"{node.CNI_PLUGINS}/macvlan"):
        missing.append(f"{node.CNI_PLUGINS}/macvlan")
    if missing:
        raise ClusterError(f"missing: {', '.join(missing)}; `deploy/packages cluster` installs it")


def _part(name: str):
    if name not in PARTS:
        raise ClusterError(f"there is no part {name!r}; there are: {', '.join(PARTS)}")
    return PARTS[name]
