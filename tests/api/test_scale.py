# SPDX-License-Identifier: Apache-2.0
"""The subresource scale, of built-in kinds and of those that definitions give one."""

import pytest

from server import needs_kubectl
from test_definitions import VERSION, defined, thing
from things import crd, deployment
from transcript import PATCHES


def scale(name: str, replicas, **metadata) -> dict:
    return {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name, **metadata},
            "spec": {"replicas": replicas}}


@pytest.fixture
def sized(api):
    """Things whose definition says where their size is; the path of the case's objects."""
    paths = {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.ready",
             "labelSelectorPath": ".spec.label"}
    with defined(api, crd("things", "Thing",
                          subresources={"status": {}, "scale": paths})) as path:
        yield path


def replica_set(api) -> str:
    """A ReplicaSet without pods, which its controller has nothing more to say about."""
    path = api.path("replicasets", version="apps/v1")
    made = deployment("r")
    made["kind"] = "ReplicaSet"
    made["spec"]["selector"] = {"matchLabels": {"app": "r"}, "matchExpressions": [
        {"key": "tier", "operator": "NotIn", "values": ["b", "a"]},
        {"key": "app", "operator": "Exists"}]}
    api._send("POST", path, made)
    api._send("PATCH", f"{path}/r/status", {"status": {"observedGeneration": 1}},
              {"Content-Type": PATCHES["merge"]})
    return path


def test_reading(api):
    path = replica_set(api)
    api.get(f"{path}/r/scale")
    api.get(f"{path}/absent/scale")
    api.get(api.path("configmaps", "a", "scale"))
    api.delete(f"{path}/r/scale")
    api.post(f"{path}/r/scale", scale("r", 1))


def test_what_is_wrong(api):
    path = replica_set(api)
    api.get(f"{path}/r/scale")
    api.put(f"{path}/r/scale", scale("other", 1))
    api.put(f"{path}/r/scale", scale("r", -1))
    api.put(f"{path}/r/scale", scale("r", 1, resourceVersion="1"))
    api.put(f"{path}/r/scale", scale("r", 1, uid="00000000-0000-4000-8000-000000000000"))
    api.put(f"{path}/absent/scale", scale("absent", 1))
    api.patch(f"{path}/absent/scale", {"spec": {"replicas": 1}})
    api.patch(f"{path}/r/scale", {"spec": {"replicas": -1}})
    api.get(f"{path}/r/scale")


def test_dry_run(api):
    path = replica_set(api)
    api.put(f"{path}/r/scale?dryRun=All", scale("r", 2))
    api.patch(f"{path}/r/scale?dryRun=All", {"spec": {"replicas": 3}})
    api.patch(f"{path}/r/scale?dryRun=All", {"spec": {"replicas": 4}}, "strategic")
    api.patch(f"{path}/r/scale?dryRun=All", [{"op": "add", "path": "/spec/replicas", "value": 5}],
              "json")
    api.get(f"{path}/r/scale")


def test_custom_kind(api, sized):
    made = api.post(sized, thing("a", {"size": 2, "label": "abc"}))
    api.get(f"{sized}/a/scale")
    version = made["metadata"]["resourceVersion"]
    api.put(f"{sized}/a/scale", scale("a", 3, resourceVersion=version))
    api.put(f"{sized}/a/scale", scale("a", 4, resourceVersion=version))
    api.put(f"{sized}/a/scale", scale("a", 4))
    api.patch(f"{sized}/a/status", {"status": {"ready": 1}})
    api.patch(f"{sized}/a/scale", {"spec": {"replicas": 5}})
    api.patch(f"{sized}/a/scale", {"spec": {"replicas": 10}})
    api.patch(f"{sized}/a/scale", {"spec": {"replicas": 6}}, "strategic")
    api.get(f"{sized}/a")
    api.get("/apis/example.com/v1")


@needs_kubectl
def test_kubectl(api, sized):
    api.post(sized, thing("a", {"size": 1}))
    api.kubectl("scale", "thing/a", "--replicas=3")
    api.kubectl("scale", "thing/a", "--replicas=4", "--current-replicas=2")
    api.kubectl("scale", "thing/a", "--replicas=4", "--current-replicas=3")
    api.get(f"{sized}/a")
