# SPDX-License-Identifier: Apache-2.0
"""A test of the test: a history in which nothing is wrong, and the same with one violation of each sort,
which is found, by its question and by no other."""

import copy

import pytest

from harness.history import Version
from harness.judge import AT_REST, HOLDER, Record, Write, violations

OLD, NEW = "4.0.6", "5.0.2"
SIZE, BATCHES = 5, [1, 2, 2]


class Told:
    """Writes a history, version by version. At first five old pods are held at rest; what it is told
    then is what is judged."""

    def __init__(self, kind="StatefulSet"):
        self.record = Record(kind, SIZE - 1, SIZE, 0, [], lease="lease")
        self.workload = {"metadata": {"name": "web", "generation": 1,
                                      "annotations": {HOLDER: "web", AT_REST: ""}},
                         "spec": _template(OLD)}
        self.rollout = {"metadata": {"name": "web", "uid": "1", "generation": 1},
                        "spec": {"rolloutPlan": {"rolloutBatches": [{"replicas": count}
                                                                    for count in BATCHES]}},
                        "status": _status("rolloutSucceed", "Held", OLD)}
        self.put(kind, self.workload)
        self.put("Rollout", self.rollout)
        for number in range(SIZE):
            self.pod(number, OLD)
        self.record.since = len(self.record.versions)
        self.lease("one")

    def put(self, kind: str, thing: dict, deleted=False) -> None:
        number = len(self.record.versions) + 1
        thing["metadata"]["resourceVersion"] = str(number)
        self.record.versions.append(Version(number, kind, thing["metadata"]["name"], deleted,
                                            copy.deepcopy(thing), 0))

    def pod(self, number: int, image: str, ready=True) -> None:
        full = f"podinfo:{image}"
        self.put("Pod", {
            "metadata": {"name": f"web-{number}", "uid": f"pod-{number}"},
            "spec": {"containers": [{"image": full}]},
            "status": {"conditions": [{"type": "Ready", "status": str(ready)}],
                       "containerStatuses": [{"image": full, "state": {"running": {}}}]}})

    def image(self, image: str) -> None:
        self.workload["spec"] = _template(image)
        self.tell()

    def tell(self, rest=True) -> None:
        """The workload is told something."""
        self.workload["metadata"]["generation"] += 1
        notes = {HOLDER: "web", **({AT_REST: ""} if rest else {})}
        self.workload["metadata"]["annotations"] = notes
        self.put(self.record.kind, self.workload)

    def say(self, state: str, why: str, image=NEW, **fields) -> None:
        self.rollout["status"] = _status(state, why, image, **fields)
        self.put("Rollout", self.rollout)

    def turn(self, *numbers: int, image=NEW) -> None:
        """These pods are replaced, one after the other."""
        for number in numbers:
            self.pod(number, image, ready=False)
            self.pod(number, image)

    def write(self, agent: str, resource="statefulsets", code=200, holder="") -> None:
        at = float(len(self.record.writes))
        name = "lease" if resource == "leases" else "web"
        self.record.writes.append(Write(agent, at, at + 0.5, resource, name, code, holder))

    def lease(self, agent: str, holder="somebody") -> None:
        self.write(agent, "leases", holder=holder)

    def batch(self, number: int, *pods: int) -> None:
        self.write("one")
        self.tell(rest=False)
        self.say("rollingInBatches", "PodsNotReady", currentBatch=number,
                 stepTarget=sum(BATCHES[:number + 1]))
        self.turn(*pods)

    def end(self) -> None:
        self.write("one")
        self.tell()
        self.say("rolloutSucceed", "Held", currentBatch=2, stepTarget=SIZE)

    def roll(self) -> "Told":
        self.image(NEW)
        self.batch(0, 4)
        self.batch(1, 3, 2)
        self.lease("one")
        self.batch(2, 1, 0)
        self.end()
        return self

    def found(self) -> list:
        return [violation.partition(":")[0] for violation in violations(self.record)]


def _template(image: str) -> dict:
    return {"template": {"spec": {"containers": [{"image": f"podinfo:{image}"}]}}}


def _status(state: str, why: str, image: str, **fields) -> dict:
    return {"rollingState": state, "reason": {"code": why}, "observedGeneration": 1,
            "lastTargetAppRevision": image, **fields}


