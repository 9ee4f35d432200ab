# SPDX-License-Identifier: Apache-2.0
"""The controllers under measurement, each built once and run beside a cluster."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster import ClusterError, tools
from cluster.paths import CACHE

from . import usage

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
KUBEVELA = "github.com/oam-dev/kubevela"


class Controller:
    """A running one. Its API user is its own, so that the audit log can tell what it asked."""

    def __init__(self, cluster, name: str, command: list, environment: dict = None):
        self.name = name
        self.environment = {**os.environ, **(environment or {})}
        self.user = f"system:serviceaccount:default:{name}"
        self.log = cluster.dir / f"{name}.log"
        self.command = command
        self.start()

    def start(self) -> None:
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, stdout=log, stderr=log)

    @property
    def pid(self) -> int:
        if self.process.poll() is not None:
            raise ClusterError(f"{self.name} has ended; the end of its log:\n"
                               f"{self.log.read_text()[-2000:]}")
        return self.process.pid

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def memory(self) -> usage.Memory:
        return usage.memory(self.pid)


def sluice_built(build: Path = None) -> Path:
    """The folder with a release build; made, unless one is given."""
    if build:
        return build.resolve()
    key = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
    build = CACHE / "bench" / key
    if not (build / "build.ninja").exists():
        _run("meson", "setup", str(build), str(ROOT), "--buildtype=release", "-Dtests=false",
             "-Dcue=enabled")
    _run("ninja", "-j2", "-C", str(build))
    return build


def sluice(cluster, build: Path, isolation: str = "inProcess", adapter: str = "cloneset") -> Controller:
    config = cluster.dir / "sluice.yaml"
    config.write_text(
        "adapters:\n"
        f"  directory: {build / 'plugins' / adapter}\n"
        "  enabled:\n"
        f"    - name: {adapter}\n"
        f"      isolation: {isolation}\n"
        "renderer:\n"
        f"  program: {build / 'plugins' / 'cue' / 'sluice-cue'}\n"
        "  idleSeconds: 5\n")
    account = cluster.service_account("sluice")
    return Controller(cluster, "sluice", [
        str(build / "core" / "sluice"), "controller", "--config", str(config),
        "--kubeconfig", str(account)])


def kubevela(cluster) -> Controller:
    account = cluster.service_account("kubevela")
    return Controller(cluster, "kubevela", [
        str(tools.path("vela-core")), f"--kubeconfig={account}", "--metrics-addr=0",
        "--health-addr=127.0.0.1:0", f"--log-file-path={cluster.dir}/vela-core.log"])


@dataclass(frozen=True)
class Peer:
    """A controller whose module replaces others, and so is built in a copy of it. `manifests` is a folder
    there."""

    name: str
    version: str
    module: str
    package: str
    manifests: str
    mend: tools.Mend = None

    @property
    def folder(self) -> Path:
        return CACHE / "bench" / f"{self.name}-{self.version}"

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def program(self) -> Path:
        return self.folder / self.name

    def build(self) -> "Peer":
        """Once."""
        if self.program.exists():
            return self
        module = json.loads(_run(_go(), "mod", "download", "-json", f"{self.module}@v{self.version}"))["Dir"]
        shutil.rmtree(self.source, ignore_errors=True)
        shutil.copytree(module, self.source)
        _run("chmod", "-R", "u+w", str(self.source))
        if self.mend:
            self.mend.write(self.source)
        _run(_go(), "build", "-trimpath", "-ldflags=-s -w", "-o", str(self.folder / "built"), self.package,
             cwd=self.source)
        (self.folder / "built").rename(self.program)
        return self


# Each may ask as much as the cluster's own controllers, so that it isn't slowed down: what the one takes as
# options is written into the other.
ARGO = Peer("argo-rollouts", "1.8.3", "github.com/argoproj/argo-rollouts", "./cmd/rollouts-controller",
            "manifests/crds")
KRUISE_LIMITS = tools.Mend("github.com/openkruise/rollouts", "main.go", 'cfg.UserAgent = "kruise-rollout"',
                           'cfg.QPS, cfg.Burst = 500, 1000\ncfg.UserAgent = "kruise-rollout"')
KRUISE = Peer("kruise-rollouts", "0.6.2", "github.com/openkruise/rollouts", ".", "config", KRUISE_LIMITS)
KRUISE_NAMESPACE = "kruise-rollout"


def argo(cluster) -> Controller:
    cluster.kubectl("create", *(word for file in sorted((ARGO.source / ARGO.manifests).glob("*-crd.yaml"))
                                for word in ("-f", str(file))))
    account = cluster.service_account("argo-rollouts")
    return Controller(cluster, "argo-rollouts", [
        str(ARGO.program), f"--kubeconfig={account}", "--leader-elect=false", "--qps=500",
        "--burst=1000", "--healthzPort=18080", "--metricsport=18090", "--loglevel=warn"])


def kruise(cluster) -> Controller:
    """It gives its webhooks their address and certificate itself."""
    cluster.kubectl("create", "namespace", KRUISE_NAMESPACE)
    manifests = cluster.dir / "kruise-rollouts.yaml"
    manifests.write_text(tools.kustomized(KRUISE.source / KRUISE.manifests,
                                          f"namespace: {KRUISE_NAMESPACE}\nnamePrefix: kruise-rollout-"))
    cluster.kubectl("create", "--validate=false", "-f", str(manifests))
    account = cluster.service_account("kruise-rollouts")
    return Controller(cluster, "kruise-rollouts", [
        str(KRUISE.program), f"--kubeconfig={account}", "--metrics-bind-address=127.0.0.1:18091",
        "--health-probe-bind-address=127.0.0.1:18081", "--feature-gates=AdvancedDeployment=true"],
        {"POD_NAMESPACE": KRUISE_NAMESPACE, "WEBHOOK_HOST": "127.0.0.1", "WEBHOOK_PORT": "19443",
         "WEBHOOK_CERT_DIR": str(cluster.dir / "kruise-rollouts-certs")})


@dataclass(frozen=True)
class PeerCrds:
    """The CRDs that came with KubeVela, copied out of its module."""

    name: str = "vela-crds"
    module: str = str(HERE / "kubevela")
    package: str = "charts/vela-core/crds"

    def make(self, folder: Path) -> None:
        found = _run(_go(), "list", "-m", "-f", "{{.Dir}}", KUBEVELA, cwd=self.module)
        shutil.copytree(Path(found.strip()) / self.package, folder / self.name)


def kubevela_built() -> None:
    """ClusterError says why it can't be built."""
    program = tools.Tool("vela-core", str(HERE / "kubevela"), f"{KUBEVELA}/cmd/core")
    tools.TOOLS.setdefault("vela-core", program)
    tools.TOOLS.setdefault("vela-crds", PeerCrds())
    tools.build(["vela-core", "vela-crds"])


def _go() -> str:
    return shutil.which("go") or "/usr/local/go/bin/go"


def _run(*command: str, cwd=None) -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/local/go/bin"
    done = subprocess.run(["nice", *command], cwd=cwd, env={**os.environ, "PATH": path},
                          capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).splitlines()[-20:])
        raise ClusterError(f"{' '.join(command)} exited with {done.returncode}:\n{tail}")
    return done.stdout
