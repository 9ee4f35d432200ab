# SPDX-License-Identifier: Apache-2.0
"""The controller of examples/generic/bakery: a small one, for real pods of an invented kind.

It knows nothing of rollouts. It brings `spec.trial.ovens` pods (all, if that isn't set) to the
recipe, each before an old one goes, and counts in its status those that are still at an older one.
"""

import itertools

from cluster.api import ApiError

from .objects import image_of, is_ready
from .worker import Worker

BAKERIES = "/apis/example.com/v1/namespaces/{}/bakeries"
PODS = "/api/v1/namespaces/{}/pods"


class Baker(Worker):
    def __init__(self, stage):
        self.api = stage.api
        self.history = stage.history
        self.namespace = stage.namespace
        self.numbers = itertools.count(1)
        super().__init__()

    def _work(self) -> None:
        while not self.closing.is_set():
            try:
                for bakery in self.api.get(BAKERIES.format(self.namespace))["items"]:
                    self._tend(bakery)
            except (ApiError, OSError):
                pass  # somebody else was first, or is away: the next look sees what is
            with self.history.changed:
                self.history.changed.wait(0.2)

    def _tend(self, bakery) -> None:
        spec, pods = bakery["spec"], self._pods(bakery)
        fresh = [pod for pod in pods if image_of(pod) == spec["recipe"]]
        stale = [pod for pod in pods if pod not in fresh]
        allowed = min(spec.get("trial", {}).get("ovens", spec["ovens"]), spec["ovens"])
        before = bakery.get("status", {}).get("recipe", spec["recipe"])
        if len(fresh) < allowed:
            self._build(bakery, spec["recipe"])
        elif len(pods) < spec["ovens"]:
            self._build(bakery, before)
        elif len(pods) > spec["ovens"] and all(is_ready(pod) for pod in fresh):
            self._remove((stale or fresh)[0])
        self._tell(bakery, self._pods(bakery), before if stale else spec["recipe"])

    def _pods(self, bakery) -> list:
        return [pod for pod in self.api.get(PODS.format(self.namespace))["items"]
                if "deletionTimestamp" not in pod["metadata"]
                and pod["metadata"]["ownerReferences"][0]["uid"] == bakery["metadata"]["uid"]]

    def _build(self, bakery, recipe: str) -> None:
        meta = bakery["metadata"]
        owner = {"apiVersion": "example.com/v1", "kind": "Bakery", "name": meta["name"],
                 "uid": meta["uid"], "controller": True}
        self.api.create(PODS.format(self.namespace), {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": f"{meta['name']}-{next(self.numbers)}",
                         "ownerReferences": [owner]},
            "spec": {"nodeSelector": {"type": "kwok"}, "tolerations": [{"operator": "Exists"}],
                     "containers": [{"name": "oven",
                                     "image": f"stefanprodan/podinfo:{recipe}"}]}})

    def _remove(self, pod) -> None:
        self.api.delete(f"{PODS.format(self.namespace)}/{pod['metadata']['name']}")

    def _tell(self, bakery, pods: list, recipe: str) -> None:
        stale = [pod for pod in pods if image_of(pod) != bakery["spec"]["recipe"]]
        status = {"seen": bakery["metadata"]["generation"], "recipe": recipe, "ovens": len(pods),
                  "stale": len(stale), "hot": sum(map(is_ready, pods)),
                  "staleHot": sum(map(is_ready, stale))}
        if status != bakery.get("status"):
            path = f"{BAKERIES.format(self.namespace)}/{bakery['metadata']['name']}/status"
            self.api.patch(path, {"status": status})
