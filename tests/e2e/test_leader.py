# SPDX-License-Identifier: Apache-2.0
"""Several controllers and one Lease: which of them acts, and that no other does.

What is proven is read from the API's history alone. Every controller of this project writes the same,
so where it matters who has written, all others are frozen meanwhile.
"""

import itertools
import json
import re
import subprocess
from contextlib import closing
from datetime import datetime, timezone

import pytest

from cluster import tools
from cluster.api import ApiError
from harness import proof
from harness.controller import config_text
from harness.objects import application, component, rollout

NAMESPACE = "sluice-system"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
NO_LEASE = 6  # what a controller ends with that doesn't hold it any more

BRIEF = ("--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s",
         "--leader-elect-retry-period=1s")
# Nobody waits for the end of this one within a test.
LONG = ("--leader-elect-lease-duration=600s", "--leader-elect-renew-deadline=500s")


class Crew:
    """The controllers that share a Lease, and what the Lease was."""

    def __init__(self, stage):
        self.stage = stage
        self.lease = f"lease-{stage.namespace}"
        self.path = f"{LEASES}/{self.lease}"
        stage.history.add("Lease", LEASES)

    def candidate(self, *terms: str):
        """One that has nothing left to do but to lead, or to wait for that."""
        config = config_text(namespace=self.stage.namespace, serve={"listen": ""})
        made = self.stage.controller_with(config, "--leader-elect",
                                          f"--leader-elect-resource-name={self.lease}",
                                          f"--leader-elect-resource-namespace={NAMESPACE}", *terms)
        made.start()
        self.stage.wait("it knows the Lease", lambda: self.says(made, "leading|waiting"))
        return made

    def says(self, controller, words: str) -> bool:
        return any(re.match(words, line["message"]) for line in controller.log_lines()
                   if line["topic"] == "lease")

    def wait_leads(self, controller) -> None:
        self.stage.wait("it leads", lambda: self.says(controller, "leading"))

    def records(self) -> list:
        return [version.object["spec"]
                for version in self.stage.history.versions("Lease", self.lease)]

    def holders(self) -> list:
        """Who has held it, in order; "" for nobody."""
        names = [record["holderIdentity"] for record in self.records()]
        return [name for name, _ in itertools.groupby(names)]

    def turns(self) -> list:
        """The versions of the Lease in which somebody else has it than in the one before."""
        versions = self.stage.history.versions("Lease", self.lease)
        return [after for before, after in itertools.pairwise(versions)
                if before.object["spec"]["holderIdentity"]
                != after.object["spec"]["holderIdentity"]]

    def write(self, holder: str, transitions: int, seconds: int = 6,
              renewed: str = "2026-01-31T12:00:00.000000Z") -> None:
        """As client-go's elector writes it, on a machine whose clock is far away from ours."""
        spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds,
                "acquireTime": "2026-01-31T12:00:00.000000Z", "renewTime": renewed,
                "leaseTransitions": transitions}
        api = self.stage.api
        if not api.exists(self.path):
            api.create(LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                                "metadata": {"name": self.lease}, "spec": spec})
        else:
            while not self.replace({**api.get(self.path), "spec": spec}):
                pass

    def replace(self, lease: dict) -> bool:
        """False: somebody was faster."""
        try:
            self.stage.api.request("PUT", self.path, lease)
        except ApiError as error:
            if error.code != 409:
                raise
            return False
        return True


@pytest.fixture
def crew(stage):
    stage.cluster.make_namespace(NAMESPACE)
    made = Crew(stage)
    yield made
    if stage.api.exists(made.path):
        stage.api.delete(made.path)


def begin_roll(stage, **plan) -> int:
    """From 4.0.6 to 5.0.2 in three batches; where the history was before it."""
    stage.deploy(fake=True)
    since = stage.history.number()
    stage.record(2, component(version="5.0.2", fake=True))
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, 2, 2], **plan))
    return since


def wait_goal(stage, goal: int) -> None:
    stage.wait(f"{goal} pods may be new", lambda: proof.goals(
        stage.history, "web", "5.0.2")[-1:] == [goal])


def wait_stands(stage, batch: int) -> None:
    """It stands at its partition, and has told of the batch before, which is the last that it writes: what
    is on its way when a process is stopped arrives, now or when the process is woken up."""
    stage.wait_reason("PartitionReached")
    stage.event("BatchReady", f"^batch {batch} of 3 is done")


