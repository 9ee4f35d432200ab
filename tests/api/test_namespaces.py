# SPDX-License-Identifier: Apache-2.0
"""Namespaces begin and end."""

from things import config_map


def test_end(api):
    """What is in one goes with it, and what waits for a finalizer keeps it."""
    maps = api.path("configmaps")
    own = f"/api/v1/namespaces/{api.namespace}"
    api.get(own)
    api.post(maps, config_map("a", finalizers=["example.com/wait"]))
    api.delete(own)
    api.post(maps, config_map("b"))
    api.until(f"{maps}/a", lambda _, answer: "deletionTimestamp" in answer["metadata"])
    api.patch(f"{maps}/a", {"metadata": {"finalizers": None}})
    api.until(own, lambda status, _: status == 404)
    api.get(own)
    api.get(maps)


def test_default_stays(api):
    api.delete("/api/v1/namespaces/default")


def test_finalize(api):
    """Only this way can a namespace's own finalizers be changed; the last to go ends it."""
    own = f"/api/v1/namespaces/{api.namespace}"
    api.patch(own, {"spec": {"finalizers": ["kubernetes", "example.com/b"]}})
    api.put(f"{own}/finalize", {"apiVersion": "v1", "kind": "Namespace",
                                "metadata": {"name": api.namespace, "labels": {"x": "y"}},
                                "spec": {"finalizers": ["kubernetes", "example.com/a"]}})
    api.patch(f"{own}/finalize", {"spec": {"finalizers": []}})
    api.delete(own)
    api.until(own, lambda _, answer: answer["spec"] == {"finalizers": ["example.com/a"]})
    api._send("PUT", f"{own}/finalize", {"apiVersion": "v1", "kind": "Namespace",
                                         "metadata": {"name": api.namespace}})
    api.get(own)
