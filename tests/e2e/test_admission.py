# SPDX-License-Identifier: Apache-2.0
"""The webhook: what a real API server refuses because of it, in which words, that nothing depends on
it, and that its certificate is followed by the next."""

import base64
import json
import re
import ssl
import subprocess
import time

import pytest
import yaml
from cluster.api import ApiError

from conftest import ROOT
from harness.controller import BUILD, SLUICE, config_text
from harness.exposition import Exposition, fetch, free_port
from harness.objects import rollout
from harness.stage import ROLE

pytestmark = pytest.mark.real("an API server has to ask")

DEPLOY = ROOT / "deploy" / "admission"
WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
DEPLOYMENT = [{"name": "deployment", "file": str(BUILD / "plugins" / "deployment" / "deployment.so")}]


def follower(name="web", workload="web", kind="Deployment", **plan) -> dict:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": kind, "name": workload},
                     "rolloutPlan": plan or {"rolloutBatches": [{"replicas": 1}, {}]}}}


def deployment(replicas=3) -> dict:
    labels = {"app": "web"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {
                    "nodeSelector": {"type": "nowhere"},
                    "containers": [{"name": "web", "image": "web:1"}]}}}}


def hook(url: str) -> dict:
    return {"type": "pre-batch-rollout", "name": "gate", "url": url}