@pytest.fixture
def told():
    return Told()


def test_nothing_is_found_where_nothing_is_wrong(told):
    assert not violations(told.roll().record)


# Availability

def test_two_pods_at_once(told):
    told.image(NEW)
    told.batch(0, 4)
    told.batch(1)
    told.pod(3, NEW, ready=False)
    told.pod(2, NEW, ready=False)
    told.turn(3, 2)
    told.batch(2, 1, 0)
    told.end()
    assert told.found() == ["under_promise"]


def test_a_pod_that_runs_something_else_yet_is_not_ready(told):
    told.roll()
    for version in told.record.versions[told.record.since:]:
        if version.name in ("web-0", "web-1"):
            version.object["status"]["containerStatuses"][0]["image"] = f"podinfo:{OLD}"
    assert told.found() == ["under_promise", "unsettled"]


def interrupted(told, third="6.0.0", missing=(3, 2)) -> None:
    """Three pods had been let go, and take a third image, some of them at once."""
    told.image(NEW)
    told.batch(0, 4)
    told.batch(1, 3, 2)
    told.workload["spec"] = _template(third)
    told.tell(rest=False)
    for number in missing:
        told.pod(number, third, ready=False)
    told.turn(4, 3, 2, image=third)
    told.tell()
    told.turn(1, 0, image=third)
    told.say("rolloutSucceed", "Held", third)


def test_what_was_let_go_of_a_deployment_may_go_at_once():
    told = Told("Deployment")
    interrupted(told)
    assert not told.found()


def test_of_a_stateful_set_one_may(told):
    """The highest, while the lowest of them misses."""
    interrupted(told, missing=(2,))
    assert not told.found()


def test_of_a_stateful_set_no_two_may(told):
    interrupted(told, missing=(3, 2))
    assert told.found() == ["under_promise"]


def test_what_was_let_go_of_others_may_not():
    told = Told("CloneSet")
    interrupted(told)
    assert told.found() == ["under_promise"]


# One acting leader

def test_one_writes_after_another_has_taken_over(told):
    told.roll()
    told.lease("two", "other")
    told.write("one")
    assert told.found() == ["two_acting"]


def test_one_tries_to(told):
    told.roll()
    told.lease("two", "other")
    told.write("one", code=409)
    assert told.found() == ["two_acting"]


def test_one_writes_after_it_has_given_the_lease_away(told):
    told.roll()
    told.lease("one", holder="")
    told.write("one", "events")
    assert told.found() == ["two_acting"]


def test_one_that_never_had_it_writes(told):
    told.roll()
    told.write("two")
    assert told.found() == ["two_acting"]


def test_one_that_waits_may_ask_for_the_lease(told):
    """And is told that somebody was faster."""
    told.roll()
    told.write("two", "leases", code=409)
    told.write("one")
    assert not told.found()


# Batches and goals

def test_a_pod_before_its_batch(told):
    told.image(NEW)
    told.batch(0)
    told.pod(4, NEW, ready=False)
    told.pod(3, NEW)
    told.pod(4, NEW)
    told.batch(1, 2)
    told.batch(2, 1, 0)
    told.end()
    assert told.found() == ["beyond_its_batch"]


def test_a_pod_beyond_the_partition(told):
    told.rollout["spec"]["rolloutPlan"]["batchPartition"] = 1
    told.put("Rollout", told.rollout)
    told.roll()
    assert told.found() == ["beyond_its_batch"]


def test_a_partition_that_rises(told):
    told.rollout["spec"]["rolloutPlan"]["batchPartition"] = 0
    told.put("Rollout", told.rollout)
    told.image(NEW)
    told.batch(0, 4)
    del told.rollout["spec"]["rolloutPlan"]["batchPartition"]
    told.batch(1, 3, 2)
    told.batch(2, 1, 0)
    told.end()
    assert not told.found()


