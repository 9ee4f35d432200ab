# SPDX-License-Identifier: Apache-2.0
"""What OpenAPI v2 in protobuf says of patches. The numbers are those of gnostic's OpenAPIv2.proto."""

import yaml

TYPE = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
FIXED = {1: 8, 5: 4}


def _number(data: bytes, at: int) -> tuple:
    value = shift = 0
    while True:
        value, shift, at = value | (data[at] & 0x7F) << shift, shift + 7, at + 1
        if data[at - 1] < 0x80:
            return value, at


def fields(data: bytes, *steps: int) -> list:
    """The content of all fields behind these steps; numbers are passed over."""
    if not steps:
        return [data]
    at, found = 0, []
    while at < len(data):
        tag, at = _number(data, at)
        length, at = (FIXED[tag & 7], at) if tag & 7 in FIXED else _number(data, at)
        if tag & 7 == 0:
            continue
        if tag >> 3 == steps[0]:
            found += fields(data[at:at + length], *steps[1:])
        at += length
    return found


def words(data: bytes, *steps: int) -> list:
    return [each.decode() for each in fields(data, *steps)]


def parameters(operation: bytes) -> set:
    """Their names; a real server keeps most in one place, as dryRun-9Hfk…"""
    told = words(operation, 8, 1, 2, 3, 4)
    return {*told, *(each.rpartition("/")[2].partition("-")[0] for each in words(operation, 8, 2, 1))}


def patches(document: bytes) -> dict:
    """By path: whose it is and what it takes."""
    found = {}
    for path in fields(document, 8, 2):
        for patch in fields(path, 2, 8):
            whose = [yaml.safe_load(text) for extension in fields(patch, 13)
                     if words(extension, 1) == ["x-kubernetes-group-version-kind"]
                     for text in words(extension, 2, 2)]
            found[words(path, 1)[0]] = {"whose": whose, "takes": sorted(parameters(patch))}
    return found