def finish_roll(stage, since: int) -> None:
    """It ends as planned: no batch skipped, none done twice, never more pods away than one batch."""
    stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    assert proof.goals(stage.history, "web", "5.0.2") == [0, 1, 3, 5]
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 2, 2]
    assert proof.fewest_ready(stage.history, "web", since) >= 3


def ours(stage, since: int) -> list:
    """What only a controller of ours writes, after a version: rollouts' statuses, Events, Leases, and
    what a CloneSet is told to do."""
    versions = stage.history.versions(since=since)
    known = {version.name: told(version.object)
             for version in stage.history.versions("CloneSet") if version.number <= since}
    return [version for version in versions if version.kind in ("AppRollout", "Event", "Lease")
            or version.kind == "CloneSet" and told(version.object) != known[version.name]]


def told(cloneset: dict) -> tuple:
    return cloneset["spec"], cloneset["metadata"].get("annotations")


def test_one_that_stops_hands_over(stage, crew):
    """In the middle of a roll. The Lease would last ten minutes: who waited for its end would not be
    there in time."""
    first, second = crew.candidate(*LONG), crew.candidate(*LONG)
    since = begin_roll(stage, batchPartition=1)
    wait_goal(stage, 3)
    first.stop()
    crew.wait_leads(second)
    stage.plan(batchPartition=None)
    finish_roll(stage, since)
    given, taken = crew.turns()
    print(f"taken {(taken.at - given.at) * 1000:.1f} ms after it was given away")
    one, nobody, other = crew.holders()
    assert one and other and one != other and nobody == ""
    given_away = next(record for record in crew.records() if not record["holderIdentity"])
    assert given_away["leaseDurationSeconds"] == 1 and given_away["leaseTransitions"] == 0
    assert crew.records()[-1]["leaseTransitions"] == 1
    assert MICRO_TIME.fullmatch(crew.records()[-1]["renewTime"])
    assert MICRO_TIME.fullmatch(crew.records()[-1]["acquireTime"])


def test_one_that_waits_writes_nothing(stage, crew):
    """While it waits there is nothing that it does, whatever there is to do; then all of it."""
    crew.write("somebody-else_1234", 7, seconds=600)
    waiting = crew.candidate(*LONG)
    stage.put(application(component(version="4.0.6", fake=True)))
    put = stage.put(rollout("shop-v1", numBatches=1))
    since = int(put["metadata"]["resourceVersion"])
    assert not stage.history.quiet(since, 2, "AppRollout", "ApplicationRevision", "CloneSet",
                                   "Event", "Lease")
    crew.write("", 7, seconds=1)
    crew.wait_leads(waiting)
    stage.wait_state("rolloutSucceed")
    assert crew.records()[-1]["leaseTransitions"] == 8


def test_one_that_is_killed_is_followed_when_its_time_is_over(stage, crew):
    first, second = crew.candidate(*BRIEF), crew.candidate(*BRIEF)
    since = begin_roll(stage, batchPartition=1)
    wait_goal(stage, 3)
    first.kill()
    crew.wait_leads(second)
    stage.plan(batchPartition=None)
    finish_roll(stage, since)
    assert len(crew.holders()) == 2 and "" not in crew.holders()
    taken = crew.turns()[0]
    last = [version for version in stage.history.versions("Lease", crew.lease)
            if version.number < taken.number][-1]
    print(f"taken {taken.at - last.at:.1f} s after its last renewal; it counted for 6 s")


def test_one_that_wakes_up_writes_nothing(stage, crew):
    """It is stopped while it leads. The other takes over and is stopped too, and something is asked for:
    the one that wakes up first is the only one that could do it, and must not."""
    first, second = crew.candidate(*BRIEF), crew.candidate(*BRIEF)
    since = begin_roll(stage, batchPartition=0)
    wait_stands(stage, batch=1)
    first.freeze()
    crew.wait_leads(second)
    stage.plan(batchPartition=1)
    wait_goal(stage, 3)
    wait_stands(stage, batch=2)
    second.freeze()
    stage.history.catch_up()
    number = int(stage.plan(batchPartition=2)["metadata"]["resourceVersion"])
    began = datetime.now(timezone.utc).isoformat(timespec="microseconds")
    first.thaw()
    first.ends_with(NO_LEASE)
    stage.history.catch_up()
    assert not ours(stage, number)
    if stage.cluster.is_real:
        assert not stage.writes(since=began)  # nor was anything tried
    second.thaw()
    finish_roll(stage, since)
    assert ours(stage, number)
    assert not stage.cluster.is_real or stage.writes(since=began)
    assert len(crew.holders()) == 2


