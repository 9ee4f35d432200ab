# SPDX-License-Identifier: Apache-2.0
"""The questions that are asked of a history.

A history is replayed version by version, in the order in which they were written. So "before" and
"at every moment" mean what they say, whatever a watch brought first.
"""

from typing import Iterator

from .objects import container_id, image_of, is_ready, running_image

# The conditions of a roll in the order of the table, by the times of their transitions. The one of
# rollingInBatches begins before the batches and is fulfilled after them.
BEFORE_BATCHES = ["RolloutLocating", "RolloutSpecVerifying", "RolloutInitializing",
                  "RolloutInProgress"]
ONE_BATCH = ["BatchInitializing", "BatchInRolling", "BatchVerifying", "BatchFinalizing",
             "BatchReady"]
AFTER_BATCHES = ["RolloutInProgress", "RolloutFinalizing", "RolloutSucceed"]

# (rollingState, batchRollingState) in the order of the table.
BATCH_STATES = ["batchInitializing", "batchInRolling", "batchVerifying", "batchFinalizing",
                "batchReady"]

# What of a status tells how far it is, as core/oam/status.c has it. A change of these alone waits
# five seconds for company.
PROGRESS = ("upgradedReplicas", "upgradedReadyReplicas", "targetGeneration", "standing", "reason")


class Moment:
    """The namespace between two changes: one CloneSet and its pods."""

    def __init__(self, cloneset, pods):
        self.cloneset = cloneset
        self.pods = pods

    def size(self) -> int:
        return self.cloneset["spec"].get("replicas", 1)

    def goal(self) -> int:
        """How many pods may be at the newest revision."""
        return self.size() - kept(self.cloneset)

    def ready(self) -> int:
        return sum(is_ready(pod) for pod in self.pods.values())


def kept(cloneset) -> int:
    """Pods that the partition keeps at the old revision, as OpenKruise counts them."""
    size = cloneset["spec"].get("replicas", 1)
    return min(size, scaled(cloneset["spec"].get("updateStrategy", {}).get("partition", 0), size))


