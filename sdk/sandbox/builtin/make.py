#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes kinds.json: what the sandbox knows of the built-in kinds, taken from the description of its
API that each release of Kubernetes carries. Words are left out, structure is kept.

usage: make.py KUBERNETES >kinds.json

KUBERNETES is the source of the release (as a Go module, say). Defaults that Kubernetes sets in code
come from defaults.json and are put into the schemas.
"""

import json
import sys
from pathlib import Path

GROUPS = {
    "api__v1": ("ConfigMap", "Event", "Namespace", "Node", "Pod", "Secret", "Service",
                "ServiceAccount"),
    "apis__apps__v1": ("ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet",
                       "StatefulSet"),
    "apis__coordination.k8s.io__v1": ("Lease",),
    "apis__apiextensions.k8s.io__v1": ("CustomResourceDefinition",),
}
# Served by the sandbox; others (pods/exec, deployments/rollback, …) aren't.
SUBRESOURCES = ("status", "scale", "finalize")
SCALE = "io.k8s.api.autoscaling.v1.Scale"
WORDS = ("description", "example", "externalDocs")
PREFIX = "#/components/schemas/"


def without_words(value, is_map=False):
    """A schema without its prose; `properties` may well have a member called description."""
    if isinstance(value, list):
        return [without_words(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_words(item, key == "properties" and not is_map)
            for key, item in value.items() if is_map or key not in WORDS}


def references(value):
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref" and isinstance(item, str):
                yield item.removeprefix(PREFIX)
            else:
                yield from references(item)


def closure(schemas, names):
    """These schemas and all that they refer to."""
    found, todo = {}, list(names)
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = without_words(schemas[name])
            todo += references(found[name])
    return found


def schema_name(schemas, kind):
    """Kinds that are no objects, such as Scale, share the mark; the one that has metadata is it."""
    return next(name for name, schema in schemas.items()
                if name.endswith("." + kind) and "metadata" in schema.get("properties", {}))


def kind_of(group, version, resource, subresources, schema):
    return {"group": group, "version": version, "schema": schema, "subresources": subresources,
            **{key: resource[key] for key in ("kind", "name", "singularName", "namespaced", "verbs",
                                              "shortNames", "categories", "storageVersionHash")
               if key in resource}}


def read_group(source, stem, wanted):
    """Yields a group's kinds, and the schemas that they need."""
    described = json.loads((source / "openapi-spec/v3" / f"{stem}_openapi.json").read_text())
    listed = json.loads((source / "discovery" / f"{stem}.json").read_text())
    schemas = described["components"]["schemas"]
    group, _, version = listed["groupVersion"].rpartition("/")
    for resource in listed["resources"]:
        if "/" in resource["name"] or resource["kind"] not in wanted:
            continue
        subresources = [each for each in listed["resources"]
                        if each["name"].startswith(resource["name"] + "/")
                        and each["name"].partition("/")[2] in SUBRESOURCES]
        name = schema_name(schemas, resource["kind"])
        scales = any(each["kind"] == "Scale" for each in subresources)
        yield (kind_of(group, version, resource, subresources, name),
               closure(schemas, [name, SCALE] if scales else [name]))


def put_defaults(schemas, defaults):
    for name, fields in defaults.items():
        for field, value in fields.items():
            property = schemas[name]["properties"][field]
            if isinstance(value, dict) and "default" not in property:
                property["x-pointer"] = True  # in Go: not there until it is completed
            property["default"] = value


def main():
    source = Path(sys.argv[1]) / "api"
    kinds, schemas = [], {}
    for stem, wanted in GROUPS.items():
        for kind, needed in read_group(source, stem, wanted):
            kinds.append(kind)
            schemas.update(needed)
    defaults = json.loads((Path(__file__).parent / "defaults.json").read_text())
    put_defaults(schemas, defaults)
    json.dump({"kinds": kinds, "schemas": schemas}, sys.stdout, indent=None, sort_keys=True,
              separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
