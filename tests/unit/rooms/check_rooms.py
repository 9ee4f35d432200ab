#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may use whom: holds every #include against the rules of the house, and prints offenders.

usage: check_rooms.py <root of the sources>

The rules are those of docs/architecture.md, "Who may use whom". A header that is private to its
folder (its name ends in _private.h, or its opening comment says so) is included by nobody else.
"""

import pathlib
import re
import sys

# Room of core -> the rooms that it may include, besides itself.
MAY_USE = {
    "base": set(),
    "rollout": {"base"},
    "loop": {"base"},
    "adapter": {"base", "loop", "sdk"},
    "config": {"base", "adapter"},
    "cluster": {"base", "loop"},
    "serve": {"base", "loop"},
    "oam": {"base", "rollout", "loop", "cluster", "adapter"},
    "follow": {"base", "rollout", "adapter", "oam", "sdk"},
    "reconcile": {"base", "rollout", "loop", "cluster", "adapter", "config", "oam", "follow",
                  "serve"},
}
EVERYTHING = set(MAY_USE) | {"sdk", "cli"}
MAY_USE["cli"] = EVERYTHING
MAY_USE["main.c"] = EVERYTHING
# What a third party gets stands alone; the programs that come with it are hosts like the core.
MAY_USE_OUTSIDE = {
    "sdk": {"sdk"},
    "sdk/check": {"sdk", "base", "adapter"},
    "sdk/sandbox": {"sdk", "base", "loop", "serve"},
    "plugins": {"sdk", "common"},
    "examples": {"sdk"},
}
FOLDERS = ("core", "sdk", "plugins", "examples")

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
SAYS_PRIVATE = re.compile(r"[Pp]rivate to |nobody else includes it")


def room_of(path, root):
    """The room in which a file stands, and the rooms that it may include."""
    parts = path.relative_to(root).parts
    if parts[0] == "core":
        return parts[1], MAY_USE.get(parts[1])
    program = "/".join(parts[:2])
    room = program if program in MAY_USE_OUTSIDE else parts[0]
    return room, MAY_USE_OUTSIDE[room]


def included_room(kind, name):
    """The room to which an include leads; None for the C library and other libraries."""
    first = name.split("/")[0]
    if first == "sluice":
        return "sdk"
    if kind == '"' and "/" in name:
        return first
    return None


def is_private(header):
    text = header.read_text() if header.is_file() else ""
    opening = text[: text.find("*/") + 2]
    return header.name.endswith("_private.h") or bool(SAYS_PRIVATE.search(opening))


def offences_of(path, root):
    room, allowed = room_of(path, root)
    if allowed is None:
        yield f'{path.relative_to(root)}: the house has no room "{room}"'
        return
    for kind, name in INCLUDE.findall(path.read_text()):
        used = included_room(kind, name)
        if used is None or used == room:
            continue
        if used not in allowed:
            may = ", ".join(sorted(allowed)) or "nothing but itself"
            yield f"{path.relative_to(root)}: includes {name}; {room} may use {may}"
        elif is_private(root / "core" / name):
            yield f"{path.relative_to(root)}: includes {name}, which is private to {used}"


def sources(root):
    for folder in FOLDERS:
        for pattern in ("*.c", "*.h", "*.def"):
            yield from sorted((root / folder).rglob(pattern))


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = list(sources(root))
    offences = [offence for path in files for offence in offences_of(path, root)]
    print("\n".join(offences))
    print(f"{len(files)} files, {len(offences)} offences")
    return 1 if offences or not files else 0


if __name__ == "__main__":
    sys.exit(main())
