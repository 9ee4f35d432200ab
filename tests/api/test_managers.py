# SPDX-License-Identifier: Apache-2.0
"""Who owns which field, and server-side apply."""

import pytest

from server import needs_kubectl
from test_definitions import VERSION, defined
from things import config_map, crd, deployment

APPS = "apps/v1"


@pytest.fixture
def owners(api):
    """The transcript tells of managedFields, too."""
    api.tells_managers = True
    return api


@pytest.fixture
def gadgets(owners):
    """A custom kind with every sort of list; the path of the case's objects."""
    named = {"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "port": {"type": "integer", "default": 80},
        "size": {"type": "integer"}}}
    spec = {"type": "object", "properties": {
        "size": {"type": "integer"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "one": {"type": "object", "x-kubernetes-map-type": "atomic",
                "additionalProperties": {"type": "string"}},
        "words": {"type": "object", "additionalProperties": {"type": "string"}},
        "plain": {"type": "array", "items": {"type": "string"}},
        "names": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "ports": {"type": "array", "items": named, "x-kubernetes-list-type": "map",
                  "x-kubernetes-list-map-keys": ["name", "port"]}}}
    status = {"type": "object", "properties": {"ready": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    with defined(owners, crd("gadgets", "Gadget", schema={"openAPIV3Schema": schema})) as path:
        owners.steps.clear()
        yield path


def gadget(spec, **metadata) -> dict:
    return {"apiVersion": VERSION, "kind": "Gadget", "metadata": {"name": "g", **metadata},
            "spec": spec}


def apply(api, path: str, body, manager: str = "ann", more: str = ""):
    return api.patch(f"{path}?fieldManager={manager}{more}", body, "apply")


def test_updates(owners):
    maps = owners.path("configmaps")
    owners.post(f"{maps}?fieldManager=ann", config_map("a", {"a": "1", "b": "2"},
                                                       labels={"x": "y"}))
    owners.patch(f"{maps}/a?fieldManager=bob", {"data": {"b": "3", "c": "4"}})
    owners.patch(f"{maps}/a?fieldManager=ann", {"data": {"c": None}})
    owners.patch(f"{maps}/a?fieldManager=bob", {"data": {"b": "3"}})
    owners.put(f"{maps}/a?fieldManager=cat", config_map("a"))
    owners.patch(f"{maps}/a?fieldManager=dan", {"metadata": {"managedFields": [{}]}})


def test_updates_of_a_workload(owners):
    path = owners.path("deployments", version=APPS)
    owners.post(f"{path}?dryRun=All&fieldManager=ann", deployment("d", paused=True))


def test_updates_of_a_custom_object(owners, gadgets):
    owners.post(f"{gadgets}?fieldManager=ann",
                gadget({"size": 1, "free": {"a": {"b": 1}}, "one": {"a": "1"}, "words": {"a": "1"},
                        "plain": ["a"], "names": ["a"], "ports": [{"name": "a"}]},
                       annotations={"x": "y"}))
    owners.patch(f"{gadgets}/g?fieldManager=bob", {"spec": {"names": ["a", "b"], "words": None}})
    owners.patch(f"{gadgets}/g/status?fieldManager=bob", {"status": {"ready": 1}})
    owners.patch(f"{gadgets}/g/status?fieldManager=bob", {"status": {"ready": 1}})


def test_apply(owners):
    maps = owners.path("configmaps")
    apply(owners, f"{maps}/a", config_map("a", {"a": "1", "b": "2"}))
    apply(owners, f"{maps}/a", config_map("a", {"a": "1", "b": "2"}))
    apply(owners, f"{maps}/a", config_map("a", {"a": "1"}))
    apply(owners, f"{maps}/a", config_map("a", {"a": "1"}), "bob")
    apply(owners, f"{maps}/a", config_map("a", {}))
    apply(owners, f"{maps}/a", config_map("a", {"c": "1"}), "bob", "&dryRun=All")
    owners.get(f"{maps}/a")


def test_conflicts(owners):
    maps = owners.path("configmaps")
    apply(owners, f"{maps}/a", config_map("a", {"a": "1", "b": "2"}, labels={"x": "y"}))
    owners.patch(f"{maps}/a?fieldManager=bob", {"data": {"c": "3"}})
    apply(owners, f"{maps}/a", config_map("a", {"a": "2"}), "cat")
    apply(owners, f"{maps}/a", config_map("a", {"a": "2", "b": "3", "c": "4"}, labels={"x": "z"}),
          "cat")
    apply(owners, f"{maps}/a", config_map("a", {"c": "4"}), "cat")
    apply(owners, f"{maps}/a", config_map("a", {"a": "2", "c": "4"}), "cat", "&force=true")


def test_apply_wants(owners):
    maps = owners.path("configmaps")
    owners.patch(f"{maps}/a", config_map("a"), "apply")
    apply(owners, f"{maps}/a", {**config_map("a"), "datta": {}})
    apply(owners, f"{maps}/a", config_map("b"))
    apply(owners, f"{maps}/a", config_map("a", managedFields=[{"manager": "ann"}]))
    apply(owners, f"{maps}/a", config_map("a", uid="00000000-0000-4000-8000-000000000000"))
    owners.patch(f"{maps}/a?force=true", {"data": {}})


def test_apply_lists(owners):
    path = owners.path("deployments", version=APPS)
    made = deployment("d", paused=True)
    del made["spec"]["replicas"]
    apply(owners, f"{path}/d", made, more="&dryRun=All")


def test_apply_custom(owners, gadgets):
    whole = {"size": 1, "free": {"a": {"b": 1}}, "one": {"a": "1"}, "words": {"a": "1"},
             "plain": ["a"], "names": ["a", "b"], "ports": [{"name": "a"}, {"name": "b", "size": 2}]}
    apply(owners, f"{gadgets}/g", gadget(whole, labels={"x": "y"}))
    apply(owners, f"{gadgets}/g", gadget({"names": ["c", "a"], "ports": [{"name": "c"}]}), "bob")
    apply(owners, f"{gadgets}/g", gadget({"plain": ["b"], "one": {"b": "1"},
                                          "ports": [{"name": "b", "size": 3}]}), "bob")
    apply(owners, f"{gadgets}/g", gadget({**whole, "names": ["b"], "ports": [{"name": "b"}]}))
    apply(owners, f"{gadgets}/g", gadget({}))


def test_apply_takes_over(owners, gadgets):
    """As the controller takes a workload that others have made: by force, and to the same uid."""
    made = owners.post(f"{gadgets}?fieldManager=ann", gadget({"size": 1, "words": {"a": "1"}}))
    mine = gadget({"size": 2}, annotations={"held": "yes"}, uid=made["metadata"]["uid"])
    apply(owners, f"{gadgets}/g", mine, "ctl", "&force=true&dryRun=All")
    apply(owners, f"{gadgets}/g", mine, "ctl", "&force=true")
    apply(owners, f"{gadgets}/g", mine, "ctl", "&force=true")
    owners.patch(f"{gadgets}/g/status?fieldManager=ctl", {"status": {"ready": 1}})
    apply(owners, f"{gadgets}/g", gadget({}, uid="00000000-0000-4000-8000-000000000000"), "ctl",
          "&force=true")


def test_apply_status(owners, gadgets):
    owners.post(f"{gadgets}?fieldManager=ann", gadget({"size": 1}))
    apply(owners, f"{gadgets}/g/status", {**gadget({}), "status": {"ready": 1}}, "bob")
    apply(owners, f"{gadgets}/g/status", {**gadget({}), "status": {"ready": 2}}, "cat")


@needs_kubectl
def test_kubectl(api):
    api.kubectl("apply", "--server-side", "-f", "-", stdin=config_map("a"))
    api.kubectl("apply", "--server-side", "--field-manager", "bob", "-f", "-",
                stdin=config_map("a", {"a": "2"}))
