# SPDX-License-Identifier: Apache-2.0
"""Lists: pages, selectors, versions, and how they can be seen."""

from urllib.parse import quote

from things import config_map
from transcript import TABLE


def make(api, count: int) -> str:
    maps = api.path("configmaps")
    for number in range(count):
        api.post(maps, config_map(f"m{number}", labels={"n": str(number), "of": "case"}))
    return maps


def test_pages(api):
    maps = make(api, 5)
    query = f"{maps}?limit=2&fieldSelector=metadata.name!%3Dkube-root-ca.crt"
    first = api.get(query)
    api.get(f"{query}&continue={quote(first['metadata']['continue'])}")


def test_pages_are_of_one_moment(api):
    """What happens between two pages isn't seen in the second."""
    maps = make(api, 4)
    query = f"{maps}?limit=2&labelSelector=of"
    first = api.get(query)
    api.delete(f"{maps}/m3")
    api.post(maps, config_map("m2a", labels={"of": "case"}))
    api.patch(f"{maps}/m2", {"data": {"new": "1"}})
    api.get(f"{query}&continue={quote(first['metadata']['continue'])}")


def test_label_selectors(api):
    maps = make(api, 3)
    for selector in ("n=1", "n==1", "n!=1,of", "n in (0, 2)", "n notin (0,1),of=case", "!n,of",
                     "of=case,n=2"):
        api.get(f"{maps}?labelSelector={quote(selector)}")


def test_field_selectors(api):
    maps = make(api, 2)
    api.get(f"{maps}?fieldSelector=metadata.name%3Dm1")
    api.get(f"{maps}?fieldSelector=metadata.name!%3Dm1&labelSelector=of")
    api.get(f"{maps}?fieldSelector=data.a%3D1")


def test_versions(api):
    maps = make(api, 2)
    api.get(f"{maps}?labelSelector=of&resourceVersion=0")
    version = api.get(f"{maps}?labelSelector=of")["metadata"]["resourceVersion"]
    api.delete(f"{maps}/m0")
    api.get(f"{maps}?labelSelector=of&resourceVersion={version}&resourceVersionMatch=Exact")
    api.get(f"{maps}?labelSelector=of&resourceVersion=nonsense")


def test_views(api):
    maps = make(api, 1)
    api.get(f"{maps}/m0", TABLE)
    api.get(f"{maps}?labelSelector=of", TABLE + ",application/json")
    api.get(f"{maps}?labelSelector=of&includeObject=None", TABLE)
    meta = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
    api.get(f"{maps}?labelSelector=of", meta)
    api.get(f"{maps}/m0", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
    api.get(f"{maps}/m0", "text/html")


def test_empty(api):
    api.get(api.path("secrets"))
    api.get(api.path("deployments", version="apps/v1"))
