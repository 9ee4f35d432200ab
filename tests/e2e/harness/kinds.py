# SPDX-License-Identifier: Apache-2.0
"""Kinds with a size of their own, for proofs that are the same for each of them."""

from dataclasses import dataclass

from . import apps, history
from .objects import RESOURCES, definition, image_of, rollout

HOLDER = apps.HOLDER


@dataclass(frozen=True)
class Kind:
    """`fields` are its owner's, in CUE; `bound` counts the pods that may have the template's image
    while it is held; `owners` reads what the owner has to have back."""

    adapter: str
    name: str
    api_version: str
    fields: str
    bound: callable
    owners: callable

    @property
    def path(self) -> str:
        return f"/apis/{self.api_version}/namespaces/{{}}/{self.name.lower()}s"

    @property
    def resource(self) -> str:
        """As kubectl wants it, where two groups have a kind of this name."""
        group, _, version = self.api_version.partition("/")
        return f"{self.name.lower()}s.{version}.{group}/web"

    def watch(self, monkeypatch) -> None:
        """For one test, histories hold it."""
        monkeypatch.setitem(RESOURCES, self.name, self.path)
        monkeypatch.setitem(history.KINDS, self.name, self.path)

    def live(self, stage) -> dict:
        return stage.history.now(self.name, "web")

    # Ways of a roll

    def start(self, stage, size: int) -> None:
        """A controller, and shop-v1 rolled out."""
        stage.controller(adapters=apps.adapter(self.adapter))
        template = apps.TEMPLATE % (self.name, self.fields)
        stage.put(definition("app", template.replace("apps/v1", self.api_version), self.name,
                             self.api_version))
        stage.record(1, apps.app("4.0.6", replicas=size))
        stage.put(rollout("shop-v1", numBatches=1))
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "4.0.6", size)

    def begin(self, stage, *batches, size: int, **plan) -> int:
        """shop-v1 is there, shop-v2 on its way; the number of the history from which on."""
        self.start(stage, size)
        stage.record(2, apps.app("5.0.2", replicas=size))
        since = stage.history.number()
        stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **plan))
        return since

    # Proofs

    def is_held(self, live) -> bool:
        return HOLDER in live["metadata"].get("annotations", {})

    def most_beyond(self, stage, since: int, image="5.0.2") -> int:
        """By how many pods more than it was told it ever turned to the image. A bound that falls
        takes no pod back, so the highest one since it had the template counts."""
        stage.history.catch_up()
        beyond, bound = 0, 0
        for live, pods in apps.replay(stage, self.name, "web", since):
            if not live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(image):
                bound = 0
            elif self.is_held(live):
                bound = max(bound, self.bound(live))
                turned = sum(image_of(pod) == image for pod in pods.values())
                beyond = max(beyond, turned - bound)
        return beyond

    def assert_given_back(self, stage) -> None:
        live = self.live(stage)
        assert not self.is_held(live)
        assert self.owners(live["spec"]) == OWNERS[self.adapter]


def _share(value, size: int, up: bool) -> int:
    if isinstance(value, int):
        return value
    return (int(value[:-1]) * size + (99 if up else 0)) // 100


def _deployment_bound(live) -> int:
    spec = live["spec"]
    rolling = spec["strategy"]["rollingUpdate"]
    if spec.get("paused"):
        return 0
    return (_share(rolling["maxSurge"], spec["replicas"], True)
            + _share(rolling["maxUnavailable"], spec["replicas"], False))


def _cloneset_bound(live) -> int:
    spec = live["spec"]
    return spec["replicas"] - _share(spec["updateStrategy"].get("partition", 0), spec["replicas"],
                                     True)


def _ordered_bound(live) -> int:
    """What stands above the partition comes at the new revision, also what a scaling adds."""
    rolling = live["spec"]["updateStrategy"].get("rollingUpdate", {})
    return max(live["spec"]["replicas"] - rolling.get("partition", 0), 0)


def _deployment_owners(spec):
    rolling = spec["strategy"]["rollingUpdate"]
    return rolling["maxSurge"], rolling["maxUnavailable"], spec.get("minReadySeconds", 0), spec.get(
        "paused", False)


def _strategy_owners(spec):
    strategy = spec["updateStrategy"]
    rolling = strategy if "partition" in strategy else strategy.get("rollingUpdate", {})
    return rolling.get("partition", 0), rolling.get("paused", False)


OWNERS = {"deployment": (2, 1, 1, False), "cloneset": (0, False), "statefulset": (0, False),
          "advanced-statefulset": (0, False)}

REPLICAS = "replicas: parameter.replicas\n"
ORDERED = REPLICAS + "serviceName: context.name\n"

SIZED = [
    Kind("deployment", "Deployment", "apps/v1", REPLICAS + "minReadySeconds: 1\n"
         "strategy: rollingUpdate: {maxSurge: 2, maxUnavailable: 1}\n",
         _deployment_bound, _deployment_owners),
    Kind("cloneset", "CloneSet", "apps.kruise.io/v1alpha1", REPLICAS, _cloneset_bound,
         _strategy_owners),
    Kind("statefulset", "StatefulSet", "apps/v1", ORDERED, _ordered_bound, _strategy_owners),
    Kind("advanced-statefulset", "StatefulSet", "apps.kruise.io/v1beta1", ORDERED
         + "podManagementPolicy: \"Parallel\"\nupdateStrategy: rollingUpdate: maxUnavailable: 2\n",
         _ordered_bound, _strategy_owners),
]
