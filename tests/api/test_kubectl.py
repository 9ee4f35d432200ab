# SPDX-License-Identifier: Apache-2.0
"""kubectl, as people type it."""

from server import needs_kubectl
from test_definitions import CRDS, thing
from things import config_map, crd, deployment

pytestmark = needs_kubectl


def test_apply(api):
    for data in ({"a": "1", "b": "2"}, {"a": "3"}, {"a": "3"}):
        api.kubectl("apply", "-f", "-", stdin=config_map("app", data))
    api.get(api.path("configmaps", "app"))
    api.kubectl("apply", "-f", "-", stdin={**config_map("app"), "datta": {}})
    api.kubectl("diff", "-f", "-", stdin=config_map("app", {"a": "3"}))
    api.kubectl("delete", "-f", "-", stdin=config_map("app"))
    api.kubectl("delete", "-f", "-", stdin=config_map("app"))


def test_create_and_get(api):
    api.kubectl("create", "-f", "-", stdin=config_map("app", labels={"x": "y"}))
    api.kubectl("create", "-f", "-", stdin=config_map("app"))
    api.kubectl("get", "configmap", "app")
    api.kubectl("get", "cm", "-l", "x=y", "--show-labels")
    api.kubectl("get", "cm", "-l", "x=y", "-o", "name")
    api.kubectl("get", "cm", "app", "-o", "jsonpath={.data.a}")
    api.kubectl("get", "cm", "none")
    api.kubectl("get", "nothings")
    api.kubectl("get", "secrets")
    api.kubectl("replace", "-f", "-", stdin=config_map("app", {"a": "2"}))
    api.kubectl("get", "cm", "app", "-o", "jsonpath={.data.a}")


def test_small_changes(api):
    api.kubectl("create", "-f", "-", stdin=config_map("app"))
    api.kubectl("label", "cm", "app", "tier=front")
    api.kubectl("label", "cm", "app", "tier=back")
    api.kubectl("annotate", "cm", "app", "why=because")
    api.kubectl("patch", "cm", "app", "-p", '{"data":{"b":"2"}}')
    api.kubectl("patch", "cm", "app", "--type=merge", "-p", '{"data":{"a":null}}')
    api.kubectl("patch", "cm", "app", "--type=json", "-p",
                '[{"op":"add","path":"/data/c","value":"3"}]')
    api.get(api.path("configmaps", "app"))
    api.kubectl("delete", "cm", "app", "--wait=true")


def test_custom_kind(api):
    api.kubectl("apply", "-f", "-", stdin=crd("widgets", "Widget"))
    api.kubectl("wait", "--for=condition=Established", "--timeout=10s", "crd/widgets.example.com")
    api.until(api.path("widgets", version="example.com/v1"), lambda status, _: status == 200)
    for size in (1, 2):
        api.kubectl("apply", "-f", "-", stdin={**thing("w", {"size": size}), "kind": "Widget"})
    api.kubectl("get", "widgets")
    api.kubectl("get", "wid", "-o", "wide")
    api.kubectl("apply", "-f", "-", stdin={**thing("w", {"size": 77}), "kind": "Widget"})
    api.kubectl("apply", "-f", "-", stdin={**thing("w", {"size": 2, "x": 1}), "kind": "Widget"})
    api.kubectl("delete", "widget", "w")
    api.kubectl("delete", "crd", "widgets.example.com")
    api.until(f"{CRDS}/widgets.example.com", lambda status, _: status == 404)


def test_dry_run(api):
    api.kubectl("apply", "--dry-run=server", "-f", "-", stdin=deployment("web"))
    api.kubectl("get", "deployments")


def test_scale(api):
    """Of what no controller makes pods for: its template isn't scheduled anywhere."""
    api.kubectl("create", "-f", "-", stdin=deployment("web"))
    api.kubectl("scale", "deployment", "web", "--replicas=3")
    api.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}")
    api.kubectl("scale", "deployment/web", "--current-replicas=1", "--replicas=2")
    api.kubectl("scale", "deployment/web", "--current-replicas=3", "--replicas=0")
    api.kubectl("get", "deployment", "web", "-o", "jsonpath={.spec.replicas}")
    api.kubectl("scale", "deployment", "none", "--replicas=1")
    api.kubectl("scale", "configmap", "none", "--replicas=1")
