# SPDX-License-Identifier: Apache-2.0
"""What the sandbox does wrong when it is told to. There is nothing to hold this against: a real server
doesn't do it on demand."""

import http.client
import json
import os
import socket
import subprocess
import time
from contextlib import closing

import pytest

from cluster.in_memory import SandboxCluster
from cluster.reach import wait_for
from server import BUILD, Server
from things import config_map, deployment, image

pytestmark = pytest.mark.skipif(os.environ.get("SLUICE_API_SERVER") == "real", reason="a sandbox's")

PROGRAM = BUILD / "sdk" / "sandbox" / "sluice-sandbox"
MAPS = "/api/v1/namespaces/default/configmaps"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
LOST = (http.client.RemoteDisconnected, ConnectionResetError)


class Sandbox:
    def __init__(self, folder, *options):
        self.cluster = SandboxCluster(PROGRAM, folder, "--ready-after", "0", "--nodes", "2", *options)
        self.server = Server(self.cluster.kubeconfig, is_real=False)

    def send(self, method, path, body=None, **headers) -> tuple:
        """The status, and the answer with its headers as "headers"."""
        kinds = {"PATCH": "application/strategic-merge-patch+json"}
        headers = {"Content-Type": kinds.get(method, "application/json"), **headers}
        connection, answer = self.server.request(method, path, None if body is None else json.dumps(body),
                                                  headers)
        with closing(connection):
            return answer.status, {**json.loads(answer.read()), "headers": answer.headers}

    def get(self, path, **headers) -> tuple:
        return self.send("GET", path, **headers)

    def wants(self, *rules) -> list:
        """The ids of what was added."""
        status, added = self.send("POST", "/sandbox/faults", {"faults": list(rules)})
        assert status == 201, added
        return [rule["id"] for rule in added["faults"]]

    def counts(self) -> list:
        return [(rule["seen"], rule["done"]) for rule in self.get("/sandbox/faults")[1]["faults"]]

    def watch(self, path, **headers):
        return closing(Watch(self.server, path, headers))


class Watch:
    """The lines of a watch, and how it ends."""

    def __init__(self, server, path, headers):
        self._connection, self.answer = server.request("GET", f"{path}?watch=1", None, headers)

    def line(self) -> bytes:
        return self.answer.readline()

    def event(self) -> tuple:
        event = json.loads(self.line())
        return event["type"], event["object"].get("metadata", {}).get("name")

    def close(self):
        self._connection.close()


@pytest.fixture
def sandbox(tmp_path):
    made = Sandbox(tmp_path)
    yield made
    made.cluster.down()


# ── Requests ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("code, reason", [(409, "Conflict"), (410, "Expired"), (500, "InternalError"),
                                          (503, "ServiceUnavailable"), (418, None)])
def test_a_failure_as_answer(sandbox, code, reason):
    sandbox.wants({"fault": "answer", "code": code, "verb": "create", "times": 1})
    status, said = sandbox.send("POST", MAPS, config_map("a"))
    assert (status, said["code"], said.get("reason")) == (code, code, reason)
    assert sandbox.get(f"{MAPS}/a")[0] == 404, "it was carried out"
    assert sandbox.send("POST", MAPS, config_map("a"))[0] == 201


def test_come_again_later(sandbox):
    sandbox.wants({"fault": "answer", "code": 429, "retryAfterSeconds": 7})
    status, said = sandbox.get(MAPS)
    assert (status, said["headers"]["Retry-After"]) == (429, "7")
    assert said["details"] == {"retryAfterSeconds": 7}


def test_slow(sandbox):
    """What is slow comes after what was asked for later."""
    sandbox.wants({"fault": "slow", "seconds": 0.5, "resource": "configmaps"})
    with closing(sandbox.server.connect()) as slow:
        slow.request("GET", MAPS)
        slow.sock.settimeout(0.1)
        assert sandbox.get(PODS)[0] == 200
        with pytest.raises(socket.timeout):
            slow.sock.recv(1, socket.MSG_PEEK)
        slow.sock.settimeout(20)
        assert json.loads(slow.getresponse().read())["kind"] == "ConfigMapList"


def test_the_sandbox_ends_while_an_answer_waits(sandbox):
    sandbox.wants({"fault": "slow", "seconds": 600})
    with closing(sandbox.server.connect()) as slow:
        slow.request("GET", MAPS)
        wait_for("it is asked", lambda: sandbox.counts() == [(1, 1)], 10)
        sandbox.cluster._process.terminate()
        assert sandbox.cluster._process.wait(10) == 0


