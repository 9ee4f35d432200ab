# SPDX-License-Identifier: Apache-2.0
"""The Helm chart and the kustomization: what they make, what they refuse, and what a real API server
says to it."""

import json
import subprocess

import pytest
import yaml

from harness.controller import BUILD, SLUICE
from harness.delivery import DEPLOY, NAMESPACE, by_name, kustomize, kustomize_with_webhook, render

pytestmark = pytest.mark.real("the chart's tools are built with a cluster's")

ADAPTERS = ["cloneset", "deployment", "statefulset", "daemonset", "advanced-statefulset",
            "advanced-daemonset"]


def test_helm_and_kustomize_make_the_same(tmp_path):
    chart, base = by_name(render(tmp_path)), by_name(kustomize())
    del base["Namespace", NAMESPACE]  # helm install --create-namespace
    assert sorted(chart) == sorted(base)
    for name, thing in chart.items():
        assert thing == base[name], name


ASKED = {"admission": {"enabled": True}}


def test_helm_and_kustomize_make_the_same_webhook(tmp_path):
    chart, base = by_name(render(tmp_path, ASKED)), by_name(kustomize_with_webhook(tmp_path))
    del base["Namespace", NAMESPACE]
    assert sorted(chart) == sorted(base)
    for name, thing in chart.items():
        assert thing == base[name], name


def test_nothing_depends_on_the_webhook(tmp_path):
    """It is asked about rollouts alone, not about what is rolled, and passed over when it is silent."""
    found = by_name(render(tmp_path, ASKED, "roller", "ops"))
    (webhook,) = found["ValidatingWebhookConfiguration", "roller"]["webhooks"]
    assert {kind for rule in webhook["rules"] for kind in rule["resources"]} == {
        "rollouts", "approllouts"}
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 2)
    assert webhook["clientConfig"]["service"] == {
        "name": "roller-admission", "namespace": "ops", "path": "/admission", "port": 443}
    assert found["Service", "roller-admission"]["spec"]["selector"] == found[
        "Deployment", "roller"]["spec"]["selector"]["matchLabels"]
    assert found["ConfigMap", "roller"]["data"]["sluice.yaml"]["admission"] == {
        "listen": "0.0.0.0:8475", "service": "roller-admission", "namespace": "ops",
        "configuration": "roller"}
    (rule,) = found["ClusterRole", "roller-admission"]["rules"]
    assert rule["resourceNames"] == ["roller"] and "Secret" not in str(found)


def test_the_webhook_s_role_is_the_printed_one(tmp_path):
    config = tmp_path / "sluice.yaml"
    config.write_text(json.dumps({"admission": {"listen": "0.0.0.0:8475"}}))
    printed = subprocess.run([SLUICE, "role", f"--config={config}"], capture_output=True,
                             text=True, check=True).stdout
    (found,) = (thing for thing in yaml.safe_load_all(printed)
                if thing["metadata"]["name"] == "sluice-admission")
    assert found == yaml.safe_load((DEPLOY / "admission" / "role.yaml").read_text())


def test_no_more_than_is_needed(tmp_path):
    deployment = by_name(render(tmp_path))["Deployment", "sluice"]
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]}}
    for key in ("hostNetwork", "hostPID", "hostIPC", "initContainers"):
        assert key not in pod
    assert all("hostPath" not in volume for volume in pod["volumes"])


def test_values_are_heard(tmp_path):
    found = by_name(render(tmp_path, {
        "image": {"repository": "shop/sluice", "digest": "sha256:" + "a" * 64}, "replicas": 1,
        "leaderElection": {"enabled": False}, "networkPolicy": {"enabled": False},
        "podDisruptionBudget": {"enabled": False}, "serviceAccount": {"name": "sluice-robot"},
        "config": {"hooks": {"allow": ["gates.shop.svc"]}, "logLevel": "debug"},
        "nodeSelector": {"disk": "ssd"}}, "roller", "ops"))
    spec = found["Deployment", "roller"]["spec"]
    pod = spec["template"]["spec"]
    assert spec["strategy"] == {"type": "Recreate"}  # two without an election would both act
    assert pod["containers"][0]["args"] == ["controller"]
    assert pod["containers"][0]["image"] == "shop/sluice@sha256:" + "a" * 64
    assert pod["nodeSelector"] == {"disk": "ssd"} and pod["serviceAccountName"] == "sluice-robot"
    config = found["ConfigMap", "roller"]["data"]["sluice.yaml"]
    assert config["hooks"] == {"allow": ["gates.shop.svc"]} and config["logLevel"] == "debug"
    assert config["serve"] == {"listen": "0.0.0.0:8474"}
    subjects = [(it["name"], it["namespace"]) for kind in ("RoleBinding", "ClusterRoleBinding")
                for (this, _), thing in found.items() if this == kind for it in thing["subjects"]]
    assert subjects == [("sluice-robot", "ops")] * 2
    assert not [name for name in found if name[0] in ("NetworkPolicy", "PodDisruptionBudget")]
    assert {thing["metadata"]["namespace"] for thing in found.values()
            if "namespace" in thing["metadata"]} == {"ops"}
    assert not [name for _, name in found if name.startswith("sluice-") and name != "sluice-robot"]


