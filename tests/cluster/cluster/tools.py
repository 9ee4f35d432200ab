# SPDX-License-Identifier: Apache-2.0
"""Builds what a cluster runs, once, from the Go module proxy.

Each tool has a folder of its own, named by a hash of everything that goes into it, so an
interrupted build resumes and a changed version builds only what changed. A folder appears by one
rename: it is complete or it isn't there.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from .errors import ClusterError
from .paths import BUILT, SOURCES

KRUISE = "github.com/openkruise/kruise"


@dataclass(frozen=True)
class Mend:
    """A piece of a module's file that is built otherwise."""

    module: str
    file: str
    piece: str
    instead: str

    def write(self, copy: Path) -> None:
        """Into a copy of the module."""
        file = copy / self.file
        text = file.read_text()
        if text.count(self.piece) != 1:
            raise ClusterError(f"{self.module}/{self.file}: expected {self.piece!r} once")
        file.write_text(text.replace(self.piece, self.instead))

    def apply(self, module: str, scratch: Path) -> Path:
        """A go.mod that builds a copy of the module, with this in it, in place of the module."""
        copy, gomod = scratch / "mended", scratch / "go.mod"
        _run(["cp", "-r", "--no-preserve=mode", str(_module_folder(module, self.module)), str(copy)])
        self.write(copy)
        given = SOURCES / module
        gomod.write_text(f"{(given / 'go.mod').read_text()}\nreplace {self.module} => {copy}\n")
        shutil.copyfile(given / "go.sum", scratch / "go.sum")
        return gomod


# It deletes a pod by its name, and so now and then the one that has come with that name since:
# nobody's fault but its own, and a ready pod less than anybody may take away.
KWOK_DELETES_BY_UID = Mend(
    "sigs.k8s.io/kwok", "pkg/kwok/controllers/pod_controller.go",
    "Delete(ctx, pod.Name, deleteOpt)",
    "Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: deleteOpt.GracePeriodSeconds,"
    " Preconditions: metav1.NewUIDPreconditions(string(pod.UID))})")


@dataclass(frozen=True)
class Tool:
    """A program: the module under go/ that pins its versions, and the package to build."""

    name: str
    module: str
    package: str
    mend: Mend = None

    def make(self, folder: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            mended = []
            if self.mend:
                mended = [f"-modfile={self.mend.apply(self.module, Path(scratch))}"]
            _go(self.module, "build", "-trimpath", *mended, f"-ldflags={_ldflags(self.module)}",
                "-o", str(folder / self.name), self.package)


@dataclass(frozen=True)
class Manifests:
    """OpenKruise's CRDs and webhook configurations, as its own kustomization puts them together."""

    name: str = "kruise.yaml"
    module: str = "kruise"
    package: str = "config"
    mend: Mend = None

    def make(self, folder: Path) -> None:
        source = _module_folder(self.module, KRUISE)
        (folder / self.name).write_text(kustomized(source / "config", "namePrefix: kruise-"))


def kustomized(config: Path, how: str) -> str:
    """The CRDs and the webhooks of a controller, out of the folder that a generator has made for it; `how`
    are further lines of the kustomization."""
    with tempfile.TemporaryDirectory() as scratch:
        for part in ("crd", "webhook"):
            shutil.copytree(config / part, Path(scratch, part))
        Path(scratch, "kustomization.yaml").write_text(f"{how}\nresources: [crd, webhook]\n")
        return _run([str(path("kubectl")), "kustomize", scratch])


TOOLS = {tool.name: tool for tool in (
    Tool("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Tool("kube-controller-manager", "kubernetes", "k8s.io/kubernetes/cmd/kube-controller-manager"),
    Tool("kubelet", "kubernetes", "k8s.io/kubernetes/cmd/kubelet"),
    Tool("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Tool("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Tool("podinfo", "images", "./podinfo"),
    Tool("pause", "images", "./pause"),
    Tool("kruise-manager", "kruise", KRUISE),
    Manifests(),
    Tool("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok", KWOK_DELETES_BY_UID),
    Tool("helm", "helm", "helm.sh/helm/v3/cmd/helm"),
)}


def needed(options: dict) -> list:
    """The tools for a cluster with these options (see Cluster.up)."""
    names = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "etcd"]
    names += ["kubelet", "podinfo", "pause"] if options["kubelet"] else []
    names += ["kruise-manager", "kruise.yaml"] if options["kruise"] else []
    return names + (["kwok"] if options["kwok"] else [])


def path(name: str) -> Path:
    """The built file; it may not exist yet."""
    tool = TOOLS[name]
    return BUILT / f"{name}-{_key(tool)}" / name


def build(names=(), log=print) -> None:
    """Builds what is missing of the named tools (of all, without names)."""
    wanted = names or list(TOOLS)
    unknown = [name for name in wanted if name not in TOOLS]
    if unknown:
        raise ClusterError(f"there is no tool {unknown[0]!r}; there are: {', '.join(TOOLS)}")
    if all(path(name).exists() for name in wanted):
        return
    with _lock(log):
        missing = [name for name in TOOLS if name in wanted and not path(name).exists()]
        for number, name in enumerate(missing, 1):
            _build_one(TOOLS[name], f"{number}/{len(missing)}", log)


def _build_one(tool, position: str, log) -> None:
    log(f"building {tool.name} ({position}) …", end="", flush=True)
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f".{tool.name}-", dir=BUILT))
    try:
        folder.chmod(0o755)
        tool.make(folder)
        folder.rename(path(tool.name).parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    log(f" {time.monotonic() - began:.0f} s", flush=True)


def _key(tool) -> str:
    digest = hashlib.sha256()
    for part in (tool.name, tool.package, _ldflags(tool.module)):
        digest.update(part.encode() + b"\0")
    if tool.mend:
        digest.update(repr(tool.mend).encode())
    for file in sorted((SOURCES / tool.module).rglob("*")):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _ldflags(module: str) -> str:
    """Kubernetes reads its version from the linker; without it kubectl can't parse its own."""
    if module != "kubernetes":
        return "-s -w"
    gomod = (SOURCES / module / "go.mod").read_text()
    version = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\S+)", gomod)
    values = {"gitVersion": version[1], "gitMajor": version[2], "gitMinor": version[3],
              "gitTreeState": "clean"}
    settings = [f"-X k8s.io/component-base/version.{name}={value}"
                for name, value in values.items()]
    return " ".join(["-s -w", *settings])


def _lock(log):
    """Held until closed: a second build waits, then finds everything there."""
    BUILT.mkdir(parents=True, exist_ok=True)
    lock = open(BUILT / "lock", "w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log("waiting for another build …", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _module_folder(module: str, wanted: str) -> Path:
    """Where a module that this one needs lies, fetched if need be."""
    _go(module, "mod", "download", wanted)
    return Path(_go(module, "list", "-m", "-f", "{{.Dir}}", wanted).strip())


def _go(module: str, *arguments: str) -> str:
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        raise ClusterError("go is missing: it is neither on PATH nor /usr/local/go/bin/go; "
                           "building a cluster needs Go 1.26 or newer")
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
    return _run(["nice", "-n", "10", go, *arguments], cwd=SOURCES / module, env=environment)


def _run(command, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).splitlines()[-20:])
        raise ClusterError(f"{' '.join(command)} exited with {done.returncode}:\n{tail}")
    return done.stdout


def main() -> None:
    """The script `build`."""
    try:
        build(sys.argv[1:])
    except ClusterError as error:
        sys.exit(f"\n{error}")