def test_cut_before_it_is_carried_out(sandbox):
    sandbox.wants({"fault": "cut", "where": "request", "times": 1})
    with pytest.raises(LOST):
        sandbox.send("POST", MAPS, config_map("a"))
    assert sandbox.get(f"{MAPS}/a")[0] == 404


def test_cut_before_the_answer(sandbox):
    sandbox.wants({"fault": "cut", "where": "answer", "times": 1})
    with pytest.raises(LOST):
        sandbox.send("POST", MAPS, config_map("a"))
    assert sandbox.get(f"{MAPS}/a")[0] == 200, "it was carried out"


def test_cut_in_the_middle_of_the_answer(sandbox):
    sandbox.wants({"fault": "cut", "where": "body", "times": 1})
    connection, answer = sandbox.server.request("POST", MAPS, json.dumps(config_map("a")), {
        "Content-Type": "application/json"})
    with closing(connection), pytest.raises(http.client.IncompleteRead) as cut:
        answer.read()
    assert cut.value.partial.startswith(b'{"kind":"ConfigMap"')
    assert len(cut.value.partial) == int(answer.headers["Content-Length"]) // 2


@pytest.mark.parametrize("where", ["request", "answer", "body"])
def test_a_watch_that_does_not_begin(sandbox, where):
    sandbox.wants({"fault": "cut", "where": where, "verb": "watch", "times": 1})
    with pytest.raises(LOST), sandbox.watch(MAPS):
        pass
    with sandbox.watch(MAPS) as watch:
        assert watch.answer.status == 200


def test_a_watch_from_a_version_that_is_too_old(sandbox):
    sandbox.wants({"fault": "answer", "code": 410, "verb": "watch", "times": 1})
    with sandbox.watch(MAPS) as watch:
        assert watch.answer.status == 410


# ── Events ───────────────────────────────────────────────────────────────────────────────────


def test_an_event_twice(sandbox):
    sandbox.wants({"fault": "watchTwice", "name": "a", "times": 1})
    with sandbox.watch(MAPS) as watch:
        for name in "ab":
            sandbox.send("POST", MAPS, config_map(name))
        assert [watch.event() for _ in range(3)] == [("ADDED", "a"), ("ADDED", "a"), ("ADDED", "b")]


def test_the_columns_of_an_event_twice(sandbox):
    """With what was told twice, and not again with the next."""
    sandbox.wants({"fault": "watchTwice", "name": "a", "times": 1})
    with sandbox.watch(MAPS, Accept="application/json;as=Table;v=v1;g=meta.k8s.io") as watch:
        for name in "ab":
            sandbox.send("POST", MAPS, config_map(name))
        tables = [json.loads(watch.line())["object"] for _ in range(3)]
        assert [bool(table.get("columnDefinitions")) for table in tables] == [True, True, False]


def test_half_a_line(sandbox):
    sandbox.wants({"fault": "watchCut", "name": "b", "times": 1})
    with sandbox.watch(MAPS) as watch:
        for name in "ab":
            sandbox.send("POST", MAPS, config_map(name))
        assert watch.event() == ("ADDED", "a")
        with pytest.raises(http.client.IncompleteRead) as cut:
            watch.answer.read()
    assert cut.value.partial.startswith(b'{"type":"ADDED"') and b"\n" not in cut.value.partial


def test_forgotten_in_the_middle(sandbox):
    sandbox.wants({"fault": "watchGone", "name": "b", "times": 1})
    with sandbox.watch(MAPS) as watch:
        for name in "ab":
            sandbox.send("POST", MAPS, config_map(name))
        assert watch.event() == ("ADDED", "a")
        error = json.loads(watch.line())
        assert (error["type"], error["object"]["code"]) == ("ERROR", 410)
        assert watch.line() == b""


def test_late_events_keep_their_order(sandbox):
    """Others are told at once."""
    sandbox.wants({"fault": "watchLate", "seconds": 0.5, "name": "a", "agent": "slow*", "times": 1})
    with sandbox.watch(MAPS, **{"User-Agent": "slow/1"}) as slow, sandbox.watch(MAPS) as fast:
        began = time.monotonic()
        for name in "ab":
            sandbox.send("POST", MAPS, config_map(name))
        assert [fast.event() for _ in range(2)] == [("ADDED", "a"), ("ADDED", "b")]
        assert [slow.event() for _ in range(2)] == [("ADDED", "a"), ("ADDED", "b")]
        assert time.monotonic() - began >= 0.5