@pytest.mark.parametrize("enabled", [[], ["deployment"], ["statefulset", "cloneset"], ADAPTERS])
def test_the_role_is_the_one_of_the_adapters(tmp_path, enabled):
    """As `sluice role` prints it for the same config."""
    entries = [{"name": name} for name in enabled]
    roles = by_name(render(tmp_path, {"config": {"adapters": {"enabled": entries}}}))
    config = tmp_path / "sluice.yaml"
    config.write_text(json.dumps({"adapters": {"enabled": [
        {"name": name, "file": str(BUILD / "plugins" / name / f"{name}.so"),
         "isolation": "inProcess"} for name in enabled]}}))
    printed = subprocess.run([SLUICE, "role", f"--config={config}"], capture_output=True,
                             text=True, check=True).stdout
    for thing in yaml.safe_load_all(printed):
        made = roles[thing["kind"], thing["metadata"]["name"]]
        assert sorted(map(str, made.pop("rules"))) == sorted(map(str, thing.pop("rules")))
        assert made == thing


@pytest.mark.parametrize("values, said", [
    ({"replica": 2}, "additional properties 'replica' not allowed"),
    ({"replicas": "two"}, "at '/replicas': got string, want integer"),
    ({"replicas": 2, "leaderElection": {"enabled": False}}, "at '/leaderElection/enabled'"),
    ({"image": {"tag": "not a tag"}}, "at '/image/tag'"),
    ({"image": {"digest": "sha256:12"}}, "at '/image/digest'"),
    ({"admission": {"on": True}}, "additional properties 'on' not allowed"),
    ({"config": {"admission": {"certificateSeconds": 1}}}, "/config/admission/certificateSeconds"),
    ({"config": {"hooks": {"allowed": []}}}, "additional properties 'allowed' not allowed"),
    ({"config": {"logLevel": "loud"}}, "at '/config/logLevel'"),
    ({"config": {"serve": {"listen": "127.0.0.1:1"}}}, "additional properties 'listen' not"),
    ({"config": {"adapters": {"enabled": [{"adapter": "x"}]}}}, "missing property 'name'"),
    ({"config": {"adapters": {"enabled": [{"name": "x", "sha256": "1"}]}}}, "/0/sha256'"),
    ({"resources": {"requests": {"memory": "much"}}}, "at '/resources/requests/memory'"),
    ({"networkPolicy": {"from": [{}]}}, "at '/networkPolicy/from/0'"),
    ({"rbac": {"extraRules": [{"verbs": ["get"]}]}}, "at '/rbac/extraRules/0'"),
])
def test_bad_values_are_refused(tmp_path, values, said):
    refusal = render(tmp_path, values)
    assert isinstance(refusal, str) and said in refusal, refusal


def test_the_chart_says_every_key_of_the_config(tmp_path):
    """examples/sluice.yaml has them all, most of them in comments."""
    from harness.delivery import CHART
    lines = (DEPLOY.parent / "examples" / "sluice.yaml").read_text().splitlines()
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]["config"]
    words = {line.strip("# -").split(":")[0] for line in lines if ":" in line}
    keys = set(schema["properties"])
    for section in schema["properties"].values():
        keys |= set(section.get("properties", {}))
    keys |= set(schema["properties"]["adapters"]["properties"]["enabled"]["items"]["properties"])
    assert keys - words <= {"native", "rolloutMetrics"}  # docs/generic.md, docs/operations.md


@pytest.mark.parametrize("source", ["helm", "kustomize"])
def test_a_real_api_server_takes_it(cluster, account, tmp_path, source):
    """All of it, server-side and dry: fields it doesn't know and values it won't take are errors."""
    things = (render(tmp_path, ASKED) if source == "helm" else
              kustomize_with_webhook(tmp_path))
    said = cluster.kubectl("apply", "--server-side", "--dry-run=server", "--force-conflicts",
                           "--validate=strict", "-f", "-",
                           stdin=yaml.safe_dump_all(things))
    assert len(said.splitlines()) == len(things)
    assert all(line.endswith("serverside-applied (server dry run)")
               for line in said.splitlines())
