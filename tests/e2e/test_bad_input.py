# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind: where it is told, in which words, and that it harms nobody else."""

import re
import shutil
import subprocess

import pytest

from harness.controller import BUILD, CLONESET, SLUICE, config_text
from harness.objects import application, batch_state, component, definition, reason, rollout

# Plans: told by the API server

REFUSED_AT_ONCE = {
    "negative": ({"batches": [-1, 6]}, r"replicas.*expected 1 to 1000000 pods"),
    "zero": ({"batches": [0, 5]}, r"replicas.*expected 1 to 1000000 pods"),
    "101%": ({"batches": ["101%"]}, r"replicas.*expected a percentage from 1% to 100%"),
    "a percentage without its sign": ({"batches": ["50", "50"]}, r"replicas.*found the text .*50"
                                      r".*; expected a percentage from 1% to 100%"),
    "an unknown strategy": ({"numBatches": 1, "rolloutStrategy": "Sideways"},
                            r'rolloutStrategy.*"Sideways".*"IncreaseFirst", "DecreaseFirst"'),
    "a batch past the end": ({"batches": [1, 2, 2], "batchPartition": 3},
                             r"batchPartition.*but the last batch is "),
    "a negative partition": ({"batches": [5], "batchPartition": -1}, r"batchPartition"),
    "metrics": ({"numBatches": 1, "canaryMetric": [{"name": "errors"}]},
                r"canaryMetric is not supported yet"),
}


@pytest.mark.real("is refused by rules in CEL")
@pytest.mark.parametrize("what", REFUSED_AT_ONCE)
def test_refused_at_once(stage, what):
    plan, words = REFUSED_AT_ONCE[what]
    assert re.search(words, stage.refused(rollout("shop-v1", **plan)), re.DOTALL)


# Plans that only the workload can tell apart from good ones

REFUSED_BY_SIZE = {
    "a plan that doesn't reach the size": (
        {"batches": [1, 1]}, "the batches don't reach the end: 1 + 1 = 2, but there are 5 pods; "
                             "3 would be in no batch"),
    "percentages that don't": (
        {"batches": ["20%", "40%"]}, "the batches don't reach the end: 20% + 40% of 5 = 3"),
    "whole numbers that overshoot": (
        {"batches": [2, 4]}, "the batches overshoot: 2 + 4 = 6, but there are 5 pods"),
    "another size and another revision": (
        {"numBatches": 1, "targetSize": 7}, "targetSize is 7, but CloneSet"),
}


def test_plans_that_do_not_fit(stage):
    """All of them in one place, so that the workload is made once; it is never touched."""
    stage.controller()
    stage.deploy(fake=True)
    stage.record(2, component(version="5.0.2", fake=True))
    before = stage.get("CloneSet", "web")["metadata"]["resourceVersion"]
    for plan, words in REFUSED_BY_SIZE.values():
        stage.put(rollout("shop-v2", "shop-v1", **plan))
        failed = stage.wait_state("rolloutFailed")
        assert words in reason(failed)["message"]
        assert reason(failed)["field"].startswith("spec.rolloutPlan")
        assert stage.event("RolloutFailed", re.escape(words))["type"] == "Warning"
    assert stage.get("CloneSet", "web")["metadata"]["resourceVersion"] == before
    stage.put(rollout("shop-v2", "shop-v1", batches=[2, 3]))
    stage.wait_state("rolloutSucceed")


# Revisions

@pytest.mark.parametrize("missing", ["target", "source"])
def test_missing_revision(stage, missing):
    """It is waited for, and said so; when it comes the rollout goes on."""
    stage.controller()
    stage.deploy(fake=True)
    names = {"target": ("shop-v2", "shop-v1"), "source": ("shop-v1", "shop-v2")}[missing]
    stage.put(rollout(*names, numBatches=1))
    why = stage.wait_reason("RevisionMissing")
    assert why["message"] == (f"there is no ApplicationRevision shop-v2 in namespace "
                              f"{stage.namespace}; it is waited for")
    assert why["field"] == f"spec.{missing}AppRevisionName"
    assert stage.event("RevisionMissing", "shop-v2")["type"] == "Warning"
    stage.record(2, component(version="5.0.2", fake=True))
    stage.wait_state("rolloutSucceed")


def test_component_that_the_revision_has_not(stage):
    stage.controller()
    stage.record(1, component(version="4.0.6", fake=True))
    stage.put(rollout("shop-v1", numBatches=1, components=["wep"]))
    failed = stage.wait_state("rolloutFailed")
    assert "has no component wep; its components are web" in reason(failed)["message"]


# Applications

