# SPDX-License-Identifier: Apache-2.0
"""What deploy/ says, rendered as people would install it."""

import subprocess
from pathlib import Path

import yaml

from cluster import tools

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
CHART = DEPLOY / "helm" / "sluice"
NAMESPACE = "sluice-system"


def helm(*arguments: str, kubeconfig=None) -> subprocess.CompletedProcess:
    tools.build(["helm"])
    where = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    return subprocess.run([str(tools.path("helm")), *where, *arguments], capture_output=True,
                          text=True, check=False)


def render(folder: Path, values=None, name="sluice", namespace=NAMESPACE):
    """The objects of the chart, or what it says against the values."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values or {}))
    done = helm("template", name, str(CHART), f"--namespace={namespace}", f"--values={file}",
                "--kube-version=1.34", "--include-crds")
    return objects(done.stdout) if done.returncode == 0 else done.stderr


def kustomize() -> list:
    tools.build(["kubectl"])
    done = subprocess.run([str(tools.path("kubectl")), "kustomize", str(DEPLOY)],
                          capture_output=True, text=True, check=True)
    return objects(done.stdout)


def objects(text: str) -> list:
    return [it for it in yaml.safe_load_all(text) if it]


def by_name(found: list) -> dict:
    """By kind and name; texts that are YAML read as such, for two ways of writing are one thing."""
    result = {}
    for thing in found:
        if thing["kind"] == "ConfigMap":
            thing = {**thing, "data": {key: yaml.safe_load(text)
                                       for key, text in thing["data"].items()}}
        result[thing["kind"], thing["metadata"]["name"]] = thing
    assert len(result) == len(found)
    return result