# ── Pods and nodes ───────────────────────────────────────────────────────────────────────────


def ready(sandbox) -> list:
    """Of each pod, whether it is."""
    return sorted(condition["status"] for pod in sandbox.get(PODS)[1]["items"]
                  for condition in pod["status"].get("conditions", []) if condition["type"] == "Ready")


def test_a_pod_that_never_gets_ready(sandbox):
    number, = sandbox.wants({"fault": "podNeverReady", "name": "d-*", "skip": 1, "times": 1})
    sandbox.send("POST", DEPLOYMENTS, deployment("d", replicas=3))
    wait_for("the pods run", lambda: len(ready(sandbox)) == 3, 10)
    assert ready(sandbox) == ["False", "True", "True"]
    assert sandbox.send("DELETE", f"/sandbox/faults/{number}")[0] == 200
    wait_for("it gets well", lambda: ready(sandbox) == ["True"] * 3, 10)


def node_of(pod) -> str:
    return pod["spec"].get("nodeName")


def test_a_node_that_dies_and_comes_back(sandbox):
    sandbox.send("POST", DEPLOYMENTS, deployment("d", replicas=4))
    wait_for("the pods run", lambda: ready(sandbox) == ["True"] * 4, 10)
    nodes = [node_of(pod) for pod in sandbox.get(PODS)[1]["items"]]
    assert sorted(nodes) == ["node-1", "node-1", "node-2", "node-2"]
    number, = sandbox.wants({"fault": "nodeDead", "name": "node-1"})
    wait_for("its pods are lost", lambda: ready(sandbox) == ["False"] * 2 + ["True"] * 2, 10)
    node = sandbox.get("/api/v1/nodes/node-1")[1]
    assert {each["type"]: each["status"] for each in node["status"]["conditions"]} == {
        "Ready": "Unknown"}
    sandbox.send("PATCH", f"{DEPLOYMENTS}/d", {"spec": {"replicas": 6}})
    wait_for("new pods go elsewhere", lambda: ready(sandbox) == ["False"] * 2 + ["True"] * 4, 10)
    sandbox.send("DELETE", f"/sandbox/faults/{number}")
    wait_for("all get well", lambda: ready(sandbox) == ["True"] * 6, 10)


# ── How often, and for whom ──────────────────────────────────────────────────────────────────


def statuses(sandbox, count) -> list:
    return [sandbox.get(MAPS)[0] for _ in range(count)]


def test_some_are_skipped_and_some_go_wrong(sandbox):
    sandbox.wants({"fault": "answer", "code": 500, "skip": 2, "times": 2})
    assert statuses(sandbox, 6) == [200, 200, 500, 500, 200, 200]
    assert sandbox.counts() == [(6, 2)]


def test_chance_is_the_same_in_every_run(sandbox, tmp_path):
    rule = {"fault": "answer", "code": 500, "probability": 0.5, "seed": 7}
    (tmp_path / "faults.json").write_text(json.dumps(rule))
    again = Sandbox(tmp_path, "--faults", tmp_path / "faults.json")
    sandbox.wants(rule)
    first, second = statuses(sandbox, 40), statuses(again, 40)
    again.cluster.down()
    assert first == second
    assert 8 < first.count(500) < 32
    sandbox.send("DELETE", "/sandbox/faults")
    sandbox.wants({**rule, "seed": 8})
    assert statuses(sandbox, 40) != first


def test_the_first_that_fits(sandbox):
    sandbox.wants({"fault": "answer", "code": 503, "times": 1}, {"fault": "answer", "code": 500})
    assert statuses(sandbox, 2) == [503, 500]


@pytest.mark.parametrize("rule, hit", [
    ({"verb": "list"}, True), ({"verb": "get"}, False), ({"resource": "config*"}, True),
    ({"resource": "configmaps/status"}, False), ({"namespace": "default"}, True),
    ({"namespace": "other"}, False), ({"agent": "sluice/*"}, True), ({"agent": "kubectl*"}, False),
    ({"name": "a"}, False)])
def test_what_it_fits(sandbox, rule, hit):
    sandbox.wants({"fault": "answer", "code": 500, **rule})
    assert sandbox.get(MAPS, **{"User-Agent": "sluice/1"})[0] == (500 if hit else 200)


