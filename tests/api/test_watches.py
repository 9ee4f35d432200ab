# SPDX-License-Identifier: Apache-2.0
"""Watches: from a version on, from the beginning, and of less than everything."""

from things import TOLERATION, config_map, deployment
from transcript import TABLE


def changes(api) -> tuple:
    """Makes some; returns the path, and the version before them."""
    maps = api.path("configmaps")
    start = api.get(f"{maps}?labelSelector=x")["metadata"]["resourceVersion"]
    api.post(maps, config_map("a", labels={"x": "y"}))
    api.patch(f"{maps}/a", {"data": {"b": "2"}})
    api.post(maps, config_map("b", labels={"x": "z"}))
    api.patch(f"{maps}/a", {"metadata": {"labels": {"x": "z"}}})
    api.patch(f"{maps}/a", {"metadata": {"labels": {"x": "y"}}})
    api.delete(f"{maps}/a")
    return maps, start


def test_from_a_version(api):
    maps, start = changes(api)
    api.watch(f"{maps}?watch=1&labelSelector=x&resourceVersion={start}", 6)


def test_what_leaves_the_selection_is_deleted(api):
    maps, start = changes(api)
    api.watch(f"{maps}?watch=true&labelSelector=x%3Dy&resourceVersion={start}", 5)


def test_one_object(api):
    maps, start = changes(api)
    api.watch(f"{maps}?watch=1&fieldSelector=metadata.name%3Db&resourceVersion={start}", 1)


def test_from_the_beginning(api):
    maps = changes(api)[0]
    api.watch(f"{maps}?watch=1&labelSelector=x", 1)
    api.watch(f"{maps}?watch=1&labelSelector=x&resourceVersion=0", 1)


def test_initial_events_end_with_a_bookmark(api):
    maps = changes(api)[0]
    api.watch(f"{maps}?watch=1&labelSelector=x&allowWatchBookmarks=true&sendInitialEvents=true"
              "&resourceVersionMatch=NotOlderThan", 2)


def test_tables(api):
    maps, start = changes(api)
    api.watch(f"{maps}?watch=1&labelSelector=x&resourceVersion={start}", 2, TABLE)


def test_bad_version(api):
    api.get(api.path("configmaps") + "?watch=1&resourceVersion=nonsense")


def test_what_nobody_has_asked_for(nodes_api):
    """A change that time brings is told as it happens, whether or not there is a request."""
    api = nodes_api
    made = deployment("d", replicas=1, minReadySeconds=1)
    made["spec"]["template"]["spec"]["tolerations"] = [TOLERATION]
    path = api.path("deployments", version="apps/v1")
    api._send("POST", path, made)
    found = api.watch_until(f"{path}?watch=true", lambda thing: thing.get("status", {}).get(
        "availableReplicas"))
    api.say("the Deployment", found["status"]["availableReplicas"])
