# SPDX-License-Identifier: Apache-2.0
"""What isn't ours stays as it is."""

import pytest

from harness.objects import application, component, rollout


def without_annotation(name):
    thing = application(component(version="4.0.6"), name=name)
    del thing["metadata"]["annotations"]
    return thing


@pytest.mark.real("reads the audit log")
def test_application_without_the_annotation(stage):
    """Not a write to it, no revision of it, neither at once nor when it is changed."""
    stage.controller()
    thing = without_annotation("other")
    before = stage.put(thing)["metadata"]["resourceVersion"]
    stage.record(1, component(version="4.0.6"))
    assert stage.get("Application", "other")["metadata"]["resourceVersion"] == before
    thing["spec"]["components"][0]["properties"]["version"] = "5.0.2"
    before = stage.put(thing)["metadata"]["resourceVersion"]
    stage.record(2, component(version="5.0.2"))
    assert stage.get("Application", "other")["metadata"]["resourceVersion"] == before
    assert sorted(stage.names("ApplicationRevision")) == ["shop-v1", "shop-v2"]
    assert not [write for write in stage.writes("applications")
                if write["objectRef"]["name"] == "other"]


def test_annotation_that_says_no(stage):
    stage.controller()
    thing = application(component(version="4.0.6"), name="other",
                        **{"app.oam.dev/rollout-template": "false"})
    before = stage.put(thing)["metadata"]["resourceVersion"]
    stage.record(1, component(version="4.0.6"))
    assert stage.get("Application", "other")["metadata"]["resourceVersion"] == before
    assert stage.names("ApplicationRevision") == ["shop-v1"]


@pytest.mark.real("reads the audit log")
def test_workload_that_nobody_rolls(stage):
    """A CloneSet of another component, and the fields of ours that others own."""
    stage.controller()
    stage.deploy(fake=True)
    stranger = stage.get("CloneSet", "web")
    stranger["metadata"] = {"name": "stranger", "namespace": stage.namespace,
                            "annotations": {"owner": "somebody"}}
    stranger["spec"]["selector"]["matchLabels"] = {"app": "stranger"}
    stranger["spec"]["template"]["metadata"]["labels"] = {"app": "stranger"}
    stage.put({key: stranger[key] for key in ("apiVersion", "kind", "metadata", "spec")})
    stage.patch("CloneSet", "web", {"metadata": {"annotations": {"team": "shop"}},
                                    "spec": {"minReadySeconds": 0, "revisionHistoryLimit": 7}})
    stage.record(2, component(version="5.0.2", fake=True))
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, 4]))
    stage.wait_state("rolloutSucceed")
    assert not [write for write in stage.writes("clonesets")
                if write["objectRef"]["name"] == "stranger"]
    ours = stage.get("CloneSet", "web")
    assert ours["metadata"]["annotations"]["team"] == "shop"
    assert ours["spec"]["revisionHistoryLimit"] == 7


@pytest.mark.real("reads the audit log")
def test_another_namespace(stage):
    """A controller for one namespace writes in no other."""
    stage.controller(namespace="vela-system")
    stage.put(application(component(version="4.0.6")))
    stage.put(rollout("shop-v1"))
    stage.history.catch_up()
    assert not stage.history.quiet(stage.history.number(), 2, "Application", "AppRollout",
                                   "ApplicationRevision")
    assert not stage.writes()
