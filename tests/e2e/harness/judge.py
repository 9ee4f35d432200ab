# SPDX-License-Identifier: Apache-2.0
"""What must never have happened, whatever was done to controllers and to what they asked: asked of the
record of a schedule, which is every version of the workload, its Rollout and its pods, and every write
of the controllers.

Each question is answered with the first violation, or with nothing."""

from dataclasses import dataclass, field

from .objects import image_of, is_current, is_ready, running_image

OURS = "rollout.sluice.dev/"
HOLDER, AT_REST = OURS + "holder", OURS + "at-rest"
BEGINNINGS = ("locatingTargetApp", "verifyingSpec", "initializing")  # of a roll


@dataclass(frozen=True)
class Write:
    """By the process `agent`, under way at the API server between two times. `holder` is that of the
    Lease that was written."""

    agent: str
    begun: float
    ended: float
    resource: str
    name: str
    code: int
    holder: str = ""


@dataclass
class Record:
    """`kind` is the workload's, `least` how many pods its owner lets be ready, `size` how many there
    are; both after `since`, a resource version. `real` pods have containers that may be asked which
    image they run."""

    kind: str
    least: int
    size: int
    since: int
    versions: list
    writes: list = field(default_factory=list)
    lease: str = ""
    runs: bool = True  # pods say which image they run


