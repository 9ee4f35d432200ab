# SPDX-License-Identifier: Apache-2.0
"""What is owned goes when its owners have gone, unless it is to be left."""

from things import config_map


def owner(made: dict, **more) -> dict:
    metadata = made["metadata"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "name": metadata["name"],
            "uid": metadata["uid"], **more}


def gone(status, _) -> bool:
    return status == 404


def family(api, **reference):
    """A parent, its child and its grandchild; the path that they have in common."""
    maps = api.path("configmaps")
    made = api.post(maps, config_map("parent"))
    made = api.post(maps, config_map("child", ownerReferences=[owner(made, **reference)]))
    api.post(maps, config_map("grandchild", ownerReferences=[owner(made, **reference)]))
    return maps


def test_background(api):
    maps = family(api)
    api.delete(f"{maps}/parent")
    api.until(f"{maps}/grandchild", gone)
    api.get(f"{maps}/child")


def test_foreground(api):
    """The owner waits for those that block it; one that waits for something else keeps it."""
    maps = api.path("configmaps")
    made = api.post(maps, config_map("parent"))
    api.post(maps, config_map("child", finalizers=["example.com/wait"],
                              ownerReferences=[owner(made, blockOwnerDeletion=True)]))
    api.delete(f"{maps}/parent", {"propagationPolicy": "Foreground"})
    api.until(f"{maps}/child", lambda _, answer: "deletionTimestamp" in answer["metadata"])
    api.get(f"{maps}/parent")
    api.patch(f"{maps}/child", {"metadata": {"finalizers": None}})
    api.until(f"{maps}/parent", gone)
    api.get(f"{maps}/child")


def test_foreground_goes_down(api):
    maps = family(api, blockOwnerDeletion=True)
    api.delete(f"{maps}/parent", {"propagationPolicy": "Foreground"})
    api.until(f"{maps}/parent", gone)
    api.get(f"{maps}/grandchild")
    api.get(f"{maps}/child")


def test_foreground_waits_for_nobody(api):
    maps = family(api)
    api.delete(f"{maps}/parent", {"propagationPolicy": "Foreground"})
    api.until(f"{maps}/parent", gone)
    api.until(f"{maps}/child", gone)
    api.until(f"{maps}/grandchild", gone)


def test_orphan(api):
    maps = family(api)
    api.delete(f"{maps}/parent", {"propagationPolicy": "Orphan"})
    api.until(f"{maps}/parent", gone)
    api.until(f"{maps}/child", lambda _, answer: "ownerReferences" not in answer["metadata"])
    api.get(f"{maps}/child")
    api.get(f"{maps}/grandchild")


def test_one_owner_is_enough(api):
    maps = api.path("configmaps")
    first, second = api.post(maps, config_map("a")), api.post(maps, config_map("b"))
    api.post(maps, config_map("child", ownerReferences=[owner(first), owner(second)]))
    api.delete(f"{maps}/a")
    api.until(f"{maps}/child", lambda _, answer: len(answer["metadata"]["ownerReferences"]) == 1)
    api.get(f"{maps}/child")
    api.delete(f"{maps}/b")
    api.until(f"{maps}/child", gone)


def test_absent_owner(api):
    """One of the same name isn't the same."""
    maps = api.path("configmaps")
    made = api.post(maps, config_map("parent"))
    api.delete(f"{maps}/parent")
    api.post(maps, config_map("parent"))
    api.post(maps, config_map("child", ownerReferences=[owner(made)]))
    api.until(f"{maps}/child", gone)
    api.get(f"{maps}/parent")
