# SPDX-License-Identifier: Apache-2.0
"""Several controllers, each in its share of the namespaces: that there is one for each namespace, never
two, and that the shares follow who comes and goes.

Who has written what is known from gates, one before each controller."""

import re
import time
from contextlib import ExitStack
from itertools import combinations

import pytest

from harness import apps, followed
from harness.controller import BUILD, config_text
from harness.followed import SIZE
from harness.gate import Gate
from harness.proof import shard_of

NAMESPACE = "sluice-system"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
DEPLOYMENT = followed.KINDS["deployment"]
ADAPTERS = [{"name": "deployment", "file": str(BUILD / "plugins" / "deployment" / "deployment.so")}]
BRIEF = ("--leader-elect-lease-duration=6s", "--leader-elect-renew-deadline=4s",
         "--leader-elect-retry-period=1s")
SHARDS = 6
NO_LEASE = 6  # what a controller ends with that isn't a member any more
BATCHES = [1, 2, 2]


class Recorder(Gate):
    """A gate that stays open, and knows when each write was under way."""

    def __init__(self, stage):
        super().__init__(stage)
        self.begun, self.ended, self.paths = {}, {}, {}

    def before_write(self, what: str) -> int:
        number = super().before_write(what)
        self.begun[number], self.paths[number] = time.monotonic(), what
        return number

    def after_write(self, number: int) -> None:
        super().after_write(number)
        self.ended[number] = time.monotonic()

    def writes(self, namespace: str) -> list:
        """(from, to) of each that it has made there; one without an answer goes on."""
        return [(at, self.ended.get(number, float("inf"))) for number, at in self.begun.items()
                if f"/namespaces/{namespace}/" in self.paths[number]]


class Crew:
    """Controllers for all namespaces, with a recorder each."""

    def __init__(self, stage):
        self.stage, self.account = stage, stage.account
        self.name = f"crew-{stage.namespace}"
        self.opened = ExitStack()
        self.recorders = {}
        stage.history.add("Lease", LEASES)

    def join(self, shards=SHARDS, terms=BRIEF):
        self.stage.account = self.account
        recorder = Recorder(self.stage)
        self.opened.callback(recorder.close)
        made = self.stage.controller_with(
            config_text(ADAPTERS, serve={"listen": ""}), "--leader-elect", f"--shards={shards}",
            f"--leader-elect-resource-name={self.name}",
            f"--leader-elect-resource-namespace={NAMESPACE}", *terms)
        self.opened.callback(made.close)  # before what it reaches the API server through
        self.recorders[made] = recorder
        made.start()
        self.stage.wait("it says who it is", lambda: identity(made))
        return made

    def leases(self) -> dict:
        found = self.stage.history.objects("Lease")
        return {name: lease["spec"] for name, lease in found.items() if name.startswith(self.name)}

    def holders(self) -> dict:
        """Of each shard: who it is given to, "" for nobody."""
        return {name: spec["holderIdentity"] for name, spec in self.leases().items()
                if "-shard-" in name}

    def members(self) -> list:
        return [spec["holderIdentity"] for name, spec in self.leases().items() if "-member-" in name]

    def shares(self) -> list:
        """How many shards the members have, when all are given."""
        held = [holder for holder in self.holders().values() if holder]
        return sorted(map(held.count, set(held))) if len(held) == SHARDS else []

    def wait_shares(self, *shares: int) -> None:
        self.stage.wait(f"shares of {shares}", lambda: self.shares() == list(shares))

    def acts_in(self, controller, namespace: str) -> bool:
        """By the Lease of the namespace's shard."""
        lease = f"{self.name}-shard-{shard_of(namespace, SHARDS)}-of-{SHARDS}"
        return self.holders().get(lease) == identity(controller)

    def wait_all_are_of(self, controller) -> None:
        self.stage.wait("it has all shards", lambda: list(self.holders().values())
                        == SHARDS * [identity(controller)])

    def assert_one_each(self, namespaces) -> None:
        """No two have written in a namespace at the same time, or by turns but for one handing over."""
        for namespace in namespaces:
            writes = {controller: recorder.writes(namespace)
                      for controller, recorder in self.recorders.items()}
            spans = [(min(begun for begun, _ in times), max(ended for _, ended in times))
                     for times in writes.values() if times]
            for one, other in combinations(spans, 2):
                assert one[1] < other[0] or other[1] < one[0], f"two at once in {namespace}"


def identity(controller) -> str:
    """What it calls itself."""
    return next((re.search('as "(.*)"', line["message"])[1] for line in controller.log_lines()
                 if line["topic"] == "lease" and line["message"].startswith("a candidate")), None)


