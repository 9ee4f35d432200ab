# SPDX-License-Identifier: Apache-2.0
"""A thousand rollouts: what it takes to roll them, to do nothing with them, and to start with them.

Each is an AppRollout of one CloneSet, with an Application of its own. First all are deployed, then
all are rolled to another image, both in four batches of 25%. The pods are kwok's, ready at once; what
takes long is the control plane's own work on them.
"""

import json
import time
from dataclasses import dataclass

from cluster import Cluster, audit, wait_for

from . import controllers, crowd, objects, show, usage
from .traffic import Traffic, log_reads_too, now, traffic

KINDS = {"AppRollout", "Application", "ApplicationRevision", "ComponentDefinition", "CloneSet"}


@dataclass(frozen=True)
class Options:
    count: int = 1000
    pods: int = 1
    seconds: int = 60


@dataclass
class Rolled:
    """What it took to bring all rollouts to success once."""

    seconds: float
    cpu: float
    renderer_cpu: float
    adapter_cpu: float
    traffic: Traffic


@dataclass
class Quiet:
    """A while in which there is nothing to do."""

    seconds: int
    memory: usage.Memory
    cpu: float
    wakeups: int
    descriptors: int
    threads: int
    requests: int


@dataclass
class Started:
    """A start with all rollouts there already, one of which wants to be rolled."""

    listed: float
    decided: float
    cpu: float


class Idle:
    """The run, on a cluster of its own."""

    def __init__(self, cluster: Cluster, build, options: Options, isolation="inProcess"):
        self.cluster = cluster
        self.options = options
        objects.install(cluster)
        self.controller = controllers.sluice(cluster, build, isolation)
        self.empty = self._quiet(5)
        show.step(f"sluice runs; with nothing to do it has {show.mib(self.empty.memory.rss)}")

    def run(self) -> dict:
        rolls = self.rolls()
        quiet = self._quiet(self.options.seconds)
        started = self._restart()
        self._followed("the one that waited", 1, f"{objects.app(0)}-v1")
        return {**rolls, "empty": self.empty, "quiet": quiet, "started": started,
                "fresh": self._quiet(self.options.seconds)}

    def rolls(self) -> dict:
        """All are deployed, then all are rolled."""
        count, pods = self.options.count, self.options.pods
        return {"deployed": self._measured(lambda: self._deploy(count, pods)),
                "rolled": self._measured(lambda: self._roll(count))}

    def close(self) -> None:
        self.controller.stop()

    def _deploy(self, count: int, pods: int) -> None:
        self._create("applications", [objects.application(i, 1, pods) for i in range(count)])
        self._await_revisions("first revisions", 1, count)
        self._create("approllouts", [objects.rollout(i, 1) for i in range(count)])
        self._followed("deployed", count, "-v1")

    def _roll(self, count: int) -> None:
        self._change("applications", [objects.application(i, 2, self.options.pods)
                                      for i in range(count)])
        self._await_revisions("second revisions", 2, count)
        self._change("approllouts", [objects.rollout(i, 2) for i in range(count)])
        self._followed("rolled", count, "-v2")

    def _measured(self, work) -> Rolled:
        since, began = now(), time.monotonic()
        cpu, others, adapter = self._cpu()
        work()
        seconds = time.monotonic() - began
        self._await_renderer_gone()
        cpu_now, others_now, adapter_now = self._cpu()
        adapter = adapter_now - adapter
        return Rolled(seconds, cpu_now - cpu, others_now - others - adapter, adapter,
                      traffic(self.cluster, self.controller.user, since))

    def _cpu(self) -> tuple:
        """Of the controller, of its helpers, and of its adapters among these."""
        pid = self.controller.pid
        return usage.cpu(pid), usage.cpu_of_children(pid), usage.cpu_of_adapters(pid)

    def _await_renderer_gone(self) -> None:
        pid = self.controller.pid
        wait_for("the renderer ends when idle", lambda: all(
            usage.is_adapter(child) for child in usage.children(pid)), 30)

    def _quiet(self, seconds: int) -> Quiet:
        pid = self.controller.pid
        self._await_renderer_gone()
        self._await_rest()
        since, cpu, wakeups = now(), usage.cpu(pid), usage.wakeups(pid)
        time.sleep(seconds)
        asked = traffic(self.cluster, self.controller.user, since)
        return Quiet(seconds, usage.memory(pid), usage.cpu(pid) - cpu,
                     usage.wakeups(pid) - wakeups, usage.descriptors(pid), usage.threads(pid),
                     sum((asked.reads + asked.writes + asked.events).values()))

    def _await_rest(self) -> None:
        """The workloads' last status changes may come after the rollouts' success."""
        def rests() -> bool:
            before = usage.cpu(self.controller.pid)
            time.sleep(2)
            return usage.cpu(self.controller.pid) - before < 0.002

        wait_for("the controller comes to rest", rests, 60)

    def _restart(self) -> Started:
        """While it is down, one rollout is asked to go back."""
        self.controller.stop()
        self._change("approllouts", [objects.rollout(0, 1, 2)])
        said = self.controller.log.stat().st_size
        since = now()
        self.controller.start()
        wait_for("the first decision", lambda: self._asked(since).first_write, 60)
        wait_for("all is listed", lambda: KINDS <= self._watching(said).keys(), 60)
        started = Started(max(audit.seconds_between(since, at) for at in self._watching(said).values()),
                          audit.seconds_between(since, self._asked(since).first_write),
                          usage.cpu(self.controller.pid))
        show.step(f"restarted: listed after {started.listed:.2f} s, first write after "
                  f"{started.decided:.2f} s")
        return started

    def _asked(self, since: str) -> Traffic:
        return traffic(self.cluster, self.controller.user, since)

    def _watching(self, offset: int) -> dict:
        """When each kind was said to be listed, after this place in the log."""
        with open(self.controller.log, encoding="utf-8") as log:
            log.seek(offset)
            lines = [json.loads(line) for line in log if line.endswith("}\n")]
        return {line["object"]: line["time"] for line in lines
                if line.get("topic") == "cluster" and line["message"] == "watching"}

    def _create(self, plural: str, things: list) -> None:
        crowd.send(self.cluster, f"{plural} created", things,
                   lambda wire, thing: wire.send("POST", objects.path(plural), thing))

    def _change(self, plural: str, things: list) -> None:
        crowd.send(self.cluster, f"{plural} changed", things, lambda wire, thing: wire.send(
            "PATCH", objects.path(plural, thing["metadata"]["name"]), thing, "merge"))

    def _await_revisions(self, what: str, number: int, count: int) -> None:
        def there(app: dict) -> bool:
            return app.get("status", {}).get("latestRevision", {}).get("revision") == number

        crowd.collect(self.cluster, what, self._apps(count), objects.path("applications"), there)

    @staticmethod
    def _apps(count: int) -> set:
        return {objects.app(i) for i in range(count)}

    def _followed(self, what: str, count: int, target: str) -> None:
        """Until that many rollouts have brought that target to success."""
        crowd.collect(self.cluster, what, self._apps(count), objects.path("approllouts"),
                      lambda rollout: objects.has_succeeded(rollout, target))


