# SPDX-License-Identifier: Apache-2.0
"""The apiserver's audit log: every write, by whom, and how it was answered."""

import json
from datetime import datetime
from pathlib import Path
from typing import Iterator

# Namespaces of which the log keeps what was written too: all versions of an object, as its writers
# were answered.
VERBOSE = [f"verbose-{number}" for number in range(100)]

POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "omitManagedFields": True,
    "rules": [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "RequestResponse", "namespaces": VERBOSE},
        {"level": "RequestResponse", "namespaces": ["sluice-system"],
         "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "Metadata"},
    ],
}


def events(log: Path, *words: str) -> Iterator[dict]:
    """All that is written so far, and speaks of one of these, if any; a line that is still being written
    is left out."""
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n") and (not words or any(word in line for word in words)):
                yield json.loads(line)


def writes(log: Path, user: str = "", user_agent: str = "", resource: str = "") -> list:
    """Those by a user, by a user agent that begins so, on a resource ("clonesets"). A dry run writes
    nothing."""
    def is_wanted(event) -> bool:
        return (user in ("", event["user"].get("username"))  # who is unknown has no name
                and "dryRun=" not in event.get("requestURI", "")
                and event.get("userAgent", "").startswith(user_agent)
                and resource in ("", event.get("objectRef", {}).get("resource")))

    return [event for event in events(log) if is_wanted(event)]


def seconds(time: str) -> float:
    """Since the epoch, of a time as the log writes it."""
    return datetime.fromisoformat(time).timestamp()


def seconds_between(before: str, after: str) -> float:
    return seconds(after) - seconds(before)
