# SPDX-License-Identifier: Apache-2.0
"""Kinds that are defined at run time."""

from contextlib import contextmanager

import pytest

from things import config_map, crd
from transcript import TABLE

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
VERSION = "example.com/v1"


def established(_, answer) -> bool:
    return any(each["type"] == "Established" and each["status"] == "True"
               for each in answer["status"].get("conditions") or [])


@contextmanager
def defined(api, definition: dict):
    """While a kind is defined; the path of the case's objects."""
    there = f"{CRDS}/{definition['metadata']['name']}"
    api.post(CRDS, definition)
    api.until(there, established)
    path = api.path(definition["spec"]["names"]["plural"], version=VERSION)
    api.until(path, lambda status, _: status == 200)
    yield path
    api._send("DELETE", there)
    api.until(there, lambda status, _: status == 404)


@pytest.fixture
def things(api):
    """The kind Thing; the path of the case's objects."""
    with defined(api, crd("things", "Thing")) as path:
        yield path


def thing(name: str, spec=None, **metadata) -> dict:
    return {"apiVersion": VERSION, "kind": "Thing", "metadata": {"name": name, **metadata},
            "spec": {"size": 1} if spec is None else spec}


def test_definition(api, things):
    api.get(f"{CRDS}/things.example.com")
    api.get("/apis/example.com")
    api.get("/apis/example.com/v1")


def test_life(api, things):
    made = api.post(things, thing("a"))
    api.get(f"{things}/a")
    api.put(f"{things}/a", thing("a", {"size": 2}))
    version = made["metadata"]["resourceVersion"]
    api.put(f"{things}/a", thing("a", {"size": 2}, resourceVersion=version))
    api.patch(f"{things}/a", {"spec": {"size": 3}})
    api.patch(f"{things}/a", {"metadata": {"labels": {"x": "y"}}})
    api.get(things)
    api.get(things, TABLE)
    api.delete(f"{things}/a")
    api.get(things)


def test_status(api, things):
    api.post(things, {**thing("a"), "status": {"ready": 1}})
    api.patch(f"{things}/a/status", {"status": {"ready": 2}, "spec": {"size": 5}})
    api.patch(f"{things}/a", {"status": {"ready": 3}})
    api.get(f"{things}/a/status")


def test_pruning(api, things):
    api.post(things, thing("a", {"size": 1, "nothing": {"x": 1}, "anything": {"x": {"y": 1}},
                                 "parts": [{"name": "p", "more": 1}]}))
    api.post(f"{things}?fieldValidation=Strict", thing("b", {"size": 1, "nothing": 1}))


def test_checks(api, things):
    api.post(things, thing("a", {}))
    api.post(things, thing("a", {"size": "1"}))
    api.post(things, thing("a", {"size": 10}))
    api.post(things, thing("a", {"size": 1, "colour": "blue"}))
    api.post(things, thing("a", {"size": 1, "label": "A"}))
    api.post(things, thing("a", {"size": -1}))
    api.post(things, thing("a", {"size": 1, "label": "abcdefg"}))
    api.post(things, thing("a", {"size": 1, "parts": [{}, {}, {}]}))
    api.post(things, thing("a", {"size": 1, "either": True}))
    api.post(things, thing("a", {"size": 1, "either": "5%"}))
    api.patch(f"{things}/a", {"spec": {"size": 99}})


def test_strategic_patches_are_for_built_in_kinds(api, things):
    api.post(things, thing("a"))
    api.patch(f"{things}/a", {"spec": {"size": 2}}, "strategic")


def test_bad_definition(api):
    bad = crd("things", "Thing")
    bad["metadata"]["name"] = "others.example.com"
    api.post(CRDS, bad)


def test_other_kind(api, things):
    api.post(things, config_map("a"))
