# SPDX-License-Identifier: Apache-2.0
"""The three patches that change what is there."""

from things import config_map, deployment


def test_merge(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", {"a": "1", "b": "2"}, labels={"x": "y"}))
    api.patch(f"{maps}/a", {"data": {"a": None, "c": "3"}, "metadata": {"labels": None}})
    api.patch(f"{maps}/a", {"metadata": {"name": "b"}})
    api.patch(f"{maps}/absent", {"data": {}})
    api.patch(f"{maps}/a", {"data": {"a": 1}})


def test_json(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", {"a": "1", "b.c": "2"}))
    api.patch(f"{maps}/a", [{"op": "test", "path": "/data/a", "value": "1"},
                            {"op": "replace", "path": "/data/a", "value": "2"},
                            {"op": "remove", "path": "/data/b.c"},
                            {"op": "add", "path": "/data/d", "value": "3"}], "json")
    api.patch(f"{maps}/a", [{"op": "add", "path": "/data/e", "value": "4"},
                            {"op": "test", "path": "/data/a", "value": "1"}], "json")
    api.patch(f"{maps}/a", [{"op": "remove", "path": "/data/none"}], "json")
    api.patch(f"{maps}/a", [{"op": "copy", "from": "/data/a", "path": "/data/f"},
                            {"op": "move", "from": "/data/d", "path": "/data/g"}], "json")


def test_strategic(api):
    path = api.path("deployments", version="apps/v1")
    made = deployment("d", paused=True)
    made["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    api.post(f"{path}?dryRun=All", made)
    maps = api.path("configmaps")
    api.post(maps, config_map("a", {"a": "1", "b": "2"}, finalizers=["example.com/a"]))
    api.patch(f"{maps}/a", {"data": {"b": None, "c": "3"},
                            "metadata": {"finalizers": ["example.com/b"]}}, "strategic")
    api.patch(f"{maps}/a", {"metadata": {"finalizers": ["example.com/c"],
                                         "$setElementOrder/finalizers": [
                                             "example.com/a", "example.com/c"]}}, "strategic")
    api.patch(f"{maps}/a", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/a"],
                                         "$setElementOrder/finalizers": ["example.com/b"]}},
              "strategic")
    api.patch(f"{maps}/a", {"data": {"$patch": "replace", "only": "this"}}, "strategic")
    api.patch(f"{maps}/a", {"metadata": {"finalizers": None}}, "strategic")


def test_unknown_type(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a"))
    api.patch(f"{maps}/a", {"data": {}}, "application/json")
