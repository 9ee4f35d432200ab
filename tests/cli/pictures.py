#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes docs/pictures anew: what `sluice watch` draws on a terminal, from the real program, on a sandbox
in which some rollouts have come to rest in different ways. Run it when test_pictures.py says so."""

import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / part) for part in ("cli", "cluster", "e2e")]

from cluster.cluster import wait_for  # noqa: E402
from cluster.in_memory import SandboxCluster  # noqa: E402
from harness.controller import BUILD, SLUICE, Controller, config_text  # noqa: E402
from svg import THEMES, draw  # noqa: E402
from terminal import Screen, Terminal  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
WIDTHS = (80, 140)
VIEWS = {"all": [], "one": ["api"]}  # what is typed behind `sluice watch`
GROUPS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "CloneSet": "apps.kruise.io/v1alpha1"}
ROLLOUTS = "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts"
IMAGE = "shop/{}:{}"


class Shop:
    """Some workloads, each held by a Rollout of the same name."""

    def __init__(self, cluster):
        self.api = cluster.api
        self.kubeconfig = cluster.kubeconfig

    def path(self, kind: str, name: str = "") -> str:
        return f"/apis/{GROUPS[kind]}/namespaces/default/{kind.lower()}s" + f"/{name}" * bool(name)

    def open(self, name: str, kind: str, replicas: int, *batches, **plan) -> None:
        """Until it is held."""
        labels = {"app": name}
        container = {"name": name, "image": IMAGE.format(name, "1.0")}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        if kind == "StatefulSet":
            spec.update(serviceName=name, podManagementPolicy="Parallel")
        self.api.create(self.path(kind), {"apiVersion": GROUPS[kind], "kind": kind,
                                          "metadata": {"name": name}, "spec": spec})
        wait_for(f"the pods of {name} are ready", lambda: self.api.get(self.path(kind, name)).get(
            "status", {}).get("readyReplicas") == replicas, 30)
        wanted = {"apiVersion": GROUPS[kind], "kind": kind, "name": name}
        steps = [{"replicas": batch} if batch else {} for batch in batches]
        self.api.create(ROLLOUTS, {
            "apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": {"workloadRef": wanted, "rolloutPlan": {"rolloutBatches": steps, **plan}}})
        self.wait(name, "Held")

    def change(self, name: str, kind: str, tag: str, until: str) -> None:
        image = [{"op": "replace", "path": "/spec/template/spec/containers/0/image",
                  "value": IMAGE.format(name, tag)}]
        self.api.patch(self.path(kind, name), image, "json")
        self.wait(name, until)

    def wait(self, name: str, reason: str) -> None:
        wait_for(f"{name} comes to {reason}", lambda: self.api.get(f"{ROLLOUTS}/{name}").get(
            "status", {}).get("reason", {}).get("code") == reason, 30)

    def give_up(self, name: str) -> None:
        subprocess.run([SLUICE, "abort", name, "--kubeconfig", self.kubeconfig], check=True,
                       env={"USER": "jo"}, stdout=subprocess.DEVNULL)
        self.wait(name, "Failed")


def fill(shop: Shop) -> None:
    """One at its gate, one whose new pods aren't ready, one that is paused, one that was given up,
    and two at rest."""
    shop.open("api", "CloneSet", 10, "10%", "50%", None, batchPartition=1)
    shop.open("cart", "Deployment", 6, 2, 2, None)
    shop.open("mail", "StatefulSet", 4, 1, None, paused=True)
    shop.open("pay", "Deployment", 4, 1, None)
    shop.open("search", "Deployment", 3, 1, None)
    shop.open("web", "Deployment", 5, 1, "50%", None)
    shop.change("api", "CloneSet", "2.0", "PartitionReached")
    shop.change("cart", "Deployment", "unready", "PodsNotReady")
    shop.change("mail", "StatefulSet", "2.0", "Paused")
    shop.change("pay", "Deployment", "unready", "PodsNotReady")
    shop.give_up("pay")


@contextmanager
def opened():
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sluice-pictures-")))
        cluster = SandboxCluster(BUILD / "sdk" / "sandbox" / "sluice-sandbox", folder,
                                 "--ready-after", "0.1", "--openkruise")
        stack.callback(cluster.down)
        cluster.apply_files(ROOT / "deploy" / "crds")
        wait_for("Rollouts are served", lambda: cluster.api.exists(ROLLOUTS), 20)
        plugins = [{"name": name, "file": str(BUILD / "plugins" / name / f"{name}.so")}
                   for name in ("deployment", "statefulset", "cloneset")]
        controller = Controller(folder, cluster.kubeconfig, config_text(plugins, serve={
            "listen": ""})).start()
        stack.callback(controller.close)
        shop = Shop(cluster)
        fill(shop)
        yield shop


def picture(shop: Shop, words: list, columns: int) -> Screen:
    command = [SLUICE, "watch", *words, "--kubeconfig", shop.kubeconfig]
    terminal = Terminal(command, columns, 24, env={"TERM": "xterm", "HOME": "/nowhere"})
    try:
        terminal.shows(lambda screen: screen.text().endswith("\nq ends it\n"))
        return terminal.screen
    finally:
        terminal.close()


def name_of(view: str, columns: int, theme: str) -> str:
    return f"watch-{view}-{columns}-{theme}.svg"


def main() -> None:
    with opened() as shop:
        for view, words in VIEWS.items():
            for columns in WIDTHS:
                screen = picture(shop, words, columns)
                for theme in THEMES:
                    (FOLDER / name_of(view, columns, theme)).write_text(draw(screen, theme))


if __name__ == "__main__":
    main()