def test_its_lease_can_be_shared_with_other_electors(stage, crew):
    """Times of other machines say nothing: one that renews is waited for, however old its times are.
    One that writes itself into the Lease has it."""
    crew.write("go_1", 3)
    waiting = crew.candidate(*BRIEF)
    for second in (1, 2, 3):
        stage.history.quiet(stage.history.number(), 3, "Lease")
        crew.write("go_1", 3, renewed=f"2026-01-31T12:00:0{second}.000000Z")
    stage.history.catch_up()
    assert crew.holders() == ["go_1"]
    crew.wait_leads(waiting)
    ours_now = crew.records()[-1]
    assert ours_now["leaseTransitions"] == 4 and ours_now["leaseDurationSeconds"] == 6
    assert not ours_now["holderIdentity"].startswith("go_1")
    crew.write("go_2", 5)
    waiting.ends_with(NO_LEASE)
    assert crew.says(waiting, 'not leading any more.*"go_2"')
    assert crew.records()[-1]["holderIdentity"] == "go_2"


def test_a_label_on_the_lease_is_nobodys_renewal(stage, crew):
    """It makes another version of it: who leads goes on, and still gives it away at the end."""
    leading = crew.candidate(*LONG)
    crew.wait_leads(leading)
    stage.api.patch(crew.path, {"metadata": {"labels": {"team": "a"}}})
    leading.stop()
    stage.history.catch_up()
    assert crew.holders()[-1] == ""
    last = stage.history.now("Lease", crew.lease)
    assert last["metadata"]["labels"] == {"team": "a"}


def test_a_deleted_lease_is_made_anew_by_who_leads(stage, crew):
    leading, waiting = crew.candidate(*BRIEF), crew.candidate(*BRIEF)
    crew.wait_leads(leading)
    holder = crew.records()[-1]["holderIdentity"]
    stage.api.delete(crew.path)
    stage.wait("it is there again", lambda: stage.history.now("Lease", crew.lease) and
               stage.history.now("Lease", crew.lease)["spec"]["holderIdentity"] == holder)
    assert leading.alive() and not crew.says(waiting, "leading")


class Scheduler:
    """client-go's own elector, in a program of Kubernetes' that has nothing else to do: no pod asks for
    a scheduler of this name."""

    def __init__(self, crew, folder):
        self.crew, self.log = crew, folder / "scheduler.log"
        config = folder / "scheduler.json"
        config.write_text(json.dumps({
            "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "profiles": [{"schedulerName": "nobody-asks-for"}],
            "clientConnection": {"kubeconfig": str(crew.stage.cluster.kubeconfig)},
            "leaderElection": {"leaderElect": True, "resourceLock": "leases", "resourceName": crew.lease,
                               "resourceNamespace": NAMESPACE, "leaseDuration": "6s",
                               "renewDeadline": "4s", "retryPeriod": "1s"}}))
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [tools.path("kube-scheduler"), f"--config={config}", "--secure-port=0"], stderr=log)

    def wait_says(self, words: str) -> None:
        self.crew.stage.wait(words, lambda: words in self.log.read_text(encoding="utf-8"))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.mark.real("a sandbox has no kube-scheduler")
def test_client_gos_elector_and_ours_take_turns(stage, crew, tmp_path):
    """Killed, it is waited for as long as its record says; what one gives away the other takes at once."""
    with closing(Scheduler(crew, tmp_path)) as theirs:
        theirs.wait_says("successfully acquired lease")
        ours = crew.candidate(*BRIEF)
        stage.put(application(component(version="4.0.6", fake=True)))
        put = stage.put(rollout("shop-v1", numBatches=1))
        since = int(put["metadata"]["resourceVersion"])
        assert not stage.history.quiet(since, 8, "AppRollout", "ApplicationRevision", "CloneSet")
        theirs.process.kill()
        crew.wait_leads(ours)
    stage.wait_state("rolloutSucceed")
    with closing(Scheduler(crew, tmp_path)) as theirs:
        theirs.wait_says("attempting to acquire leader lease")
        ours.stop()
        theirs.wait_says("successfully acquired lease")
        ours = crew.candidate(*LONG)
        theirs.process.terminate()
        crew.wait_leads(ours)
    stage.history.catch_up()
    assert [bool(holder) for holder in crew.holders()] == [True, True, False, True, False, True]
    assert len({*crew.holders()}) == 5
    assert [record["leaseTransitions"] for record in crew.records()][-1] == 3