@pytest.fixture
def crew(stage):
    stage.cluster.make_namespace(NAMESPACE)
    made = Crew(stage)
    with made.opened:
        yield made
    for name in made.leases():
        stage.api.delete(f"{LEASES}/{name}")


@pytest.fixture
def webs(follow):
    """A workload that runs in each of several namespaces, so many that every shard has one."""
    made, shards = [], set()
    while len(shards) < SHARDS:
        web = follow(DEPLOYMENT)
        if shard_of(web.stage.namespace, SHARDS) not in shards:
            shards.add(shard_of(web.stage.namespace, SHARDS))
            web.run()
            made.append(web)
    return made


def take(webs, **plan) -> None:
    for web in webs:
        web.stage.put(followed.rollout(DEPLOYMENT, *BATCHES, **plan))
    for web in webs:
        web.wait_held()


def change(webs) -> list:
    """Where each history was before it."""
    since = [web.stage.history.number() for web in webs]
    for web in webs:
        web.set_image("5.0.2")
    return since


def assert_rolled(webs, since: list) -> None:
    for web, number in zip(webs, since):
        apps.wait_all_ready(web.stage, "5.0.2", SIZE)
        web.wait_reason("Held")
        web.assert_batches(number, "5.0.2", 1, 3, SIZE)
        web.assert_none_taken_back(number, "5.0.2")
        assert web.fewest_ready(number) >= DEPLOYMENT.least


def namespaces(webs) -> list:
    return [web.stage.namespace for web in webs]


def test_shares_follow_who_comes_and_goes(crew, webs):
    """In the middle of a roll in each namespace; whoever stops gives away at once, and whoever comes gets
    its share from all others."""
    first = crew.join()
    crew.wait_shares(6)
    take(webs, batchPartition=0)
    since = change(webs)
    for web in webs:
        web.wait_reason("PartitionReached")
    second = crew.join()
    crew.wait_shares(3, 3)
    crew.join()
    crew.wait_shares(2, 2, 2)
    for web in webs:
        web.plan(batchPartition=1)
    for web in webs:
        web.wait_batch(1)
    asked = time.monotonic()
    second.stop()
    crew.wait_shares(3, 3)
    print(f"taken over {time.monotonic() - asked:.2f} s after it was told to stop")
    first.stop()
    crew.wait_shares(6)
    for web in webs:
        web.plan(batchPartition=None)
    assert_rolled(webs, since)
    crew.assert_one_each(namespaces(webs))
    assert all(any(map(recorder.writes, namespaces(webs))) for recorder in crew.recorders.values())


def test_one_that_stands_still_is_followed_and_writes_nothing(crew, webs):
    """It is stopped in the middle of its rolls, and goes on when others have them."""
    first, second = crew.join(), crew.join()
    crew.wait_shares(3, 3)
    take(webs, batchPartition=0)
    since = change(webs)
    for web in webs:
        web.wait_reason("PartitionReached")
    its_own = [web for web in webs if crew.acts_in(first, web.stage.namespace)]
    assert len(its_own) == 3
    first.freeze()
    crew.wait_shares(6)
    second.freeze()
    written = len(crew.recorders[first].begun)
    for web in webs:
        web.plan(batchPartition=None)
    first.thaw()
    first.ends_with(NO_LEASE)
    assert not [path for number, path in crew.recorders[first].paths.items()
                if number > written and NAMESPACE not in path]
    second.thaw()
    assert_rolled(webs, since)
    crew.assert_one_each(namespaces(webs))


def test_one_that_counts_otherwise_takes_nothing(crew):
    """Before the others have gone."""
    first = crew.join()
    crew.wait_shares(6)
    other = crew.join(shards=4)
    crew.stage.wait("it says so", lambda: any(
        "doesn't count 4 shards" in line["message"] for line in other.log_lines()))
    assert crew.shares() == [6] and len(crew.holders()) == SHARDS
    first.stop()
    crew.stage.wait("it has them all", lambda: len(
        [name for name, holder in crew.holders().items() if holder and name.endswith("-of-4")]) == 4)


def test_what_a_dead_member_leaves_is_swept(crew):
    """Its shards are taken when its time is over, and its Lease is deleted later."""
    terms = ("--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s",
             "--leader-elect-retry-period=1s")
    first = crew.join(terms=terms)
    crew.wait_shares(6)
    first.kill()
    second = crew.join(terms=terms)
    crew.wait_all_are_of(second)
    assert len(crew.members()) == 2
    crew.stage.wait("its Lease is deleted", lambda: crew.members() == [identity(second)])
