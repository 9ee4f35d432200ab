# SPDX-License-Identifier: Apache-2.0
"""The design's own example, v1 to v2 in batches of 1, 2 and 2, with pods that are ready at once: by
Sluice, and by KubeVela 1.0.0, for which the design was written. Each has a cluster of its own, one
after the other: their CRDs have the same names."""

import json
import statistics
import threading
import time
from dataclasses import dataclass

from cluster import Cluster, ClusterError, tools, wait_for
from cluster.api import ApiError

from . import controllers, objects, show, usage
from .traffic import Traffic, log_reads_too, now, traffic
from .wire import Wire

CLONESETS = "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets"
WORKLOAD, ROLLOUT = "metrics-provider", "rolling-example"


@dataclass
class Roll:
    """From the moment the AppRollout is applied to its success. `workload` is the part of it in
    which the CloneSet had been told something and hadn't finished it, `renderer` what Sluice's helper
    process held at the end of it, in KiB."""

    seconds: float
    workload: float
    cpu: float
    renderer: int
    traffic: Traffic


@dataclass
class Player:
    """What was measured of a controller."""

    rolls: list
    memory: usage.Memory

    @property
    def beyond(self) -> float:
        return statistics.median(roll.seconds - roll.workload for roll in self.rolls)


class Observer:
    """Notes when each version of the objects of a path was told, in a thread of its own."""

    def __init__(self, cluster, path: str):
        self.seen = []
        self.wire = Wire(cluster)
        self.path = path
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        try:
            for _, thing in self.wire.watch(self.path):
                self.seen.append((time.monotonic(), thing))
        except (ClusterError, ApiError, OSError, ValueError, AttributeError):
            return  # the cluster has gone: whoever waits for something will say so


