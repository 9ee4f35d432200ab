# SPDX-License-Identifier: Apache-2.0
"""The flow of the quick start: the design's YAML, applied in order to a Kubernetes API in memory or to
a real cluster, and each state of the rollout shown as it happens."""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SEED = ROOT / "examples" / "seed"
sys.path.insert(0, str(ROOT / "tests" / "cluster"))

from cluster.cluster import Cluster, wait_for  # noqa: E402
from cluster.in_memory import SandboxCluster  # noqa: E402
from cluster.reach import Reachable  # noqa: E402

ROLLOUT = "/apis/core.oam.dev/v1beta1/namespaces/default/approllouts"
# The condition that becomes true when a state is left, in the order of the table.
STATE_OF = {
    "RolloutLocating": "locatingTargetApp",
    "RolloutSpecVerifying": "verifyingSpec",
    "RolloutInitializing": "initializing",
    "BatchInitializing": "batchInitializing",
    "BatchInRolling": "batchInRolling",
    "BatchVerifying": "batchVerifying",
    "BatchFinalizing": "batchFinalizing",
    "BatchReady": "batchReady",
    "RolloutFinalizing": "finalising",
}
TIMEOUT = 180


class Controller:
    """The program under demonstration, with a config of its own."""

    def __init__(self, build: Path, cluster: Reachable):
        self.config = cluster.dir / "sluice.yaml"
        self.log = cluster.dir / "sluice.log"
        self.config.write_text(
            "adapters:\n"
            f"  directory: {build / 'plugins' / 'cloneset'}\n"
            "  enabled:\n"
            "    - name: cloneset\n"
            "renderer:\n"
            f"  program: {build / 'plugins' / 'cue' / 'sluice-cue'}\n")
        self.command = [str(build / "core" / "sluice"), "controller", "--config",
                        str(self.config), "--kubeconfig", str(cluster.kubeconfig)]
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=self.log.open("w"),
                                        start_new_session=True)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def check(self) -> None:
        if self.process.poll() is not None:
            raise SystemExit(f"the controller has ended:\n{self.log.read_text()[-2000:]}")


def watch_statuses(cluster: Reachable, name: str):
    """Every version of the rollout's status from now on, as the API server tells it."""
    connection = cluster.api.connect(TIMEOUT)
    connection.request("GET", f"{ROLLOUT}?watch=true&fieldSelector=metadata.name={name}",
                       headers=cluster.api.headers)
    for line in connection.getresponse():
        thing = json.loads(line)["object"]
        yield thing["metadata"].get("generation", 0), thing.get("status", {})


def passed_states(status: dict, since: str) -> list:
    """The states that were left after `since`, in order."""
    left = [(c["lastTransitionTime"], STATE_OF[c["type"]]) for c in status.get("conditions", [])
            if c["status"] == "True" and c["type"] in STATE_OF and c["lastTransitionTime"] > since]
    return [state for _, state in sorted(left)]


def latest_time(status: dict) -> str:
    return max((c["lastTransitionTime"] for c in status.get("conditions", [])), default="")


def pods_bar(status: dict) -> str:
    total = status.get("rolloutTargetSize", 0)
    ready, upgraded = status.get("upgradedReadyReplicas", 0), status.get("upgradedReplicas", 0)
    return "●" * ready + "○" * max(0, upgraded - ready) + "·" * max(0, total - upgraded)


def where(status: dict) -> str:
    rolling = status.get("rollingState", "")
    return status.get("batchRollingState", "") if rolling == "rollingInBatches" else rolling


