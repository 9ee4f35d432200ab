# SPDX-License-Identifier: Apache-2.0
"""Applications that only record: each change of the spec is the next revision, exactly once, and
what is wrong with one stands in its own status."""

import random
import time

import pytest

from harness.objects import application, component, definition

TEMPLATE = """
output: {
    apiVersion: "apps.kruise.io/v1alpha1"
    kind:       "CloneSet"
    spec: replicas: parameter.size
}
parameter: size: int
"""
RECORDING = ["applicationrevisions", "applications"]


def condition(thing, kind) -> dict:
    conditions = (thing or {}).get("status", {}).get("conditions", [])
    return next((found for found in conditions if found["type"] == kind), {})


def wait_condition(stage, kind, status, reason, name="shop") -> dict:
    def reached():
        thing = stage.history.now("Application", name)
        found = condition(thing, kind)
        seen = (thing or {}).get("status", {}).get("observedGeneration")
        current = seen == (thing or {}).get("metadata", {}).get("generation")
        return found if current and (found.get("status"), found.get("reason")) == (
            status, reason) else None

    return stage.wait(f"{name} is {kind} {status} because of {reason}", reached)


def wait_latest(stage, number, name="shop") -> dict:
    wait_condition(stage, "Ready", "True", "Recorded", name)
    return stage.wait(f"{name}-v{number} is the latest", lambda: next(
        (thing for thing in [stage.history.now("Application", name)]
         if thing["status"].get("latestRevision", {}).get("revision") == number), None))


def versions_recorded(stage) -> dict:
    """The version in each revision, by the revision's name."""
    return {item["metadata"]["name"]:
            item["spec"]["application"]["spec"]["components"][0]["properties"]["version"]
            for item in stage.api.get(stage.path("ApplicationRevision"))["items"]}


def assert_no_writes(stage, since, seconds=2):
    stage.history.catch_up()
    stage.history.quiet(stage.history.number(), seconds, "Application", "ApplicationRevision")
    assert len(stage.writes(*RECORDING)) == since


@pytest.mark.real("reads the audit log")
def test_two_writes_a_change_and_none_without(stage):
    controller = stage.controller()
    stage.put(application(component(version="4.0.6")))
    latest = wait_latest(stage, 1)["status"]["latestRevision"]
    assert latest["name"] == "shop-v1"
    assert [write["verb"] for write in stage.writes(*RECORDING)] == ["create", "patch"]
    revision = stage.get("ApplicationRevision", "shop-v1")
    assert revision["metadata"]["labels"]["app.oam.dev/app-revision-hash"] == latest["revisionHash"]
    assert list(revision["spec"]["componentDefinitions"]) == ["service"]
    assert "status" not in revision["spec"]["application"]

    stage.put(application(component(version="4.0.6")))  # the same again
    stage.put(application(component(version="4.0.6"), **{"team": "shop"}))  # beside the spec
    assert_no_writes(stage, 2)
    controller.restart_after_kill()
    assert_no_writes(stage, 2)

    stage.put(application(component(version="5.0.2")))
    wait_latest(stage, 2)
    stage.put(application(component(version="4.0.6")))
    wait_latest(stage, 3)
    assert versions_recorded(stage) == {"shop-v1": "4.0.6", "shop-v2": "5.0.2",
                                        "shop-v3": "4.0.6"}
    assert_no_writes(stage, 6)
    assert stage.event("RevisionRecorded", "^recorded as shop-v3$")["type"] == "Normal"


def test_killed_at_any_moment(stage):
    """Each change is recorded once, in order, whenever the controller ends in between: at random,
    and as soon as the revision is seen, which is before its name stands in the status."""
    controller = stage.controller()
    moments = random.Random(20)
    for number in range(1, 31):
        stage.put(application(component(version=f"1.0.{number}")))
        if number % 2:
            stage.wait_revision(f"shop-v{number}")
        else:
            time.sleep(moments.uniform(0, 0.08))  # waits for nothing: any moment will do
        controller.restart_after_kill()
        wait_latest(stage, number)
    stage.put(application(component(version="1.0.31")))
    wait_latest(stage, 31)
    assert versions_recorded(stage) == {f"shop-v{number}": f"1.0.{number}"
                                        for number in range(1, 32)}


