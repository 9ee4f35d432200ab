# SPDX-License-Identifier: Apache-2.0
"""Creating, reading, replacing and deleting."""

from things import config_map, deployment
from transcript import TABLE


def test_life(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", labels={"x": "y"}))
    api.get(f"{maps}/a")
    api.put(f"{maps}/a", config_map("a", {"b": "2"}))
    api.delete(f"{maps}/a")
    api.get(f"{maps}/a")
    api.delete(f"{maps}/a")


def test_names(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a"))
    api.post(maps, config_map("a"))
    api.post(maps, config_map("A_b"))
    api.post(maps, config_map(""))
    api.post(maps, config_map("b", namespace="elsewhere"))
    api.post("/api/v1/namespaces/no-such-namespace/configmaps", config_map("a"))
    api.put(f"{maps}/a", config_map("b"))
    api.put(f"{maps}/absent", config_map("absent"))


def test_bad_bodies(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", {"a": 1}))
    api.post(maps, {"metadata": {"name": "no-kind"}})
    api.post(maps, config_map("a", {"b/c": "1"}))
    api.post(maps, {**config_map("a"), "apiVersion": "v2"})
    api.post(maps, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}})


def test_unknown_fields(api):
    maps = api.path("configmaps")
    api.post(f"{maps}?fieldValidation=Strict", {**config_map("a"), "datta": {}})
    api.post(f"{maps}?fieldValidation=Warn", {**config_map("a"), "datta": {}})
    api.post(f"{maps}?fieldValidation=Ignore", {**config_map("b"), "datta": {}})
    bad = deployment("d")
    bad["spec"]["template"]["spec"]["containers"][0]["imagge"] = "x"
    api.post(api.path("deployments", version="apps/v1") + "?fieldValidation=Strict", bad)


def test_versions(api):
    """A write that names a version is done to that version or not at all."""
    maps = api.path("configmaps")
    first = api.post(maps, config_map("a"))["metadata"]
    api.put(f"{maps}/a", config_map("a", {"b": "2"}, resourceVersion=first["resourceVersion"]))
    api.put(f"{maps}/a", config_map("a", {"c": "3"}, resourceVersion=first["resourceVersion"]))
    api.patch(f"{maps}/a", {"metadata": {"resourceVersion": first["resourceVersion"]},
                            "data": {"d": "4"}})
    api.put(f"{maps}/a", config_map("a", uid="00000000-0000-4000-8000-000000000000"))
    api.delete(f"{maps}/a", {"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}})
    api.delete(f"{maps}/a", {"preconditions": {"uid": first["uid"]}})


def test_nothing_changes(api):
    """A write that changes nothing makes no version."""
    maps = api.path("configmaps")
    api.post(maps, config_map("a"))
    api.patch(f"{maps}/a", {"data": {"a": "1"}})
    api.put(f"{maps}/a", config_map("a"))
    api.get(f"{maps}/a")


def test_dry_run(api):
    maps = api.path("configmaps")
    api.post(f"{maps}?dryRun=All", config_map("a"))
    api.get(f"{maps}/a")
    api.post(maps, config_map("a"))
    api.delete(f"{maps}/a?dryRun=All")
    api.get(f"{maps}/a")


def test_finalizers(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", finalizers=["example.com/wait"]))
    api.delete(f"{maps}/a")
    api.get(f"{maps}/a")
    api.delete(f"{maps}/a")
    api.patch(f"{maps}/a", {"metadata": {"finalizers": None}})
    api.get(f"{maps}/a")


def test_generation(api):
    """What is wanted counts; labels don't. Nobody rolls a Deployment out that is paused at zero."""
    path = api.path("deployments", version="apps/v1")
    made = api.post(f"{path}?dryRun=All", deployment("d", paused=True))
    assert made["metadata"]["generation"] == 1


def test_methods(api):
    api.post(api.path("configmaps", "a"), config_map("a"))
    api.put(api.path("configmaps"), config_map("a"))
    api.get("/api/v1/namespaces/default/nothing")
    api.get("/apis/nothing.example.com/v1")
    api.get("/apis/apps/v1/nothing")


def test_delete_all(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", labels={"x": "y"}))
    api.post(maps, config_map("b", labels={"x": "z"}))
    api.delete(f"{maps}?labelSelector=x%3Dy")
    api.get(f"{maps}?labelSelector=x")


def test_delete_all_as_a_table(api):
    maps = api.path("configmaps")
    api.post(maps, config_map("a", labels={"x": "y"}))
    api.post(maps, config_map("b"))
    api._step("DELETE", f"{maps}?labelSelector=x%3Dy", None, {"Accept": TABLE})
    api.get(f"{maps}/a")
    api.get(f"{maps}/b")
