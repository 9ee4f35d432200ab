# SPDX-License-Identifier: Apache-2.0
"""What the API says of itself. The sandbox has fewer kinds: those that it has are the same."""

import openapi_v2
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


def test_openapi_v2(api):
    """What kubectl before 1.27 looks for."""
    connection, answer = api.server.request("GET", "/openapi/v2", None,
                                            {"Accept": openapi_v2.TYPE})
    said = openapi_v2.patches(answer.read())
    connection.close()
    ours = {}
    for path, patch in said.items():
        *_, resource, last = path.split("/")
        group = patch["whose"][0]["group"] if patch["whose"] else None
        if last == "{name}" and "/v1/" in path and resource in KINDS.get(group, ()):
            ours[path] = {**patch, "takes": [name for name in patch["takes"]
                                             if name in ("dryRun", "fieldValidation")]}
    api.say("patches", {"status": answer.status, "type": answer.headers["Content-Type"],
                        "of": ours})