def changed_while_a_person_is_waited_for(told) -> None:
    told.image(NEW)
    told.batch(0, 4)
    told.say("rollingInBatches", "PartitionReached", currentBatch=0, stepTarget=1)
    told.workload["spec"] = _template("6.0.0")
    told.tell(rest=False)
    told.pod(4, "6.0.0", ready=False)
    told.pod(3, "6.0.0")
    told.pod(4, "6.0.0")
    told.turn(2, 1, 0, image="6.0.0")
    told.tell()
    told.say("rolloutSucceed", "Held", "6.0.0")


def test_another_image_while_a_person_is_waited_for():
    """Nothing moves then, so nothing has been let go."""
    told = Told("CloneSet")
    changed_while_a_person_is_waited_for(told)
    assert told.found() == ["beyond_its_batch"]


def test_another_image_for_a_stateful_set_that_waits(told):
    """It can't be paused, and takes it as far as it was let go."""
    changed_while_a_person_is_waited_for(told)
    assert not told.found()


def test_a_pod_goes_back(told):
    told.image(NEW)
    told.batch(0, 4)
    told.turn(4, image=OLD)
    told.batch(1, 4, 3, 2)
    told.batch(2, 1, 0)
    told.end()
    assert told.found() == ["taken_back"]


@pytest.mark.parametrize("fields", [{"currentBatch": 1, "stepTarget": 1},
                                    {"currentBatch": 0, "stepTarget": 3}])
def test_a_goal_goes_back(told, fields):
    told.image(NEW)
    told.batch(0, 4)
    told.batch(1, 3, 2)
    told.say("rollingInBatches", "PodsNotReady", **fields)
    told.batch(2, 1, 0)
    told.end()
    assert told.found() == ["goal_back"]


def test_a_roll_begins_anew_by_itself(told):
    told.image(NEW)
    told.say("initializing", "TakingOver")
    told.batch(0, 4)
    told.say("initializing", "TakingOver")
    told.batch(1, 3, 2)
    told.batch(2, 1, 0)
    told.end()
    assert told.found() == ["goal_back"]


def test_a_roll_begins_anew_because_of_its_template(told):
    told.image(NEW)
    told.say("initializing", "TakingOver")
    told.batch(0, 4)
    told.image(OLD)
    told.image(NEW)
    told.say("verifyingSpec", "WorkloadBehind")
    told.say("initializing", "TakingOver")
    told.batch(0)
    told.batch(1, 3, 2)
    told.batch(2, 1, 0)
    told.end()
    assert not told.found()


# Nothing is lost

def test_the_rollout_is_deleted(told):
    told.roll()
    told.put("Rollout", told.rollout, deleted=True)
    told.put("Rollout", told.rollout)
    assert told.found() == ["lost"]


@pytest.mark.parametrize("member, value", [("uid", "2"), ("deletionTimestamp", "2026-01-31T12:00:00Z")])
def test_the_rollout_is_another_or_told_to_go(told, member, value):
    told.roll()
    told.rollout["metadata"][member] = value
    told.put("Rollout", told.rollout)
    assert told.found() == ["lost"]


def test_the_rollout_forgets_where_it_stands(told):
    told.image(NEW)
    status = told.rollout.pop("status")
    told.put("Rollout", told.rollout)
    told.rollout["status"] = status
    told.batch(0, 4)
    told.batch(1, 3, 2)
    told.batch(2, 1, 0)
    told.end()
    assert told.found() == ["lost"]


def test_the_workload_is_let_loose(told):
    told.roll()
    told.workload["metadata"]["annotations"] = {AT_REST: ""}
    told.put(told.record.kind, told.workload)
    assert told.found() == ["lost"]


# It settles

def test_it_stays_on_the_way(told):
    told.image(NEW)
    told.batch(0, 4)
    told.batch(1, 3)
    assert told.found() == ["unsettled"]


def test_the_last_image_is_not_rolled(told):
    told.roll()
    told.image("6.0.0")
    assert told.found() == ["unsettled"]


def test_the_plan_has_not_been_seen(told):
    told.roll()
    told.rollout["metadata"]["generation"] = 2
    told.put("Rollout", told.rollout)
    assert told.found() == ["unsettled"]


def test_the_workload_still_moves(told):
    told.roll()
    told.tell(rest=False)
    assert told.found() == ["unsettled"]


def test_a_pod_is_left_over(told):
    told.roll()
    told.pod(5, OLD)
    assert told.found() == ["unsettled"]
