# SPDX-License-Identifier: Apache-2.0
"""Adapters that do what none may, all in one running controller: each holds up its own rollouts, whose
reason says what it did, and no other. Then they are replaced by good ones, and every rollout goes on.

One shared object (tests/hostile/wild.c) handles a kind for each deed and does it in the call that its
options name; others can't even be loaded."""

import json
import re
import socket
import urllib.request
from pathlib import Path

import pytest

from harness import apps
from harness.apps import watched  # noqa: F401
from harness.controller import BUILD, config_text
from harness.objects import component, definition, reason, rollout, state

pytestmark = pytest.mark.real("adds to the controller's rights")

HOSTILE = BUILD / "tests" / "hostile"
MADE = Path("/tmp/made-by-an-adapter")

FORBIDDEN = "it asked the system for what an adapter may not have, and its process was ended"
UNABLE = "it can't do this"
RESTLESS = "it has asked for 8 changes in a row and nothing came of them"

# Deeds that nobody survives in whose process they are done, and which nobody else notices when they are
# done in a process of its own: in which call, and what the rollout's reason says.
APART = {
    "crash": ("advance", r"its process was ended by signal 4 \(Illegal instruction\)"),
    "exit": ("observe", "its process ended with status 7"),
    "hang": ("advance", "it didn't answer within 400 ms, and its process was ended"),
    "allocate": ("observe", r"its process was ended by signal 6 \(Aborted\)"),
    "speak": ("advance", "its process said something that it wasn't asked for"),
    "read": ("observe", UNABLE),
    "write": ("advance", UNABLE),
    "connect": ("observe", FORBIDDEN),
    "fork": ("advance", FORBIDDEN),
    "signal": ("observe", FORBIDDEN),
}

# Those that the controller sees through, wherever they are done.
ANYWHERE = {
    "flood": ("observe", "it ran into the limits of a call"),
    "garble": ("observe", "STATUS: line 1, column 9: "),
    "misdirect": ("advance", "PATCH.body/metadata/name: expected misdirect, found somebody-elses"),
    "poach": ("advance", "DELETE_POD.pod: expected a pod that the request shows, "
                         "found somebody-elses with the uid 1-2-3"),
    "insist": ("advance", "it asks for a patch that leaves the workload as it is"),
    "waver": ("advance", RESTLESS),
}

# Those that harm nobody: their rollouts succeed, or wait for what the adapter has taken back.
HARMLESS = {"scribble": "advance", "good": ""}
STUCK = {"retreat": "advance"}

UNLOADABLE = {
    "major": "major: expected 1, found 2",
    "size": "size: expected at least 88 bytes, found 64",
    "needs": "needs: expected no bits but 0x1",
    "no_symbol": "symbol: expected the function sluice_adapter_v1, found none",
    "no_calls": "advance: expected a function (the call is mandatory), found a null pointer",
    "manifest_broken": "manifest: line 1, column 11: ",
}


def kind_of(deed: str) -> str:
    return deed.capitalize()


def calls_of(*tables) -> dict:
    """In which call each deed is done."""
    return {deed: value if isinstance(value, str) else value[0]
            for table in tables for deed, value in table.items()}


def resource_definition(kind: str) -> dict:
    plural = kind.lower() + "s"
    schema = {"type": "object", "properties": {"spec": {
        "type": "object", "properties": {"size": {"type": "integer"}}}}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.x.io"},
            "spec": {"group": "x.io", "scope": "Namespaced",
                     "names": {"kind": kind, "plural": plural},
                     "versions": [{"name": "v1", "served": True, "storage": True,
                                   "schema": {"openAPIV3Schema": schema}}]}}


@pytest.fixture(scope="module")
def kinds(cluster):
    """A resource for each deed, and X for those that can't be loaded."""
    names = [kind_of(deed) for deed in (*APART, *ANYWHERE, *HARMLESS, *STUCK)] + ["X"]
    items = {"apiVersion": "v1", "kind": "List", "items": [resource_definition(n) for n in names]}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(items))
    resources = [f"crd/{name.lower()}s.x.io" for name in names]
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", *resources)
    yield
    cluster.kubectl("delete", "--wait=false", *resources)