def show(status: dict, since: str, start: float) -> None:
    """One line for what was passed in the batch before, one for the batch that has begun."""
    states = passed_states(status, since) + [where(status)]
    steps = [state for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
    batch, clock = status.get("currentBatch", 0) + 1, f"{time.monotonic() - start:5.1f} s"
    turn = steps.index("batchInitializing") if "batchInitializing" in steps else 0
    if turn and batch > 1:
        print(f"  {clock}  batch {batch - 1}  {pods_bar(status):6} {' › '.join(steps[:turn])}")
        steps, clock = steps[turn:], " " * 7
    print(f"  {clock}  batch {batch}  {pods_bar(status):6} {' › '.join(steps)}", flush=True)


def follow(cluster: Reachable, generation: int, since: str, done) -> dict:
    """Shows the states that are left after `since` until `done(status)`; returns the last status."""
    start, shown = time.monotonic(), None
    for seen, status in watch_statuses(cluster, "rolling-example"):
        if min(seen, status.get("observedGeneration", 0)) < generation:
            continue
        face = (where(status), status.get("currentBatch"), pods_bar(status))
        if face != shown:
            show(status, since, start)
            since, shown = latest_time(status), face
        if done(status):
            return status
        if time.monotonic() - start > TIMEOUT:
            break
    raise SystemExit("the rollout did not get there in time")


def succeeded(status: dict) -> bool:
    if status.get("rollingState") == "rolloutFailed":
        raise SystemExit(f"the rollout has failed: {status['reason']['message']}")
    return status.get("rollingState") == "rolloutSucceed"


def held(status: dict) -> bool:
    return status.get("reason", {}).get("code") == "PartitionReached"


def apply(cluster: Reachable, file: str, what: str) -> None:
    print(f"\n{what}\n  $ kubectl apply -f examples/seed/{file}")
    cluster.apply_files(SEED / file)


def revision(cluster: Reachable, name: str) -> None:
    path = f"/apis/core.oam.dev/v1beta1/namespaces/default/applicationrevisions/{name}"
    wait_for(f"revision {name}", lambda: cluster.api.exists(path), 30)
    print(f"  recorded as {name}")


def roll(cluster: Reachable, file: str, what: str, done=succeeded) -> dict:
    path = f"{ROLLOUT}/rolling-example"
    before = cluster.api.get(path).get("status", {}) if cluster.api.exists(path) else {}
    apply(cluster, file, what)
    generation = cluster.api.get(path)["metadata"]["generation"]
    return follow(cluster, generation, latest_time(before), done)


def flow(cluster: Reachable) -> None:
    apply(cluster, "componentdefinition-clonesetservice.yaml",
          "A component type: how a service becomes a CloneSet")
    apply(cluster, "application-v1.yaml", "The application, with podinfo 4.0.6")
    revision(cluster, "test-rolling-v1")
    roll(cluster, "approllout-to-v1.yaml", "First deployment: 10%, 40%, 50% of 5 pods")
    apply(cluster, "application-v2.yaml", "The application again, with podinfo 5.0.2")
    revision(cluster, "test-rolling-v2")
    roll(cluster, "approllout-v1-to-v2.yaml", "v1 to v2, in place: 1, 2 and 2 pods")
    roll(cluster, "approllout-to-v1.yaml", "Back to v1: name the other revision")
    roll(cluster, "approllout-overview.yaml", "v1 to v2 again, held after the second batch", held)
    print("  holds: batchPartition is 1")
    last = roll(cluster, "approllout-v1-to-v2.yaml", "Leave to go on: batchPartition taken away")
    print(f"\n{last['rollingState']}")


def install(cluster: Reachable) -> None:
    cluster.define(ROOT / "deploy" / "crds")
    cluster.make_namespace("vela-system")


def bring_up(options) -> Reachable:
    start = time.monotonic()
    if options.real:
        cluster = Cluster.up("quickstart", log=lambda part: print(f"{'starting':12} {part}"))
    else:
        cluster = SandboxCluster(options.build / "sdk" / "sandbox" / "sluice-sandbox",
                                 Path(tempfile.mkdtemp(prefix="sluice-quickstart-")),
                                 "--openkruise", "--ready-after", str(options.ready_after))
    print(f"{'cluster':12} up in {time.monotonic() - start:.1f} s")
    print(f"{'a pod':12} ● new and ready, ○ new, · still to come")
    return cluster


def take_down(cluster: Reachable) -> None:
    cluster.down()
    if not cluster.is_real:
        shutil.rmtree(cluster.dir)


def farewell(cluster: Reachable, controller: Controller) -> None:
    look, end = "kubectl get approllouts,clonesets,pods", f"tests/cluster/down --name {cluster.name}"
    if not cluster.is_real:
        look = f"{controller.command[0]} status"
        end = f"kill {controller.process.pid} {cluster.pid}; rm -r {cluster.dir}"
    print("\nThe cluster and the controller go on running."
          f"\n  export KUBECONFIG={cluster.kubeconfig}"
          f"\n  {look}"
          f"\n  tail -f {controller.log}"
          f"\n  {end}    (ends all of it)")


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--real", action="store_true", help="on a real Kubernetes with OpenKruise")
    parser.add_argument("--keep", action="store_true", help="leave it running")
    parser.add_argument("--ready-after", type=float, default=1.5, metavar="SECONDS",
                        help="what a pod takes to get ready where it is simulated (default: 1.5)")
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def main() -> None:
    options = read_options()
    cluster, controller = bring_up(options), None
    try:
        install(cluster)
        controller = Controller(options.build, cluster)
        flow(cluster)
        if options.keep:
            farewell(cluster, controller)
            cluster = controller = None
        else:
            print("\nStep by step, with your own hands: docs/getting-started.md")
    finally:
        if controller:
            controller.stop()
        if cluster:
            take_down(cluster)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    main()