def run(build, options: Options) -> dict:
    log_reads_too()
    cluster = Cluster.up("bench", kubelet=False, kwok=10)
    try:
        idle = Idle(cluster, build, options)
        try:
            return idle.run()
        finally:
            idle.close()
    finally:
        cluster.down()


def report(options: Options, found: dict) -> None:
    count = options.count
    show.title(f"{count} AppRollouts of one CloneSet with {options.pods} pods each; "
               "Argo Rollouts 1.8.3 with 1000 of 4 pods in brackets")
    show.table(["memory of the controller", "nothing yet", "after all rolls", "restarted", "aim"], [
        ["resident (RSS)", *_memory(found, "rss"), "16.9 (a tenth of 169)"],
        ["  proportional share (PSS)", *_memory(found, "pss"), ""],
        ["  private", *_memory(found, "private"), ""],
        ["  heap and written data", *_memory(found, "anonymous"), ""],
        ["resident at the peak", *_memory(found, "peak"), "24.8 (a tenth of 248)"],
    ])
    quiets = [found["empty"], found["quiet"], found["fresh"]]
    show.title("Doing nothing")
    show.table(["", "nothing yet", "after all rolls", "restarted"], [
        ["measured over", *[f"{quiet.seconds} s" for quiet in quiets]],
        ["CPU time", *[f"{quiet.cpu * 1000:.2f} ms" for quiet in quiets]],
        ["wake-ups", *[quiet.wakeups for quiet in quiets]],
        ["requests to the API", *[quiet.requests for quiet in quiets]],
        ["file descriptors", *[quiet.descriptors for quiet in quiets]],
        ["threads", *[quiet.threads for quiet in quiets]],
    ])
    first, second = found["deployed"], found["rolled"]
    show.title("For each rollout (four batches)")
    show.table(["", "first deployment", "v1 to v2", "both", "aim"], [
        ["CPU of the controller", *_each(count, first, second, lambda r: r.cpu * 1000, "{:.2f} ms"),
         "8.6 ms (a tenth of 86)"],
        ["CPU of the renderer", *_each(count, first, second, lambda r: r.renderer_cpu * 1000,
                                       "{:.2f} ms"), ""],
        ["writes", *_each(count, first, second, lambda r: r.traffic.writes.total()), ""],
        ["writes of Events", *_each(count, first, second, lambda r: r.traffic.events.total()), ""],
        ["reads", *_each(count, first, second, lambda r: r.traffic.reads.total()), ""],
        ["refused of these", *_each(count, first, second, lambda r: r.traffic.refused.total(),
                                    "{:.2f}"), ""],
        ["seconds for all", f"{first.seconds:.0f}", f"{second.seconds:.0f}", "", ""],
    ])
    for name, rolled in (("first deployment", first), ("v1 to v2", second)):
        asked = rolled.traffic
        show.step(f"{name}: {show.counted(asked.writes + asked.events + asked.reads)}")
        if asked.refused:
            show.step(f"  refused: {show.counted(asked.refused)}")
    started = found["started"]
    show.title(f"Started with {count} there")
    show.step(f"all listed after {started.listed:.2f} s, first decision written after "
              f"{started.decided:.2f} s, {started.cpu * 1000:.0f} ms CPU")


def _memory(found: dict, what: str) -> list:
    return [f"{getattr(found[when].memory, what) / 1024:.1f} MiB"
            for when in ("empty", "quiet", "fresh")]


def _each(count: int, first: Rolled, second: Rolled, of, form: str = "{:.1f}") -> list:
    return [form.format(of(first) / count), form.format(of(second) / count),
            form.format((of(first) + of(second)) / count)]