def test_subresources_and_verbs(sandbox):
    sandbox.send("POST", DEPLOYMENTS, deployment("d"))
    sandbox.wants(*({"fault": "answer", "code": 500 + i, "verb": verb, "resource": resource}
                    for i, (verb, resource) in enumerate([
                        ("get", "deployments/scale"), ("patch", "deployments"),
                        ("delete", "deployments"), ("deletecollection", "deployments"),
                        ("update", "deployments/status")])))
    one = f"{DEPLOYMENTS}/d"
    assert [sandbox.get(f"{one}/scale")[0], sandbox.send("PATCH", one, image("a"))[0],
            sandbox.send("DELETE", one)[0], sandbox.send("DELETE", DEPLOYMENTS)[0],
            sandbox.send("PUT", f"{one}/status", deployment("d"))[0]] == [500, 501, 502, 503, 504]
    assert sandbox.get(one)[0] == 200


# ── Bad rules ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rule, complaint", [
    ({}, "fault: expected slow, answer, cut, watchCut, watchGone, watchTwice, watchLate, podNeverReady "
         "or nodeDead, found nothing"),
    ({"fault": "fast"}, "fault: expected slow, answer, cut, watchCut, watchGone, watchTwice, watchLate, "
                        'podNeverReady or nodeDead, found "fast"'),
    ({"fault": "slow"}, "seconds: expected a number above 0 and up to 3600, found nothing"),
    ({"fault": "slow", "seconds": "1"}, 'seconds: expected a number above 0 and up to 3600, found "1"'),
    ({"fault": "answer"}, "code: expected a number from 400 to 599, found nothing"),
    ({"fault": "answer", "code": 200}, "code: expected a number from 400 to 599, found 200"),
    ({"fault": "answer", "code": 429, "retryAfterSeconds": 0},
     "retryAfterSeconds: expected a whole number from 1, found 0"),
    ({"fault": "cut", "where": "here"}, 'where: expected request, answer or body, found "here"'),
    ({"fault": "cut", "where": "body", "code": 500}, "code: cut takes no such field"),
    ({"fault": "watchCut", "verb": "get"}, "verb: watchCut takes no such field"),
    ({"fault": "nodeDead"}, "name: expected a name or a pattern, found nothing"),
    ({"fault": "nodeDead", "name": "n", "times": 1}, "times: nodeDead takes no such field"),
    ({"fault": "watchGone", "name": 1}, "name: expected a name or a pattern, found 1"),
    ({"fault": "watchGone", "times": 0}, "times: expected a whole number from 1, found 0"),
    ({"fault": "watchGone", "skip": -1}, "skip: expected a whole number from 0, found -1"),
    ({"fault": "watchGone", "probability": 2},
     "probability: expected a number above 0 and up to 1, found 2"),
    ({"fault": "watchGone", "seed": "x"}, 'seed: expected a whole number, found "x"'),
])
def test_bad_rules(sandbox, rule, complaint):
    status, said = sandbox.send("POST", "/sandbox/faults", rule)
    assert (status, said["message"]) == (422, complaint)
    good = {"fault": "answer", "code": 500}
    status, said = sandbox.send("POST", "/sandbox/faults", {"faults": [good, rule]})
    assert (status, said["message"]) == (422, f"faults[1].{complaint}")
    assert sandbox.counts() == [], "all or none"


def test_bad_requests(sandbox):
    assert sandbox.send("POST", "/sandbox/faults", {"faults": 3})[1]["message"] == \
        "faults: expected an array of rules"
    assert sandbox.send("POST", "/sandbox/faults", {"faults": [3]})[1]["message"] == \
        "faults[0]: expected a rule, found 3"
    assert sandbox.send("DELETE", "/sandbox/faults/3")[1]["message"] == "there is no fault 3"
    assert sandbox.send("PUT", "/sandbox/faults")[0] == 405
    connection, answer = sandbox.server.request("POST", "/sandbox/faults", "{", {})
    with closing(connection):
        assert answer.status == 400


@pytest.mark.parametrize("text, complaint", [
    ('{"fault": "slow"}', "{file}: seconds: expected a number above 0 and up to 3600, found nothing"),
    ("{", "{file}:1:1: "), (None, "{file}:-1:-1: ")])
def test_a_bad_file(tmp_path, text, complaint):
    file = tmp_path / "faults.json"
    if text is not None:
        file.write_text(text)
    ran = subprocess.run([PROGRAM, "--faults", file], capture_output=True, text=True, timeout=20,
                         check=False)
    assert ran.returncode == 1
    assert ran.stderr.startswith("sluice-sandbox: " + complaint.format(file=file))