@dataclass
class Moment:
    """What there is after a change; pods that are told to go are gone, as far as one may count on them."""

    workload: dict = None
    rollout: dict = None
    pods: dict = field(default_factory=dict)

    def see(self, version, kind: str) -> None:
        there = None if version.deleted else version.object
        if version.kind == kind:
            self.workload = there
        elif version.kind == "Rollout":
            self.rollout = there
        elif version.kind == "Pod":
            uid = version.object["metadata"]["uid"]
            self.pods.pop(uid, None)
            if there and "deletionTimestamp" not in there["metadata"]:
                self.pods[uid] = there

    def image(self) -> str:
        return self.workload["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]

    def is_at_rest(self) -> bool:
        return AT_REST in self.workload["metadata"].get("annotations", {})


def moments(record: Record):
    """(resource version, moment) after each change since the schedule began; always the same moment."""
    moment = Moment()
    for version in record.versions:
        moment.see(version, record.kind)
        if version.number > record.since:
            yield version.number, moment


def ready(record: Record, pods) -> list:
    """With the image that it is to have: a pod may be ready for a moment with the one before."""
    return [pod for pod in pods if is_ready(pod)
            and (not record.runs or running_image(pod) == image_of(pod))]


# ── Availability ──────────────────────────────────────────────────────────────────────────────


def under_promise(record: Record) -> str:
    """Fewer pods are ready than the workload's owner wants at least."""
    for step in steps(record):
        promised = record.least - _more_missing(record.kind, step)
        if step.ready < promised:
            return f"{step.ready} of {record.size} pods are ready at {step.number}, {promised} are promised"
    return ""


def _more_missing(kind: str, step) -> int:
    """Until what an interrupted roll had let go has taken the newer template. A Deployment has no partition:
    all of it goes together. A StatefulSet's controller begins anew with the highest, whatever misses below
    (docs/rollout.md)."""
    roll = step.roll
    if step.there_ready >= roll.had + roll.loose:
        return 0
    return {"Deployment": roll.loose, "StatefulSet": min(1, roll.loose)}.get(kind, 0)


# ── One acting leader ─────────────────────────────────────────────────────────────────────────


def two_acting(record: Record) -> str:
    """Somebody writes who doesn't have the Lease: of its versions that were answered for before, the
    latest isn't his, or gives it away. A write that was refused was one too."""
    def is_lease(write):
        return write.resource == "leases" and write.name in ("", record.lease)

    turns = sorted((write for write in record.writes if is_lease(write) and write.code < 300),
                   key=lambda write: write.ended)
    for write in sorted(record.writes, key=lambda write: write.begun):
        if is_lease(write) or write.resource == "selfsubjectaccessreviews":
            continue
        last = [turn for turn in turns if turn.ended <= write.begun][-1:]
        if not last or not last[0].holder or last[0].agent != write.agent:
            has = f"{last[0].agent} has it" if last and last[0].holder else "nobody has it"
            return f"{write.agent} writes {write.resource} {write.name} without the Lease: {has}"
    return ""


# ── Batches, and targets that only rise ───────────────────────────────────────────────────────


@dataclass
class Roll:
    """To one image. `until` are the pods at the end of each batch, `frontier` is the batch whose turn
    it is. `loose` pods had been let go by a roll that this one has interrupted, and take any newer
    template at once; `had` pods had the image before."""

    image: str
    until: list
    loose: int = 0
    had: int = 0
    frontier: int = 0

    def allowed(self) -> int:
        return max(self.until[self.frontier], self.loose + self.had)

    def advance(self, there: int, reach: int) -> None:
        """So many pods have the image and are ready; batches up to this one may be rolled."""
        while self.frontier < min(reach, len(self.until) - 1) and there >= self.until[self.frontier]:
            self.frontier += 1


@dataclass
class Step:
    """What a change has come to: pods that are ready, of them and of all those that have the roll's
    image."""

    number: int
    roll: Roll
    ready: int
    there: int
    there_ready: int


class Stillness:
    """Does nothing move, so that another template would move nothing either? The workload says so in
    its mark, and the Rollout while it waits for a person: when it has seen its plan, and has said so after
    the last change of what the workload is told. A StatefulSet can't be paused: what has been let go of it
    takes whatever comes."""

    def __init__(self, kind: str):
        self.pauses = kind != "StatefulSet"
        self.told, self.told_at = None, 0
        self.said, self.said_at = None, 0

    def see(self, number: int, moment: Moment) -> None:
        told = moment.workload["metadata"]["generation"]
        if told != self.told:
            self.told, self.told_at = told, number
        said = moment.rollout["metadata"]["resourceVersion"]
        if said != self.said:
            self.said, self.said_at = said, number

    def is_so(self, moment: Moment) -> bool:
        waits = moment.rollout.get("status", {}).get("reason", {}).get("code") == "PartitionReached"
        return moment.is_at_rest() or (self.pauses and waits and is_current(moment.rollout)
                                       and self.said_at > self.told_at)


def _until(rollout: dict, size: int) -> list:
    ends, sum_of_all = [], 0
    for batch in rollout["spec"]["rolloutPlan"]["rolloutBatches"]:
        sum_of_all += batch["replicas"]
        ends.append(min(sum_of_all, size))
    return ends


def steps(record: Record):
    """After each change. A partition that was allowed once counts: whoever lowers it may be heard
    late."""
    roll, reach, still, stillness = None, 0, True, Stillness(record.kind)
    for number, moment in moments(record):
        if not moment.workload or not moment.rollout:
            continue
        reach = max(reach, moment.rollout["spec"]["rolloutPlan"].get("batchPartition", 1000))
        there = [pod for pod in moment.pods.values() if image_of(pod) == moment.image()]
        if not roll or roll.image != moment.image():
            roll = Roll(moment.image(), _until(moment.rollout, record.size),
                        0 if still else roll.allowed(), len(there))
        stillness.see(number, moment)
        still = stillness.is_so(moment)
        done = len(ready(record, there))
        yield Step(number, roll, len(ready(record, moment.pods.values())), len(there), done)
        roll.advance(done, reach)


def beyond_its_batch(record: Record) -> str:
    """A pod has the new image before its batch has its turn."""
    for step in steps(record):
        if step.there > step.roll.allowed():
            return (f"{step.there} pods have {step.roll.image} at {step.number}, in batch "
                    f"{step.roll.frontier} no more than {step.roll.allowed()} may")
    return ""


def taken_back(record: Record) -> str:
    """Fewer pods have the new image than had it before; where an interrupted roll had let some go,
    those may."""
    before = None
    for step in steps(record):
        if before and before.roll is step.roll and step.there < before.there and not step.roll.loose:
            return (f"{step.there} pods have {step.roll.image} at {step.number}, after "
                    f"{before.there}")
        before = step
    return ""


def goal_back(record: Record) -> str:
    """What was recorded of how far a roll is to go falls, where no change of the template has made it
    begin anew."""
    image, changes, begun, last = None, 0, 0, (None, 0, 0)
    for number, moment in moments(record):
        if moment.workload and moment.image() != image:
            image, changes = moment.image(), changes + 1
        status = (moment.rollout or {}).get("status", {})
        now = (status.get("lastTargetAppRevision"), status.get("currentBatch", 0),
               status.get("stepTarget", 0))
        if status.get("rollingState") in BEGINNINGS and changes > begun:
            begun = changes
        elif now[0] == last[0] and (now[1] < last[1] or now[2] < last[2]):
            return (f"the goal goes back from {last[2]} in batch {last[1]} to {now[2]} in batch {now[1]} "
                    f"at {number}")
        last = now
    return ""


# ── Nothing is lost ───────────────────────────────────────────────────────────────────────────


def lost(record: Record) -> str:
    """The Rollout goes or forgets where it stands, or the workload isn't held any more."""
    last = None
    for number, moment in moments(record):
        now, workload = moment.rollout, moment.workload
        if not now or "deletionTimestamp" in now["metadata"]:
            return f"the Rollout is gone at {number}"
        if last and now["metadata"]["uid"] != last["metadata"]["uid"]:
            return f"the Rollout is another one at {number}"
        if last and last.get("status", {}).get("rollingState") and not now.get("status", {}).get(
                "rollingState"):
            return f"the Rollout has forgotten its state at {number}"
        if not workload or HOLDER not in workload["metadata"].get("annotations", {}):
            return f"nobody holds the workload at {number}"
        last = now
    return ""


# ── It settles ────────────────────────────────────────────────────────────────────────────────


def unsettled(record: Record) -> str:
    """The first thing that isn't as it is to be in the end."""
    moment = Moment()
    for version in record.versions:
        moment.see(version, record.kind)
    if not moment.rollout or not moment.workload:
        return "the Rollout or the workload is gone"
    status, pods = moment.rollout.get("status", {}), list(moment.pods.values())
    why = status.get("reason", {})
    if not is_current(moment.rollout):
        return "the plan hasn't been seen"
    if status.get("rollingState") != "rolloutSucceed" or why.get("code") != "Held":
        return f"the Rollout is in {status.get('rollingState')}: {why.get('message')}"
    if not moment.is_at_rest():
        return "the workload isn't at rest"
    done = [pod for pod in ready(record, pods) if image_of(pod) == moment.image()]
    if len(done) != record.size or len(pods) != record.size:
        return (f"{len(done)} pods of {record.size} are ready with {moment.image()}, and there are "
                f"{len(pods)}")
    return ""


QUESTIONS = (under_promise, two_acting, beyond_its_batch, taken_back, goal_back, lost, unsettled)


def violations(record: Record) -> list:
    answers = [(question.__name__, question(record)) for question in QUESTIONS]
    return [f"{name}: {answer}" for name, answer in answers if answer]