def entry(deed: str, call: str, isolation: dict, does: str) -> dict:
    """Only the one that hangs is to miss its deadline, however busy the machine is."""
    return {"name": deed, "adapter": "wild", "file": str(HOSTILE / "wild.so"),
            "deadlineMs": 400 if deed == "hang" else 20000, **isolation,
            "options": {"do": does, "in": call, "kind": kind_of(deed)}}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Den:
    """A controller with a hostile adapter for each of the deeds, and their rollouts."""

    def __init__(self, stage, calls: dict, isolation: dict):
        self.stage, self.calls, self.isolation = stage, calls, isolation
        self.port = free_port()
        self._allow()
        self.controller = stage.controller_with(self._config(hostile=True)).start()
        for deed in calls:
            stage.put(definition(deed, 'output: {apiVersion: "x.io/v1", kind: "%s", spec: size: 3}\n'
                                       "parameter: {}" % kind_of(deed), kind_of(deed), "x.io/v1"))
        for deed in calls:
            stage.record(1, component(name=deed, kind=deed), name=deed)
            stage.put(rollout(f"{deed}-v1", name=deed, batches=[1, 1, 1]))

    def _entries(self, hostile: bool) -> list:
        return apps.adapter("deployment") + [
            entry(deed, call, self.isolation, deed if hostile and deed != "good" else "")
            for deed, call in self.calls.items()]

    def _config(self, hostile: bool) -> str:
        bad = [{"name": name.replace("_", "-"), "adapter": "hostile",
                "file": str(HOSTILE / f"{name}.so"), **self.isolation} for name in UNLOADABLE]
        return config_text(self._entries(hostile) + (bad if hostile else []),
                           namespace=self.stage.namespace,
                           serve={"listen": f"127.0.0.1:{self.port}"})

    def _allow(self) -> None:
        """Gives the controller the rights that these adapters ask for."""
        draft = self.stage.folder / "draft.yaml"
        draft.write_text(config_text(self._entries(hostile=False)))
        last = kind_of(list(self.calls)[-1]).lower() + "s"
        self.stage.grant(draft, f"{last}.x.io")

    def adapters(self) -> dict:
        """What the controller says of its adapters, by name."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/adapters", timeout=5) as answer:
            return {about["name"]: about for about in json.load(answer)["adapters"]}

    def wait_trouble(self, deed: str, code: str, words: str) -> None:
        def reached():
            why = reason(self.stage.rollout(deed))
            return why.get("code") == code and re.search(words, why["message"])

        self.stage.wait(f"{deed} waits because of {code}: {words}", reached)

    def repent(self) -> None:
        """All adapters are good ones from now on."""
        draft = self.controller.config.with_name("draft.yaml")
        draft.write_text(self._config(hostile=False))
        draft.replace(self.controller.config)


def wait_all_in_trouble(den, tables) -> None:
    for table in tables:
        for deed, (call, words) in table.items():
            den.wait_trouble(deed, "AdapterTrouble", f"adapter {deed}.*: {words}")
    for deed in STUCK:
        den.wait_trouble(deed, "PodsNotReady", "0 of 2")
    for deed in HARMLESS:
        den.stage.wait_state("rolloutSucceed", deed)


def assert_others_go_on(den, deeds) -> None:
    """A Deployment is deployed and rolled batch by batch meanwhile."""
    stage = den.stage
    apps.define(stage, "Deployment", "replicas: parameter.replicas")
    stage.record(1, apps.app("4.0.6", replicas=3))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    stage.record(2, apps.app("5.0.2", replicas=3))
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, 1, 1]))
    stage.wait_state("rolloutSucceed")
    ended = {"rolloutSucceed", "rolloutFailed"}
    assert not ended & {state(stage.rollout(deed)) for deed in deeds}
    assert den.controller.alive() and den.controller.starts == 1


def assert_refusals_told(den) -> None:
    told = den.adapters()
    for name, words in UNLOADABLE.items():
        assert words in told[name.replace("_", "-")]["refusal"]
    den.stage.put(definition("x", 'output: {apiVersion: "x.io/v1", kind: "X"}\nparameter: {}', "X",
                             "x.io/v1"))
    den.stage.record(1, component(name="x", kind="x"), name="x")
    den.stage.put(rollout("x-v1", name="x", numBatches=1))
    den.wait_trouble("x", "KindUnknown", "adapter major is refused: major: expected 1, found 2")


def prove(stage, isolation: dict, *tables) -> Den:
    den = Den(stage, calls_of(HARMLESS, STUCK, *tables), isolation)
    wait_all_in_trouble(den, tables)
    assert_refusals_told(den)
    held_up = [*STUCK, *(deed for table in tables for deed in table)]
    assert_others_go_on(den, held_up)
    den.repent()
    for deed in held_up:
        stage.wait_state("rolloutSucceed", deed)
    return den


def test_in_processes_of_their_own(stage, kinds):
    MADE.unlink(missing_ok=True)
    prove(stage, {"isolation": "process", "memoryMiB": 64}, APART, ANYWHERE)
    assert not MADE.exists()


def test_in_the_process_of_the_controller(stage, kinds):
    prove(stage, {"isolation": "inProcess"}, ANYWHERE)
