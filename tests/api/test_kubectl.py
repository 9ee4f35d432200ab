# SPDX-License-Identifier: Apache-2.0
"""kubectl, as people type it."""

import re

from server import needs_kubectl
from test_definitions import CRDS, thing
from test_workloads import at_rest, running
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


def test_watch(api):
    words = ("-n", api.namespace, "get", "cm", "-l", "x=y", "-o", "name")
    api.kubectl("create", "-f", "-", stdin=config_map("a", labels={"x": "y"}))
    with api.server.kubectl_lines(*words, "--watch", "--output-watch-events") as lines:
        seen = [next(lines)]
        for do in (("annotate", "cm", "a", "why=because"), ("label", "cm", "a", "x-"),
                   ("label", "cm", "a", "x=y"), ("delete", "cm", "a")):
            api.kubectl(*do)
            seen.append(next(lines))
    api.say("what was watched", seen)


def described(api, thing: str) -> list:
    """Without the times; without the hashes of templates, which have defaults that a sandbox doesn't
    know; and without the Events, which are about each pod as it comes."""
    text = api.server.kubectl("-n", api.namespace, "describe", thing).stdout.split("Events:")[0]
    text = re.sub(r"\bweb-\w+", "web-<hash>", api.words(text))
    return [" ".join(line.split()) for line in text.splitlines()
            if not line.startswith("CreationTimestamp:")]


def test_a_deployment(nodes_api):
    """From its first pod to its last one."""
    path = nodes_api.path("deployments", "web", version="apps/v1")
    nodes_api.kubectl("apply", "--server-side", "-f", "-", stdin=running("web", 2))
    nodes_api.kubectl("wait", "--for=condition=Available", "--timeout=30s", "deployment/web")
    for change in (("set", "image", "deployment/web", "main=example/app:2"),
                   ("rollout", "undo", "deployment/web")):
        nodes_api.until(path, at_rest(2))
        nodes_api.kubectl("rollout", "status", "deployment/web", "--timeout=30s")
        nodes_api.say("a description", described(nodes_api, "deployment/web"))
        nodes_api.kubectl(*change)
    nodes_api.until(path, at_rest(2))
    nodes_api.kubectl("rollout", "history", "deployment/web")
    nodes_api.kubectl("get", "deployment", "web")
    nodes_api.kubectl("delete", "deployment", "web", "--wait=true")
