# SPDX-License-Identifier: Apache-2.0
"""What `sluice debug dump` tells, and above all what it doesn't: a secret in each place that one may
stand in is looked for in the whole of it."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from test_status import at_gate

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}


class Canaries:
    """Secrets, each another one, and each by the place where it was put."""

    def __init__(self):
        self.places = {}

    def __call__(self, place: str) -> str:
        name = f"canary{len(self.places):03d}x"
        self.places[name] = place
        return name

    def found_in(self, text: str) -> list:
        return [f"{name} of {self.places[name]}" for name in re.findall(r"canary\d{3}x", text)]


@pytest.fixture
def canary():
    return Canaries()


def hook(canary) -> dict:
    user, path, query, part = (canary(f"a hook's {part}") for part in
                               ("user", "path", "query", "fragment"))
    return {"type": "pre-batch-rollout", "name": "gate",
            "url": f"https://jo:{user}@gate.svc:8443/services/{path}?key={query}#{part}",
            "metadata": {"name": canary("a hook's metadata"), "code": canary("more of it")}}


def container(canary) -> dict:
    return {"name": "web", "image": "web:1", "command": ["/web", canary("command")],
            "args": ["--password", canary("args")],
            "env": [{"name": "DATABASE", "value": canary("env")},
                    {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            "readinessProbe": {"httpGet": {"path": "/" + canary("a probe's path"), "httpHeaders": [
                {"name": "Authorization", "value": canary("a probe's header")}]}}}


def annotations(canary) -> dict:
    return {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(
                {"env": [{"value": canary("last-applied")}]}),
            "rollout.sluice.dev/holder": "default/shop 1-2-3",
            "rollout.sluice.dev/unknown": canary("an annotation like ours"),
            "rollout.sluice.dev/templates": json.dumps({"rolled": {"/spec/template": {
                "spec": {"containers": [container(canary)]}}}}),
            "rollout.sluice.dev/before": json.dumps(
                {"/spec/paused": {"was": canary("the ledger"), "put": True}}),
            "note": canary("an annotation")}


def deployment(canary) -> dict:
    return {**{key: DEPLOYMENT[key] for key in ("apiVersion", "kind")},
            "metadata": {"name": "shop", "namespace": "default", "uid": "d-1",
                         "annotations": annotations(canary),
                         "labels": {"app": "shop", "key": canary("a label")},
                         "managedFields": [{"manager": canary("managedFields")}]},
            "data": {"name": canary("data")}, "stringData": {"kind": canary("stringData")},
            "spec": {"replicas": 5, "minReadySeconds": 7,
                     "strategy": {"rollingUpdate": {"maxSurge": "25%"}},
                     "selector": {"matchLabels": {"app": "shop"}, "matchExpressions": [
                         {"key": "tier", "operator": "In", "values": ["a", "b"]}]},
                     "settings": {"password": canary("a field of somebody's"),
                                  "source": canary("one that rollouts have too")},
                     "template": {"metadata": {"annotations": {"x": canary("the template's")}},
                                  "spec": {"containers": [container(canary)], "volumes": [
                                      {"name": "v", "csi": {"volumeAttributes": {
                                          "name": canary("a volume")}}}]}}},
            "status": {"readyReplicas": 4, "conditions": [
                {"type": "Progressing", "status": "False", "reason": "Slow",
                 "message": f"token={canary('a condition')} was refused"}]}}


def pod(canary) -> dict:
    return {"metadata": {"name": "shop-1", "namespace": "default", "uid": "p-1",
                         "annotations": annotations(canary),
                         "labels": {"pod-template-hash": "abc12", "key": canary("a pod's label")}},
            "spec": {"nodeName": "node-a", "containers": [container(canary)]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": "web", "image": "web:1", "restartCount": 3, "ready": False, "lastState": {
                    "terminated": {"exitCode": 1, "reason": "Error",
                                   "message": f"last words: {canary('the last words')}"}}}]}}


def rollout(canary) -> dict:
    made = at_gate()
    made.update(apiVersion="sluice.dev/v1alpha1", kind="Rollout")
    made["metadata"] = {"name": "shop", "namespace": "default", "uid": "r-1",
                        "annotations": annotations(canary)}
    made["spec"] = {"workloadRef": dict(DEPLOYMENT), "rolloutPlan": {
        **made["spec"]["rolloutPlan"], "rolloutWebhooks": [hook(canary)]}}
    return made


def event(message: str) -> dict:
    return {"metadata": {"name": "e"}, "type": "Warning", "reason": "Failed", "message": message}


@pytest.fixture
def world(server, canary):
    """A rollout with all that belongs to it, secrets everywhere."""
    workload = deployment(canary)
    argument = workload["spec"]["template"]["spec"]["containers"][0]["command"][1]
    server.put(rollout(canary))
    server.put(workload)
    server.answers.update({
        "/version": {"gitVersion": "v1.34.4", "platform": "linux/amd64"},
        "/api/v1/namespaces/default/pods": {"metadata": {"remainingItemCount": 7},
                                            "items": [pod(canary)]},
        "/api/v1/namespaces/default/events": {"metadata": {}, "items": [
            event(f'the container has said "{argument}" and ended'),
            event(f'caused: exec: "{canary("what is executed")}": not found'),
            event(f"GET http://jo:{canary('a message')}@10.0.0.1/{canary('its path')}: 500"),
            event(f"Authorization: Bearer {canary('a bearer')}"),
            event(f"POST /ask?key={canary('a query alone')} failed")]},
        "/apis/coordination.k8s.io/v1/namespaces/sluice-system/leases/sluice-controller": {
            "metadata": {"name": "sluice-controller", "annotations": annotations(canary)},
            "spec": {"holderIdentity": "sluice-0_1", "leaseDurationSeconds": 15}}})
    return server


class Controller:
    """So much of a running controller as it tells over HTTP."""

    def __init__(self, canary):
        answers = {
            "/adapters": json.dumps({"config": {"file": "/etc/sluice/sluice.yaml"}, "adapters": [
                {"name": "deployment", "version": "0.1.0", "state": "inUse", "sha256": "ab",
                 "options": {"replicas": "/spec/replicas", "key": canary("an adapter's option")},
                 "kinds": [{"apiVersion": "apps/v1", "kind": "Deployment"}],
                 "rights": [{"apiGroups": ["apps"], "resources": ["deployments"],
                             "verbs": ["list"]}]}]}),
            "/metrics": "# HELP sluice_leader It.\nsluice_leader 1\n"
                        f'x{{p="password={canary("a metric")}"}} 1\n'}

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                body = answers[self.path].encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def controller(canary):
    made = Controller(canary)
    yield f"http://jo:{canary('the address of the controller')}@{made.address}"
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture
def secret_kubeconfig(server, tmp_path, canary):
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
        "users": [{"name": "u", "user": {"token": canary("the kubeconfig's token")}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
    return path


@pytest.fixture
def files(tmp_path, canary):
    """A config and a log."""
    (tmp_path / "sluice.yaml").write_text(json.dumps({
        "adapters": {"enabled": [{"name": "bakeries", "adapter": "generic", "options": {
            "replicas": "/spec/ovens", "partition": {"updated": "/spec/trial/ovens"},
            "name": canary("an option"), "status": {"updated": ["/status/a", "-/status/b"]}}}]},
        "hooks": {"allow": [f"https://gates.example.com/{canary('an allowed path')}/"]},
        "serve": {"listen": ""}}))
    (tmp_path / "log").write_text("\n".join([
        json.dumps({"level": "info", "message": "the first of all"}), "x" * 300_000,
        json.dumps({"level": "error", "object": "default/shop",
                    "message": f"password: {canary('the log')}"}),
        f"not JSON, https://jo:{canary('a line of the log')}@host.svc/ah"]) + "\n")
    return ["--config", tmp_path / "sluice.yaml", "--log", tmp_path / "log"]


@pytest.fixture
def dump(sluice, world, secret_kubeconfig, files, controller):
    return lambda *words: sluice("debug", "dump", "--kubeconfig", secret_kubeconfig, "--server",
                                 controller, *files, *words)


def test_no_secret(dump, canary):
    ran = dump("shop")
    assert ran.status == 0 and len(canary.places) > 50
    assert canary.found_in(ran.out) == []
    assert canary.found_in(ran.err) == []


def test_what_is_told(dump):
    ran = dump("shop")
    told = yaml.safe_load(ran.out)
    assert ran.err == "" and told["unread"] == []
    assert list(told) == ["made", "sluice", "unread", "config", "cluster", "rollouts", "lease",
                          "controller", "log"]
    assert told["cluster"]["version"] == "v1.34.4" and "context c" in told["cluster"]["access"]
    assert told["lease"]["spec"] == {"holderIdentity": "sluice-0_1", "leaseDurationSeconds": 15}
    [adapter] = told["controller"]["loaded"]["adapters"]
    assert told["controller"]["server"].startswith("http://127.0.0.1:")
    assert (adapter["name"], adapter["version"]) == ("deployment", "0.1.0")
    assert adapter["rights"] == [{"apiGroups": ["apps"], "resources": ["deployments"],
                                  "verbs": ["list"]}]
    assert told["controller"]["metrics"][0] == "sluice_leader 1"
    [entry] = told["config"]["adapters"]["enabled"]
    assert entry["options"] == {"replicas": "/spec/ovens", "name": "(left out)",
                                "partition": {"updated": "/spec/trial/ovens"},
                                "status": {"updated": ["/status/a", "-/status/b"]}}
    assert told["config"]["hooks"] == {"timeoutSeconds": 10, "allow": "https://gates.example.com/…"}
    assert [line[:20] for line in told["log"]] == ['{"level": "error", "', "not JSON, https://ho"]


def test_the_rollout(dump):
    [told] = yaml.safe_load(dump("shop").out)["rollouts"]
    assert told["rollout"]["spec"]["rolloutPlan"]["rolloutWebhooks"] == [
        {"type": "pre-batch-rollout", "name": "gate", "url": "https://gate.svc:8443/…",
         "metadata": {"name": "(left out)", "code": "(left out)"}}]
    [part] = told["components"]
    assert part["explain"]["state"] == "batchReady" and part["explain"]["advice"]
    notes = part["workload"]["metadata"]["annotations"]
    assert set(notes) == {f"rollout.sluice.dev/{name}" for name in ("holder", "templates", "before")}
    assert notes["rollout.sluice.dev/before"] == {
        "/spec/paused": {"was": "(left out)", "put": True}}
    spec = part["workload"]["spec"]
    assert (spec["replicas"], spec["strategy"]["rollingUpdate"]["maxSurge"]) == (5, "25%")
    assert spec["template"]["spec"]["containers"][0]["env"] == ["DATABASE", "REF"]
    assert part["workload"]["status"]["conditions"][0]["message"] == "token=(left out) was refused"


def test_its_pods_and_events(dump, world):
    [told] = yaml.safe_load(dump("shop").out)["rollouts"]
    pods = told["components"][0]["pods"]
    assert pods["more"] == 7
    assert pods["items"][0]["status"]["containerStatuses"][0]["restartCount"] == 3
    assert "containers" not in pods["items"][0]["spec"]
    assert [item["message"] for item in told["components"][0]["events"]["items"]] == [
        'the container has said "(left out)" and ended', 'caused: exec: "(left out)": not found',
        "GET http://10.0.0.1/… 500", "Authorization: Bearer (left out)",
        "POST /ask?… failed"]
    asked = [path for method, path, _ in world.requests if "/pods?" in path]
    assert asked == ["/api/v1/namespaces/default/pods?labelSelector="
                     "app%3Dshop%2Ctier%20in%20%28a%2Cb%29&limit=50"]
    assert not [path for _, path, _ in world.requests if "secrets" in path or "configmaps" in path]


def test_all_of_a_namespace_have_a_bound(dump, world):
    for number in range(24):
        made = at_gate()
        made["metadata"]["name"] = f"more-{number:02d}"
        world.put(made)
    told = yaml.safe_load(dump().out)
    assert len(told["rollouts"]) == 20 and told["rolloutsLeftOut"] == 5


def test_what_may_not_be_read_is_said_and_the_rest_is_there(dump, world):
    world.denied = {"list"}
    ran = dump("shop")
    told = yaml.safe_load(ran.out)
    assert ran.status == 0
    assert [entry["what"] for entry in told["unread"]] == [
        "pods of Deployment default/shop", "Events of Deployment default/shop",
        "Events of Rollout default/shop", "Lease sluice-system/sluice-controller"]
    assert "is forbidden" in told["unread"][0]["why"]
    assert ran.err.startswith("sluice debug: not in the report: pods of Deployment default/shop: GET ")
    assert told["rollouts"][0]["components"][0]["workload"]["status"]["readyReplicas"] == 4


def test_no_right_to_rollouts(dump, world):
    world.denied = {"get", "list"}
    told = yaml.safe_load(dump().out)
    assert "rollouts" in [entry["what"] for entry in told["unread"]]
    assert told["cluster"]["version"] == "v1.34.4" and told["controller"] and told["config"]


def test_nobody_answers(sluice, tmp_path):
    """It is asked once, and what is here is told."""
    (tmp_path / "kc").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "http://jo:canary000x@127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c"}}]}))
    ran = sluice("debug", "dump", "--kubeconfig", "kc", "--server", "127.0.0.1:1")
    told = yaml.safe_load(ran.out)
    assert ran.status == 0
    assert [entry["what"] for entry in told["unread"]] == ["the API server's version",
                                                           "the controller (--server)"]
    assert told["cluster"]["server"] == "http://127.0.0.1:1"
    assert "canary000x" not in ran.out


def test_a_credential_plugin_that_talks(sluice, server, tmp_path):
    """It is heard by whoever runs it, and isn't quoted in the report."""
    plugin = tmp_path / "plugin"
    plugin.write_text('#!/bin/sh\necho "no login for $WHO with $1" >&2\nexit 1\n')
    plugin.chmod(0o755)
    (tmp_path / "kc").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
        "users": [{"name": "u", "user": {"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin),
            "args": ["canary001x"], "interactiveMode": "Never",
            "env": [{"name": "WHO", "value": "canary002x"}]}}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
    ran = sluice("debug", "dump", "--kubeconfig", "kc", "--server", "127.0.0.1:1")
    assert ran.status == 0 and "canary" not in ran.out
    assert "no login for canary002x with canary001x" in ran.err


def test_a_name_and_all_exclude_each_other(sluice, kubeconfig):
    ran = sluice("debug", "dump", "shop", "-A", "--kubeconfig", kubeconfig)
    assert (ran.status, ran.err.partition("\n")[0]) == (
        2, "sluice debug: a name and --all-namespaces exclude each other")


def test_what_to_dump(sluice):
    ran = sluice("debug", "dmp")
    assert ran.err.partition("\n")[0] == (
        'sluice debug: expected dump [NAME], found "dmp"; did you mean "dump"?')


def test_a_component_s_workload(dump, world, canary):
    """Its kind stands in the revision, of which nothing else is told."""
    made = at_gate()
    made["metadata"]["name"] = "api"
    made["status"]["component"] = "web"
    made["status"]["lastTargetAppRevision"] = made["spec"]["targetAppRevisionName"]
    world.put(made)
    revision = {"spec": {
        "application": {"metadata": {"name": "api"}, "spec": {"components": [
            {"name": "web", "type": "t", "properties": {"key": canary("a parameter")}}]}},
        "componentDefinitions": {"t": {"spec": {
            "workload": {"definition": {"apiVersion": "apps/v1", "kind": "Deployment"}},
            "schematic": {"cue": {"template": "output: {}"}}}}}}}
    world.answers["/apis/core.oam.dev/v1beta1/namespaces/default/applicationrevisions/"
                  + made["spec"]["targetAppRevisionName"]] = revision
    workload = {**world.collections["Deployment"]["shop"]}
    workload["metadata"] = {**workload["metadata"], "name": "web"}
    world.put(workload)
    ran = dump("api")
    [told] = yaml.safe_load(ran.out)["rollouts"]
    assert told["components"][0]["workload"]["kind"] == "Deployment"
    assert told["components"][0]["pods"]["items"]
    assert "schematic" not in ran.out and canary.found_in(ran.out) == []


@pytest.mark.parametrize("file, told", [("nowhere", "nowhere: No such file or directory"),
                                        (".", ".: expected a regular file")])
def test_a_wrong_log(sluice, kubeconfig, file, told):
    ran = sluice("debug", "dump", "--log", file, "--kubeconfig", kubeconfig)
    assert (ran.status, ran.out, ran.err) == (1, "", f"sluice debug: {told}\n")
