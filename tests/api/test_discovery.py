# SPDX-License-Identifier: Apache-2.0
"""What the API says of itself. The sandbox has fewer kinds: those that it has are the same."""

import pytest

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KINDS = {
    "": ("configmaps", "events", "namespaces", "nodes", "pods", "secrets", "serviceaccounts",
         "services"),
    "apps": ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"),
    "coordination.k8s.io": ("leases",),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
}
SUBRESOURCES = ("status", "scale", "finalize")


def is_ours(name: str, group: str) -> bool:
    kind, _, subresource = name.partition("/")
    return kind in KINDS[group] and (not subresource or subresource in SUBRESOURCES)


@pytest.mark.parametrize("group", KINDS)
def test_resources(api, group):
    path = f"/apis/{group}/v1" if group else "/api/v1"
    status, answer = api._send("GET", path)
    resources = [each for each in answer["resources"] if is_ours(each["name"], group)]
    api.steps.append({"do": f"GET {path}", "status": status, "answer": {
        **answer, "resources": sorted(resources, key=lambda each: each["name"])}})


@pytest.mark.parametrize("path", ["/api", "/apis"])
def test_aggregated(api, path):
    status, answer = api._send("GET", path, headers={"Accept": AGGREGATED})
    found = {}
    for item in answer["items"]:
        group = item["metadata"].get("name", "")
        for version in item["versions"]:
            for resource in version["resources"]:
                if group in KINDS and version["version"] == "v1" and \
                        resource["resource"] in KINDS[group]:
                    found[f"{group}/{resource['resource']}"] = tidy(resource)
    api.steps.append({"do": f"GET {path}", "status": status,
                      "type": api.headers["Content-Type"], "answer": found})


def tidy(resource: dict) -> dict:
    """Without the subresources that the sandbox doesn't have."""
    subresources = [each for each in resource.get("subresources", [])
                    if each["subresource"] in SUBRESOURCES]
    rest = {key: value for key, value in resource.items() if key != "subresources"}
    return {**rest, "subresources": sorted(subresources, key=lambda each: each["subresource"])}


def test_groups(api):
    api.get("/apis/apps")
    api.get("/apis/nothing.example.com")
    api.get("/nothing")


def test_health(api):
    for path in ("/healthz", "/livez", "/readyz"):
        api.get(path)