@pytest.mark.real("reads the audit log")
def test_missing_definition(stage):
    """It is waited for, said so, and found when it comes: first in the own namespace."""
    stage.controller()
    stage.put(application(component(kind="sized", size=1)))
    missing = wait_condition(stage, "Ready", "False", "DefinitionMissing")
    assert missing["message"] == (f"there is no ComponentDefinition sized in namespace "
                                  f"{stage.namespace} or vela-system; it is waited for")
    assert stage.event("DefinitionMissing", "sized")["type"] == "Warning"
    assert_no_writes(stage, 1)
    stage.put(definition("sized", TEMPLATE))
    wait_latest(stage, 1)
    recorded = stage.get("ApplicationRevision", "shop-v1")["spec"]["componentDefinitions"]
    assert recorded["sized"]["metadata"]["namespace"] == stage.namespace


def test_the_nearer_definition_counts(stage):
    stage.put(definition("service", TEMPLATE))
    stage.controller()
    stage.put(application(component(size=1)))
    wait_latest(stage, 1)
    recorded = stage.get("ApplicationRevision", "shop-v1")["spec"]["componentDefinitions"]
    assert recorded["service"]["metadata"]["namespace"] == stage.namespace


def test_what_cannot_be_rolled(stage):
    """Named in the status, told once, recorded when it has been put right."""
    stage.controller()
    bad = component(version="4.0.6")
    bad["traits"] = [{"type": "scaler"}]
    stage.put(application(bad))
    found = wait_condition(stage, "Ready", "False", "InvalidApplication")
    assert found["message"].startswith("spec.components[0].traits: traits is not supported")
    assert stage.event("InvalidApplication", "traits")["type"] == "Warning"
    assert not stage.names("ApplicationRevision")
    stage.put(application(component(version="4.0.6")))
    wait_latest(stage, 1)


def test_type_that_leads_elsewhere(stage):
    """A component's type becomes part of a request; it may lead to nothing but a definition."""
    stage.controller()
    stage.put(application(component(kind="../../../../../../api/v1/namespaces/kube-system")))
    found = wait_condition(stage, "Ready", "False", "InvalidApplication")
    assert found["message"].startswith("spec.components[0].type: expected the name of a")


def test_parameter_of_the_wrong_type(stage):
    """The author hears of it at once, and the revision is there all the same."""
    stage.controller()
    stage.put(application(component(version="4.0.6", replicas="many")))
    found = wait_condition(stage, "Rendered", "False", "RenderFailed")
    assert "component web: " in found["message"] and "replicas" in found["message"]
    wait_latest(stage, 1)
    assert stage.event("RenderFailed", "replicas")["type"] == "Warning"
    stage.put(application(component(version="4.0.6", replicas=2)))
    wait_condition(stage, "Rendered", "True", "Rendered")
    wait_latest(stage, 2)


def test_made_anew_under_the_same_name(stage):
    """The former one's revisions go with it, and the new one begins with its own first."""
    stage.controller()
    stage.put(application(component(version="4.0.6")))
    wait_latest(stage, 1)
    former = stage.get("Application", "shop")["metadata"]["uid"]
    stage.delete("Application", "shop")
    present = stage.put(application(component(version="4.0.6")))["metadata"]["uid"]
    assert present != former
    wait_latest(stage, 1)
    stage.wait("the revision is the new one's", lambda: [
        revision for revision in stage.history.objects("ApplicationRevision").values()
        if revision["metadata"]["ownerReferences"][0]["uid"] == present])
    assert stage.names("ApplicationRevision") == ["shop-v1"]


@pytest.mark.real("reads the audit log")
def test_many_at_once(stage):
    """Two writes for each of them, and no more."""
    for number in range(60):
        stage.put(application(component(version="4.0.6"), name=f"shop-{number}"))
    stage.controller()
    for number in range(60):
        wait_latest(stage, 1, f"shop-{number}")
    assert_no_writes(stage, 120)