class Desk:
    """A controller that is asked, and the entry that says so to the API server."""

    def __init__(self, stage, **settings):
        self.stage, self.api = stage, stage.api
        self.name = stage.namespace
        self.ports = []
        self.told = [free_port(), free_port()]  # where each tells its metrics
        self.settings = settings
        self.api.create(WEBHOOKS, {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration", "metadata": {"name": self.name},
            "webhooks": [self.webhook(number) for number in range(2)]})

    def webhook(self, number: int) -> dict:
        """Like the one in deploy/admission, but reached without a Service."""
        self.ports.append(free_port())
        found = yaml.safe_load((DEPLOY / "webhook.yaml").read_text(encoding="utf-8"))
        [made] = found["webhooks"]
        made.update(name=f"rollouts-{number}.admission.sluice.dev", clientConfig={
            "url": f"https://127.0.0.1:{self.ports[-1]}/admission"},
            namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": self.name}})
        return made

    def config(self, number: int) -> str:
        admission = {"listen": f"127.0.0.1:{self.ports[number]}", "configuration": self.name,
                     **self.settings}
        return config_text(DEPLOYMENT, namespace=self.name,
                           serve={"listen": f"127.0.0.1:{self.told[number]}"},
                           hooks={"allow": ["gates.svc"]}, admission=admission)

    def allow(self) -> None:
        """The role for this config, as an operator would make it."""
        draft = self.stage.folder / "role.yaml"
        draft.write_text(self.config(0))
        printed = subprocess.run([SLUICE, "role", f"--config={draft}"], check=True, text=True,
                                 capture_output=True).stdout
        for thing in yaml.safe_load_all(printed):
            if thing["metadata"]["name"] == "sluice-admission":
                thing["metadata"]["name"] = f"sluice-{self.name}"
                self.stage.cluster.apply(thing)
        self.stage.wait("the role counts", lambda: self.name in json.dumps(self.api.get(ROLE)))

    def open(self, number=0, *arguments: str):
        controller = self.stage.controller_with(self.config(number), *arguments).start()
        self.stage.wait("it is trusted", lambda: self.trusted(number))
        return controller

    def bundle(self, number=0) -> list:
        found = self.api.get(f"{WEBHOOKS}/{self.name}")["webhooks"][number]["clientConfig"]
        text = base64.b64decode(found.get("caBundle", "")).decode()
        return re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", text, re.S)

    def served(self, number=0) -> str:
        return ssl.get_server_certificate(("127.0.0.1", self.ports[number]))

    def trusted(self, number=0) -> bool:
        try:
            return self.served(number) in self.bundle(number)
        except OSError:
            return False

    def reviews(self, result: str) -> float:
        return Exposition(fetch(self.told[0])).value("sluice_admission_reviews_total", result=result)

    def close(self) -> None:
        self.api.delete(f"{WEBHOOKS}/{self.name}")
        self.api.delete(f"/apis/rbac.authorization.k8s.io/v1/clusterroles/sluice-{self.name}")


@pytest.fixture
def desk(stage):
    opened = []

    def open_desk(**settings):
        opened.append(Desk(stage, **settings))
        opened[0].allow()
        return opened[0]
    yield open_desk
    for made in opened:
        made.close()


def refusal(stage, thing) -> str:
    """What it says, once it is asked: API servers see a new bundle in a moment."""
    told = []

    def refused():
        try:
            stage.api.create(stage.path(thing["kind"]) + "?dryRun=All", thing)
        except ApiError as error:
            told.append(str(error))
        return told
    stage.wait("it is refused", refused, 15)
    assert 'admission webhook "rollouts-' in told[0] and "denied the request" in told[0]
    return told[0]


def accepted(stage, thing) -> dict:
    return stage.api.create(stage.path(thing["kind"]) + "?dryRun=All", thing)


def test_what_only_a_controller_can_know(stage, desk):
    desk().open()
    stage.put(deployment(3))
    bad = {"rolloutBatches": [{"replicas": 3}, {"replicas": 1}]}
    assert ("spec.rolloutPlan.rolloutBatches: the batches overshoot: 3 + 1 = 4, but there are 3 pods"
            in refusal(stage, follower(**bad)))
    assert ("spec.workloadRef: found Job (apps/v1), which no adapter of this controller handles; "
            "expected one of: Deployment (apps/v1)" in refusal(stage, follower(kind="Job")))
    assert ("spec.rolloutPlan.rolloutWebhooks[0].url: found the host ask.example.com; hooks.allow in "
            "the controller's config lets hooks go to gates.svc" in refusal(
                stage, follower(numBatches=2, rolloutWebhooks=[hook("http://ask.example.com/x")])))
    assert ("batchRolloutWebhooks[0].url: found the host 192.168.0.1" in refusal(stage, follower(
        rolloutBatches=[{"batchRolloutWebhooks": [hook("http://192.168.0.1/")]}])))
    accepted(stage, follower(rolloutWebhooks=[hook("http://gates.svc/x")]))
    stage.put(follower())
    assert ("spec.workloadRef: found Deployment web, which Rollout web follows already"
            in refusal(stage, follower("second")))
    accepted(stage, follower("second", workload="other"))


def test_hooks_of_an_approllout(stage, desk):
    desk_ = desk()
    desk_.open()
    bad = rollout("roll", "app-v1", batches=["100%"], rolloutWebhooks=[hook("http://169.254.169.254/")])
    assert "rolloutWebhooks[0].url: found the host 169.254.169.254" in refusal(stage, bad)
    assert desk_.reviews("refused") > 0 and desk_.reviews("unreadable") == 0
    told = Exposition(fetch(desk_.told[0])).value("sluice_admission_certificate_seconds")
    assert 604000 < told <= 604800


def test_a_change_is_judged_by_what_it_changes(stage, desk):
    """What was let in when nobody was asked, or has become wrong, may be paused and mended."""
    desk_ = desk()
    stage.put(deployment(3))
    wrong = follower(rolloutBatches=[{"replicas": 5}, {}])
    stage.put(wrong)  # nobody is there yet
    desk_.open()
    refusal(stage, follower(kind="Job"))
    stage.wait("the controller has written what it writes of itself",
               lambda: stage.history.now("Rollout", "web")["metadata"].get("finalizers"))
    before = desk_.reviews("warned")
    stage.patch("Rollout", "web", {"metadata": {"labels": {"a": "b"}}})
    stage.patch("Rollout", "web", {"spec": {"rolloutPlan": {"paused": True}}})
    assert desk_.reviews("warned") == before + 1
    with pytest.raises(ApiError, match="hooks.allow"):
        stage.patch("Rollout", "web", {"spec": {"rolloutPlan": {
            "rolloutBatches": None, "rolloutWebhooks": [hook("http://elsewhere.svc/")]}}})
    stage.patch("Rollout", "web", {"spec": {"rolloutPlan": {
        "rolloutBatches": [{"replicas": 2}, {}]}}})


def test_nothing_depends_on_it(stage, desk):
    """Dead, or stopped: it is let in, and what it says later stands in the status."""
    controller = desk().open()
    bad = follower(kind="Job")
    refusal(stage, bad)
    controller.freeze()
    began = time.monotonic()
    accepted(stage, bad)
    assert time.monotonic() - began < 8  # two that don't answer, 2 s each
    controller.thaw()
    refusal(stage, bad)
    controller.kill()
    accepted(stage, bad)


def test_two_answer_each_with_its_own(stage, desk):
    """Each adds its certificate to the bundles, and takes nobody else's out. The one that waits for
    the Lease answers too."""
    desk_ = desk()
    lease = ("--leader-elect", f"--leader-elect-resource-name={stage.namespace}")
    desk_.open(0, *lease)
    second = desk_.open(1, *lease)
    stage.wait("both are in both", lambda: all(
        {desk_.served(0), desk_.served(1)} <= set(desk_.bundle(number)) for number in range(2)))
    assert '"leading"' not in second.log_text()
    refusal(stage, follower(kind="Job"))
    desk_.api.patch(f"{WEBHOOKS}/{desk_.name}", [
        {"op": "remove", "path": "/webhooks/0/clientConfig/caBundle"}], "json")
    stage.wait("what somebody takes out comes back", lambda: all(
        desk_.trusted(number) for number in range(2)))


def test_the_next_certificate(stage, desk):
    """Made, trusted, and then used, long before the first is over; at no moment is nobody asked."""
    desk_ = desk(certificateSeconds=10)
    desk_.open()
    first = desk_.served()
    bad = follower(kind="Job")
    refusal(stage, bad)

    def replaced():
        with pytest.raises(ApiError, match="no adapter"):
            accepted(stage, bad)
        return desk_.served() != first
    stage.wait("there is another", replaced, 20)
    refusal(stage, bad)
    assert first in desk_.bundle() and desk_.trusted()
    stage.wait("the first one is over and taken out", lambda: first not in desk_.bundle(), 20)
    refusal(stage, bad)