def is_finished(cloneset: dict) -> bool:
    """Whether it has done what it was last told."""
    status, spec = cloneset.get("status", {}), cloneset["spec"]
    kept_back = spec.get("updateStrategy", {}).get("partition", 0)
    if isinstance(kept_back, str):
        kept_back = -(-spec["replicas"] * int(kept_back.rstrip("%")) // 100)
    return (status.get("observedGeneration") == cloneset["metadata"]["generation"]
            and status.get("updatedReadyReplicas", 0) >= spec["replicas"] - kept_back)


def time_of_workload(seen: list) -> float:
    """The sum of the times in which it wasn't finished."""
    total, since = 0.0, None
    for at, cloneset in seen:
        if is_finished(cloneset):
            total += at - since if since else 0
            since = None
        elif since is None:
            since = at
    return total


class Seed:
    """The seed's flow on one cluster, by one controller."""

    def __init__(self, cluster, controller: controllers.Controller):
        self.cluster = cluster
        self.controller = controller
        self.rollouts = Observer(cluster, objects.path("approllouts"))

    def run(self, rolls: int) -> Player:
        self._apply("application-v1")
        self._await_revision("test-rolling-v1")
        self._apply("approllout-to-v1")
        self._await_success("test-rolling-v1", self.rollouts.seen)
        self._apply("application-v2")
        self._await_revision("test-rolling-v2")
        found = []
        for number in range(rolls):
            found.append(self._roll("v1" if number % 2 else "v2"))
            show.step(f"{self.controller.name}: {found[-1].seconds:.2f} s, of which the CloneSet's "
                      f"own {found[-1].workload:.2f} s")
        return Player(found, self.controller.memory())

    def _roll(self, target: str) -> Roll:
        change = self._thing("approllout-v1-to-v2")
        source = "v2" if target == "v1" else "v1"
        change["spec"]["targetAppRevisionName"] = f"test-rolling-{target}"
        change["spec"]["sourceAppRevisionName"] = f"test-rolling-{source}"
        self._await_rest()
        workload = Observer(self.cluster, CLONESETS)
        wait_for("the CloneSet is watched", lambda: workload.seen, 10)
        already, since, pid = len(self.rollouts.seen), now(), self.controller.pid
        cpu, began = usage.cpu(pid), time.monotonic()
        self.cluster.api.patch(objects.path("approllouts", ROLLOUT), change)
        ended = self._await_success(f"test-rolling-{target}", self.rollouts.seen, already)
        renderer = sum(usage.memory(child).rss for child in usage.children(pid))
        self._await_rest()
        return Roll(ended - began, time_of_workload(workload.seen), usage.cpu(pid) - cpu,
                    renderer, traffic(self.cluster, self.controller.user, since))

    def _await_success(self, target: str, seen: list, start: int = 0) -> float:
        """When it came."""
        def success():
            return next((at for at, thing in seen[start:]
                         if objects.has_succeeded(thing, target)), None)

        return wait_for(f"{self.controller.name} reports success", success, 90)

    def _await_rest(self) -> None:
        """Until nothing is written any more, so that what is counted is the roll's."""
        def rests() -> bool:
            before = traffic(self.cluster, self.controller.user)
            time.sleep(2)
            after = traffic(self.cluster, self.controller.user)
            return before.writes == after.writes and before.events == after.events

        wait_for(f"{self.controller.name} comes to rest", rests, 60)

    def _await_revision(self, name: str) -> None:
        wait_for(f"revision {name}", lambda: self.cluster.api.exists(
            objects.path("applicationrevisions", name)), 60)

    def _apply(self, file: str) -> None:
        self.cluster.kubectl("apply", "-f", str(objects.SEED / f"{file}.yaml"))

    def _thing(self, file: str) -> dict:
        return json.loads(self.cluster.kubectl(
            "create", "--dry-run=client", "-o", "json", "-f",
            str(objects.SEED / f"{file}.yaml")))


def play(name: str, crds, start, rolls: int) -> Player:
    log_reads_too()
    cluster = Cluster.up("bench", kubelet=False, kwok=1)
    try:
        objects.install(cluster, crds)
        controller = start(cluster)
        try:
            return Seed(cluster, controller).run(rolls)
        except ClusterError as error:
            raise ClusterError(f"{error}\n{name}'s log ends:\n"
                               f"{controller.log.read_text()[-3000:]}") from error
        finally:
            controller.stop()
    finally:
        cluster.down()


def run(build, rolls: int, with_peer: bool) -> dict:
    """The peer is None when it wasn't asked for, or its error when it doesn't work."""
    own = play("sluice", controllers.ROOT / "deploy" / "crds",
               lambda cluster: controllers.sluice(cluster, build), rolls)
    peer = None
    if with_peer:
        try:
            controllers.kubevela_built()
            peer = play("kubevela", tools.path("vela-crds"), controllers.kubevela, rolls)
        except ClusterError as error:
            peer = error
    return {"sluice": own, "kubevela": peer}


def report(found: dict) -> None:
    own, peer = found["sluice"], found["kubevela"]
    rolls = len(own.rolls)
    show.title(f"The seed's 5 pods from v1 to v2 in batches of 1, 2 and 2: median of {rolls} rolls")
    if isinstance(peer, ClusterError):
        show.step(f"KubeVela 1.0.0 is missing here: {peer}")
    rows = [
        _row("seconds to rolloutSucceed", found, lambda p: _median(p, lambda r: r.seconds), "{:.2f}"),
        _row("  beyond the CloneSet's own", found, lambda p: p.beyond, "{:.2f}", "< 0.5"),
        _row("CPU, ms a roll", found, lambda p: _median(p, lambda r: r.cpu * 1000), "{:.1f}"),
        _row("resident (RSS), MiB", found, lambda p: p.memory.rss / 1024, "{:.1f}", "8"),
        _row("  private", found, lambda p: p.memory.private / 1024, "{:.1f}"),
        _row("  heap and written data", found, lambda p: p.memory.anonymous / 1024, "{:.1f}"),
        _row("resident at the peak, MiB", found, lambda p: p.memory.peak / 1024, "{:.1f}"),
        _row("writes", found, lambda p: _median(p, lambda r: r.traffic.writes.total()), "{:.0f}",
             "≤ 12"),
        _row("Events written", found, lambda p: _median(p, lambda r: r.traffic.events.total()),
             "{:.0f}", "≤ 5"),
        _row("reads", found, lambda p: _median(p, lambda r: r.traffic.reads.total()), "{:.0f}"),
        _row("requests refused", found, lambda p: _median(p, lambda r: r.traffic.refused.total()),
             "{:.0f}"),
    ]
    show.table(["", "Sluice", "KubeVela", "ratio", "aim"], rows)
    show.step(f"Sluice's renderer, while it is up: {show.mib(max(roll.renderer for roll in own.rolls))} resident beside it")
    for name, player in found.items():
        if isinstance(player, Player):
            asked = player.rolls[0].traffic
            show.step(f"{name}, v1 to v2: {show.counted(asked.writes + asked.events)}; "
                      f"{show.counted(asked.reads)}")


def _median(player: Player, of) -> float:
    return statistics.median(of(roll) for roll in player.rolls)


def _row(name: str, found: dict, of, form: str, aim: str = "") -> list:
    own, peer = of(found["sluice"]), None
    if not isinstance(found["kubevela"], Player):
        return [name, form.format(own), "–", "–", aim]
    peer = of(found["kubevela"])
    ratio = f"{peer / own:.1f}×" if own > 0 else "–"
    return [name, form.format(own), form.format(peer), ratio, aim]
