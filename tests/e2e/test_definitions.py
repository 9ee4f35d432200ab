# SPDX-License-Identifier: Apache-2.0
"""ComponentDefinitions of many kinds, as people write them. See definitions/."""

import json

from harness import proof
from harness.objects import component, definition, image_of, rollout

PODINFO = "stefanprodan/podinfo:"


def roll(stage, kind, before, after, batches):
    """Deploys with the one set of properties and rolls to the other; the CloneSet that has come out."""
    stage.controller()
    stage.record(1, component(kind=kind, **before))
    stage.put(rollout("shop-v1"))
    stage.wait_state("rolloutSucceed")
    stage.record(2, component(kind=kind, **after))
    stage.put(rollout("shop-v2", "shop-v1", batches=batches))
    stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    return stage.get("CloneSet", "web")


def test_objects_beside_the_workload(stage):
    """They are made before it and follow it, belong to the Application, and have names of their own."""
    settings = {"COLOR": "blue"}
    roll(stage, "web-with-service", {"image": PODINFO + "4.0.6", "settings": settings},
         {"image": PODINFO + "5.0.2", "settings": {"COLOR": "green"}}, [1, 2])
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 2]
    service = stage.get("Service", "web-service")
    assert service["spec"]["ports"][0]["port"] == 8080
    data = stage.get("ConfigMap", "web-settings")["data"]
    assert data == {"COLOR": "green", "VERSION": "shop-v2"}
    uid = stage.get("Application", "shop")["metadata"]["uid"]
    for kind, name in (("Service", "web-service"), ("ConfigMap", "web-settings"),
                       ("CloneSet", "web")):
        owners = stage.get(kind, name)["metadata"]["ownerReferences"]
        assert [owner["uid"] for owner in owners] == [uid]


def test_imports_and_definitions(stage):
    """Pods that are replaced: strings, lists, hidden fields and definitions make the workload."""
    common = {"team": "SHOP", "zones": [{"name": "north", "pods": 1}, {"name": "south", "pods": 3}]}
    found = roll(stage, "worker-with-imports", {**common, "tag": "4.0.6", "env": {"color": "blue"}},
                 {**common, "tag": "5.0.2", "env": {"color": "green", "level": "3"}}, ["25%", "75%"])
    pod = found["spec"]["template"]
    assert pod["spec"]["containers"][0]["env"] == [{"name": "COLOR", "value": "green"},
                                                   {"name": "LEVEL", "value": "3"}]
    assert pod["metadata"]["labels"] == {"app": "web", "team": "shop"}
    assert found["metadata"]["annotations"]["zones"] == "north,south"
    assert found["spec"]["replicas"] == 4
    stage.wait("only new pods are left", lambda: [
        image_of(each) for each in stage.history.objects("Pod").values()] == ["5.0.2"] * 4)
    assert proof.goals(stage.history, "web", "5.0.2") == [0, 1, 4]


def test_all_of_context(stage):
    found = roll(stage, "labelled-by-context", {"image": PODINFO + "4.0.6"},
                 {"image": PODINFO + "5.0.2", "rollingUpdate": {}}, [1, 1])
    assert found["metadata"]["labels"]["app.oam.dev/appRevision"] == "shop-v2"
    assert found["metadata"]["labels"]["app"] == "shop"
    assert found["metadata"]["annotations"]["namespace"] == stage.namespace
    assert found["metadata"]["annotations"]["number"] == "2"
    assert found["spec"]["updateStrategy"]["maxUnavailable"] == 2
    assert {pod["metadata"]["labels"]["revision"] for pod in stage.history.objects("Pod").values()
            if "deletionTimestamp" not in pod["metadata"]} == {"shop-v2"}


def test_workload_named_by_its_resource(stage):
    found = roll(stage, "by-type-of-workload",
                 {"image": PODINFO + "4.0.6", "size": "large", "resources": {}},
                 {"image": PODINFO + "5.0.2", "size": "large", "resources": {},
                  "cmd": ["./podinfo", "stress-cpu=1"]}, ["50%", "50%"])
    container = found["spec"]["template"]["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"cpu": "10m", "memory": "16Mi"}
    assert container["command"] == ["./podinfo", "stress-cpu=1"]
    assert found["spec"]["replicas"] == 4


def test_definition_of_ones_own(stage):
    """One in the Application's own namespace comes before the shared one of the same name, and a
    revision keeps what it was recorded with."""
    stage.controller()
    shared = stage.cluster.api.get("/apis/core.oam.dev/v1beta1/namespaces/vela-system/"
                                   "componentdefinitions/service")
    template = shared["spec"]["schematic"]["cue"]["template"]
    stage.put(definition("service", template + '\noutput: metadata: annotations: mine: "yes"\n'))
    stage.record(1, component(version="4.0.6", fake=True, replicas=2))
    stage.delete("ComponentDefinition", "service")
    stage.put(rollout("shop-v1"))
    stage.wait_state("rolloutSucceed")
    assert stage.get("CloneSet", "web")["metadata"]["annotations"]["mine"] == "yes"
    revision = stage.get("ApplicationRevision", "shop-v1")
    assert "mine" in json.dumps(revision["spec"]["componentDefinitions"]["service"])


def test_what_a_revision_says_of_itself(stage):
    """Labels by which people find revisions and workloads, as KubeVela named them."""
    stage.controller()
    stage.deploy(fake=True, size=1)
    labels = stage.get("ApplicationRevision", "shop-v1")["metadata"]["labels"]
    assert labels["app.oam.dev/name"] == "shop" and labels["app.oam.dev/app-revision-hash"]
    labels = stage.get("CloneSet", "web")["metadata"]["labels"]
    assert labels["app.oam.dev/name"] == "shop" and labels["app.oam.dev/component"] == "web"
    assert labels["app.oam.dev/appRevision"] == "shop-v1"
    latest = stage.get("Application", "shop")["status"]["latestRevision"]
    assert (latest["name"], latest["revision"]) == ("shop-v1", 1)