def condition(stage, kind):
    found = stage.history.now("Application", "shop") or {}
    return next((c for c in found.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def wait_condition(stage, kind, status):
    return stage.wait(f"{kind} is {status}", lambda: condition(stage, kind)
                      if condition(stage, kind).get("status") == status else None)


def test_unknown_component_type(stage):
    """Said in the Application, with both namespaces that were searched; recorded when it comes."""
    stage.controller()
    stage.put(application(component(kind="gadget", version="4.0.6")))
    told = wait_condition(stage, "Ready", "False")
    assert told["reason"] == "DefinitionMissing"
    assert "there is no ComponentDefinition gadget" in told["message"]
    assert stage.namespace in told["message"] and "vela-system" in told["message"]
    assert stage.event("DefinitionMissing", "gadget")["type"] == "Warning"
    stage.put(definition("gadget", TEMPLATE.format(more="")))
    stage.wait_revision("shop-v1")
    assert wait_condition(stage, "Ready", "True")


def test_what_an_application_may_not_have(stage):
    stage.controller()
    stage.put(application({**component(version="4.0.6"), "traits": [{"type": "scaler"}]}))
    told = wait_condition(stage, "Ready", "False")
    assert told["reason"] == "InvalidApplication" and "traits" in told["message"]
    stage.put(application(component(version="4.0.6")))
    stage.wait_revision("shop-v1")


# Templates and parameters

TEMPLATE = """
output: {{
    apiVersion: "apps.kruise.io/v1alpha1"
    kind:       "CloneSet"
    spec: {{
        replicas: parameter.replicas
        selector: matchLabels: app: context.name
        template: {{
            metadata: labels: app: context.name
            spec: containers: [{{name: context.name, image: "stefanprodan/podinfo:" + parameter.version}}]
        }}
    }}
}}
parameter: {{version: string, replicas: *2 | int}}
{more}
"""

LOOP = """
import "list"
_range: list.Range(0, 4000, 1)
_sum: list.Sum([for a in _range for b in _range for c in _range if a + b < c - 9000 {1}])
output: spec: minReadySeconds: _sum
"""

# Every line is twice as long as the one before.
EXPLOSION = "_a0: \"0123456789abcdef\"\n" + "".join(
    f"_a{n + 1}: _a{n} + _a{n}\n" for n in range(40)) + "output: metadata: annotations: a: _a40\n"

BAD_TEMPLATES = {
    "does not parse": (TEMPLATE.format(more="") + "\noutput: {a: [}\n", r"expected operand, found '}' \(template line 17, column 14\)"),
    "conflicts": (TEMPLATE.format(more='output: kind: "Deployment"'),
                  r'kind.*conflicting values.*"Deployment"|conflict'),
    "lacks output": ("parameter: {version: string}\n", r"output"),
    "is not concrete": (TEMPLATE.format(more="output: spec: minReadySeconds: int"),
                        r"minReadySeconds"),
    "names another kind than declared": (
        TEMPLATE.replace('"CloneSet"', '"Sidecar"').format(more=""), r"Sidecar.*CloneSet|CloneSet.*Sidecar"),
    "loops": (LOOP + TEMPLATE.format(more=""), r"took longer than 1 s"),
    "explodes": (EXPLOSION + TEMPLATE.format(more=""), r"more memory than the \d+ MiB it may"),
}


@pytest.mark.parametrize("what", BAD_TEMPLATES)
def test_template_that(stage, what):
    """Recorded all the same, but told: early in the Application, and by the rollout that wants it."""
    template, words = BAD_TEMPLATES[what]
    stage.controller(renderer_settings={"timeoutSeconds": 1 if what == "loops" else 20})
    stage.put(definition("gadget", template))
    stage.record(1, component(kind="gadget", version="4.0.6"))
    stage.put(rollout("shop-v1", numBatches=1))
    told = wait_condition(stage, "Rendered", "False")
    assert re.search(words, told["message"], re.DOTALL), told
    failed = stage.wait_state("rolloutFailed")
    assert re.search(words, reason(failed)["message"], re.DOTALL), reason(failed)
    assert stage.event("RolloutFailed", words)["type"] == "Warning"
    assert not stage.history.objects("CloneSet")


def test_template_that_loops_holds_up_nobody(stage):
    """While one template is being ended again and again, another one is rolled."""
    stage.controller(renderer_settings={"timeoutSeconds": 2})
    stage.put(definition("endless", LOOP + TEMPLATE.format(more="")))
    stage.put(application(component(kind="endless", version="4.0.6"), name="bad"))
    stage.deploy(fake=True)
    stage.wait_revision("bad-v1")


BAD_PARAMETERS = {
    "missing": ({"replicas": 2}, r'"?version"?'),
    "of the wrong type": ({"version": "4.0.6", "replicas": "two"}, r'replicas.*expected int.*"two"'),
}


@pytest.mark.parametrize("what", BAD_PARAMETERS)
def test_parameter(stage, what):
    """It is named, with what was expected."""
    properties, words = BAD_PARAMETERS[what]
    stage.controller()
    stage.put(definition("gadget", TEMPLATE.format(more="")))
    stage.record(1, component(kind="gadget", **properties))
    stage.put(rollout("shop-v1", numBatches=1))
    told = wait_condition(stage, "Rendered", "False")
    failed = stage.wait_state("rolloutFailed")
    for message in (told["message"], reason(failed)["message"]):
        assert "parameter" in message and re.search(words, message), message


# Adapters

DEPLOYMENT = """
output: {
    apiVersion: "apps/v1"
    kind:       "Deployment"
    spec: {
        selector: matchLabels: app: context.name
        template: {
            metadata: labels: app: context.name
            spec: containers: [{name: context.name, image: "stefanprodan/podinfo:4.0.6"}]
        }
    }
}
"""


def test_kind_without_adapter(stage):
    """It is waited for, because an adapter may be enabled later; others are told by name."""
    stage.controller()
    stage.put(definition("gadget", DEPLOYMENT, "Deployment", "apps/v1"))
    stage.record(1, component(kind="gadget"))
    stage.put(rollout("shop-v1", numBatches=1))
    why = stage.wait_reason("KindUnknown")
    assert "no adapter handles apps/v1 Deployment" in why["message"]
    assert "apps.kruise.io/v1alpha1 CloneSet" in why["message"]
    assert stage.event("KindUnknown", "Deployment")["type"] == "Warning"


def no_elf(folder):
    file = folder / "cloneset.so"
    file.write_text("#!/bin/sh\nexit 0\n" * 40)
    file.chmod(0o755)
    return file


def writable_by_all(folder):
    file = folder / "cloneset.so"
    shutil.copy(CLONESET, file)
    file.chmod(0o777)
    return file


BAD_ADAPTERS = {
    "missing": (lambda folder: folder / "cloneset.so", "file: expected .* found nothing there"),
    "not ELF": (no_elf, "format: expected an ELF shared object, found something else"),
    "of another major": (lambda folder: BUILD / "tests" / "hostile" / "major_symbol.so",
                         "symbol: expected sluice_adapter_v1, found sluice_adapter_v2"),
    "world-writable": (writable_by_all,
                       "mode: expected .* to be writable by its owner only, found 0777"),
}


@pytest.mark.parametrize("what", BAD_ADAPTERS)
def test_adapter_file(stage, tmp_path, what):
    """The controller works; the rollouts that need the adapter wait with its refusal."""
    make, words = BAD_ADAPTERS[what]
    folder = tmp_path / "adapters"
    folder.mkdir()
    controller = stage.controller(adapters=[{"name": "cloneset", "file": str(make(folder))}])
    stage.record(1, component(version="4.0.6", fake=True))
    stage.put(rollout("shop-v1", numBatches=1))
    why = stage.wait_reason("KindUnknown")
    assert re.search(f"adapter cloneset is refused: {words}", why["message"]), why
    assert stage.event("KindUnknown", words)["type"] == "Warning"
    assert any(re.search(words, line.get("message", "")) for line in controller.log_lines())
    assert controller.alive()


def test_refused_adapter_goes_on_once_it_is_good(stage, tmp_path):
    """The same file made right, and the controller started again: the rollout that waited rolls."""
    file = writable_by_all(tmp_path)
    controller = stage.controller(adapters=[{"name": "cloneset", "file": str(file)}])
    stage.record(1, component(version="4.0.6", replicas=2, fake=True))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_reason("KindUnknown")
    controller.stop()
    file.chmod(0o755)
    controller.start()
    assert batch_state(stage.wait_state("rolloutSucceed")) == "batchReady"


# The config file

def run_with_config(folder, text):
    file = folder / "sluice.yaml"
    file.write_text(text)
    return subprocess.run([SLUICE, "controller", f"--config={file}", "--kubeconfig=/dev/null"],
                          capture_output=True, text=True, timeout=20, check=False)


BAD_CONFIGS = {
    "an unknown key": ("adaptors:\n  enabled: []\n",
                       r'sluice.yaml:1:1: unknown key "adaptors", did you mean "adapters"\?; '
                       r"known keys here: adapters, namespace,"),
    "an unknown key inside": ("adapters:\n  enabled:\n    - name: cloneset\n      files: /x.so\n",
                              r'sluice.yaml:4:7: unknown key "files", did you mean "file"\?'),
    "a wrong type": ("renderer:\n  timeoutSeconds: soon\n",
                     r"sluice.yaml:2:19: timeoutSeconds: expected a whole number from 1 to 300"),
    "no YAML": ("adapters: [\n", r"sluice.yaml:\d+:\d+: "),
}


@pytest.mark.parametrize("what", BAD_CONFIGS)
def test_config_with(tmp_path, what):
    text, words = BAD_CONFIGS[what]
    done = run_with_config(tmp_path, text)
    assert done.returncode == 1
    assert re.search(words, done.stderr), done.stderr


def test_config_that_is_missing(tmp_path):
    done = subprocess.run([SLUICE, "controller", f"--config={tmp_path}/none.yaml"],
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and "none.yaml" in done.stderr


def test_no_cluster(tmp_path):
    done = run_with_config(tmp_path, config_text())
    assert done.returncode == 1 and "/dev/null" in done.stderr