def scaled(value, size: int) -> int:
    """A number, or a percentage of size, rounded up."""
    if isinstance(value, int):
        return value
    return -(-int(value.rstrip("%")) * size // 100)


def moments(history, cloneset: str, since: int = 0, until: int = 0) -> Iterator:
    """(version, moment) after every change of the CloneSet or one of its pods."""
    current, pods = None, {}
    for version in history.versions():
        if until and version.number > until:
            return
        if version.kind == "CloneSet" and version.name == cloneset:
            current = None if version.deleted else version.object
        elif version.kind == "Pod" and _belongs(version.object, cloneset):
            pods.pop(version.name, None)
            if not version.deleted:
                pods[version.name] = version.object
        else:
            continue
        if current and version.number > since:
            yield version, Moment(current, dict(pods))


def _belongs(pod, cloneset: str) -> bool:
    owners = pod["metadata"].get("ownerReferences", [])
    return any(owner["kind"] == "CloneSet" and owner["name"] == cloneset for owner in owners)


def _without_repetition(values) -> list:
    result = []
    for value in values:
        if not result or result[-1] != value:
            result.append(value)
    return result


# Batches

def sizes(history, cloneset: str, since: int = 0) -> list:
    """spec.replicas, as it was changed."""
    return _without_repetition(moment.size() for _, moment in moments(history, cloneset, since))


def goals(history, cloneset: str, image: str, since: int = 0) -> list:
    """How many pods were allowed to have the image, while it was the CloneSet's, as that was
    changed."""
    return _without_repetition(moment.goal() for _, moment in moments(history, cloneset, since)
                               if wants(moment.cloneset, image))


def creation_batches(history, cloneset: str, since: int = 0) -> list:
    """How many pods came while spec.replicas stood at each of its values, and that all that came
    before were ready each time when it rose."""
    batches, seen, size = [], set(), 0
    for version, moment in moments(history, cloneset, since):
        if moment.size() > size:
            assert moment.ready() == len(seen) == size, (
                f"replicas rise from {size} to {moment.size()} while {moment.ready()} of "
                f"{len(seen)} pods are ready (resource version {version.number})")
            batches.append(0)
        size = moment.size()
        for name in set(moment.pods) - seen:
            seen.add(name)
            batches[-1] += 1
    return [batch for batch in batches if batch]


def update_batches(history, cloneset: str, image: str, since: int = 0, until: int = 0) -> list:
    """How many pods turned to the image at each goal, and that all of the goal before were ready
    and running it when a batch went on."""
    batches, turned, goal = [], set(), 0
    for version, moment in moments(history, cloneset, since, until):
        if not wants(moment.cloneset, image):
            continue
        if moment.goal() > goal:
            done = [name for name in turned if name in moment.pods
                    and _is_updated(moment.pods[name], image)]
            assert len(done) == len(turned) == goal, (
                f"the goal rises from {goal} to {moment.goal()} while {len(turned)} pods have "
                f"turned and {len(done)} of them are ready (resource version {version.number})")
            batches.append(0)
        goal = moment.goal()
        for name, pod in moment.pods.items():
            if name not in turned and image_of(pod) == image:
                turned.add(name)
                assert len(turned) <= goal, f"{name} has turned beyond the goal of {goal}"
                batches[-1] += 1
    return [batch for batch in batches if batch]


def wants(cloneset, image: str) -> bool:
    """Is it the one of the CloneSet's template?"""
    return cloneset["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":" + image)


def _is_updated(pod, image: str) -> bool:
    return is_ready(pod) and running_image(pod) == image


def at_image(history, image: str) -> list:
    """The pods that have it in their spec now."""
    return sorted(name for name, pod in history.objects("Pod").items() if image_of(pod) == image)


def turned_to(history, cloneset: str, image: str, until: int = 0) -> list:
    """The pods that have turned to the image, in the order in which they did."""
    order = []
    for _, moment in moments(history, cloneset, until=until):
        order += [name for name, pod in sorted(moment.pods.items())
                  if image_of(pod) == image and name not in order]
    return order


# Pods

def fewest_ready(history, cloneset: str, since: int) -> int:
    """At any moment after a resource version."""
    return min(moment.ready() for _, moment in moments(history, cloneset, since))


def floor(cloneset) -> int:
    """What OpenKruise's own maxUnavailable (20% unless given) leaves ready during an update."""
    size = cloneset["spec"].get("replicas", 1)
    return size - scaled(cloneset["spec"]["updateStrategy"].get("maxUnavailable", "20%"), size)


def identities(history) -> dict:
    """name -> uid of the pods that are there."""
    return {name: pod["metadata"]["uid"] for name, pod in history.objects("Pod").items()}


def containers(history, pod: str, since: int = 0) -> list:
    """The IDs of its containers, one after the other."""
    ids = [container_id(version.object) for version in history.versions("Pod", pod, since)]
    return _without_repetition(one for one in ids if one)


# Rollouts

def states(history, rollout: str, since: int = 0) -> list:
    """(rollingState, batchRollingState, currentBatch) as they were written."""
    statuses = [version.object.get("status", {})
                for version in history.versions("AppRollout", rollout, since)]
    return _without_repetition((status["rollingState"], status.get("batchRollingState", ""),
                                status.get("currentBatch", 0))
                               for status in statuses if "rollingState" in status)


def trace(history, rollout: str, since: int = 0, after: str = "", kind: str = "AppRollout") -> list:
    """The conditions in the order of their transitions, of all versions taken together: so the
    states that passed within one call are here too. One that begins and is fulfilled without
    another between counts once."""
    times = set()
    for version in history.versions(kind, rollout, since):
        for condition in version.object.get("status", {}).get("conditions", []):
            times.add((condition["lastTransitionTime"], condition["type"]))
    return _without_repetition(each for time, each in sorted(times) if time > after)


def step_targets(history, rollout: str, since: int = 0, kind: str = "AppRollout") -> list:
    """How many pods the workload was told to have at the target, as that was recorded; each number
    that is another than the one before."""
    versions = history.versions(kind, rollout)
    told = [version.object.get("status", {}).get("stepTarget") for version in versions]
    before = sum(version.number <= since for version in versions)
    changed = _without_repetition([None, *told][before:])[1:]
    return [each for each in changed if each is not None]


def progress_told(history, rollout: str, since: int = 0) -> list:
    """The versions that differ from the one before in how far it is, and in nothing else."""
    def rest(status):
        parts = [rest(part) for part in status.get("components", [])]
        return {**{key: status[key] for key in status if key not in PROGRESS}, "components": parts}

    versions = history.versions("AppRollout", rollout)
    statuses = [version.object.get("status", {}) for version in versions]
    return [version for version, before, after in zip(versions[1:], statuses, statuses[1:])
            if version.number > since and before != after and rest(before) == rest(after)]


def way_of(batches: int) -> list:
    """What `trace` must be for a roll without incident."""
    return BEFORE_BATCHES + ONE_BATCH * batches + AFTER_BATCHES


def table_path(batches: int) -> list:
    """All (rollingState, batchRollingState, currentBatch) of a roll without incident, in the order
    of the table. Before and after the batches the batch state says nothing."""
    path = [("locatingTargetApp",), ("verifyingSpec",), ("initializing",)]
    path += [("rollingInBatches", state, batch) for batch in range(batches)
             for state in BATCH_STATES]
    return path + [("finalising",), ("rolloutSucceed",)]


def assert_in_order(seen: list, batches: int) -> None:
    """Every state that was written comes after the one before, in the order of the table."""
    path, at = table_path(batches), 0
    for entry in seen:
        step = entry if entry[0] == "rollingInBatches" else entry[:1]
        assert step in path[at:], f"{step} comes after {path[at]}; all that was seen: {seen}"
        at += path[at:].index(step)


def last_time(rollout_object) -> str:
    """Of its last transition."""
    return max((condition["lastTransitionTime"]
                for condition in rollout_object.get("status", {}).get("conditions", [])), default="")


def shard_of(namespace: str, count: int) -> int:
    """As core/cluster/shards.c has it."""
    mask, value = (1 << 64) - 1, 14695981039346656037
    for byte in namespace.encode():
        value = (value ^ byte) * 1099511628211 & mask
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9 & mask
    value = (value ^ value >> 27) * 0x94d049bb133111eb & mask
    return (value ^ value >> 31) % count
