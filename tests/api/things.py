# SPDX-License-Identifier: Apache-2.0
"""Objects that the cases are about."""

TOLERATION = {"key": "kwok.x-k8s.io/node", "operator": "Exists"}
"""For pods that shall run on the nodes that the cases have."""


def config_map(name: str, data=None, **metadata) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata},
            "data": data if data is not None else {"a": "1"}}


def deployment(name: str, **spec) -> dict:
    """One that no controller makes pods for."""
    container = {"name": "main", "image": "example/app:1", "ports": [{"containerPort": 80}]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, **spec,
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"containers": [container]}}}}


def image(value: str) -> dict:
    """A strategic patch of a workload's template."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": value}]}}}}


def crd(plural: str, kind: str, group: str = "example.com", **version) -> dict:
    schema = {"type": "object", "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "minimum": 0, "maximum": 9},
            "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
            "label": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
            "parts": {"type": "array", "maxItems": 2, "items": {
                "type": "object", "properties": {"name": {"type": "string"}}}},
            "either": {"x-kubernetes-int-or-string": True},
            "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}},
        "status": {"type": "object", "properties": {"ready": {"type": "integer"}}}}}
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Colour", "type": "string", "jsonPath": ".spec.colour", "priority": 1},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}]
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced",
                     "names": {"plural": plural, "kind": kind, "shortNames": [plural[:3]]},
                     "versions": [{"name": "v1", "served": True, "storage": True,
                                   "schema": {"openAPIV3Schema": schema},
                                   "subresources": {"status": {}},
                                   "additionalPrinterColumns": columns, **version}]}}
