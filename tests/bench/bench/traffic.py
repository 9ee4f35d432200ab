# SPDX-License-Identifier: Apache-2.0
"""What a controller asked of the API server, from the server's own audit log."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cluster import audit

READS = ("get", "list", "watch")


@dataclass
class Traffic:
    """Requests by what they were, such as "patch clonesets". Events are apart from other writes;
    `refused` are those answered with 4xx or 5xx, which are counted among the others too."""

    reads: Counter = field(default_factory=Counter)
    writes: Counter = field(default_factory=Counter)
    events: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    first_write: str = ""


def log_reads_too() -> None:
    """The clusters' audit policy leaves reads out. To be called before a cluster comes up."""
    users = {"level": "Metadata", "userGroups": ["system:serviceaccounts:default"]}
    if users not in audit.POLICY["rules"]:
        audit.POLICY["rules"].insert(0, users)


def now() -> str:
    """As the audit log writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def traffic(cluster, user: str, since: str = "", until: str = "~") -> Traffic:
    """Everything that the user began to ask between two moments."""
    found = Traffic()
    for event in audit.writes(cluster.audit_log, user=user):
        if not _counts(event) or not since <= event["requestReceivedTimestamp"] < until:
            continue
        what = _what(event)
        _bucket(found, event)[what] += 1
        if event.get("responseStatus", {}).get("code", 0) >= 400:
            found.refused[f"{what} {event['responseStatus']['code']}"] += 1
        if event["verb"] not in READS and not found.first_write:
            found.first_write = event["requestReceivedTimestamp"]
    return found


def _counts(event: dict) -> bool:
    """A watch counts when it begins, anything else when it is answered."""
    stage = "ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"
    return event["stage"] == stage


def _bucket(found: Traffic, event: dict) -> Counter:
    if event["verb"] in READS:
        return found.reads
    is_event = event.get("objectRef", {}).get("resource") == "events"
    return found.events if is_event else found.writes


def _what(event: dict) -> str:
    thing = event.get("objectRef", {})
    subresource = f"/{thing['subresource']}" if thing.get("subresource") else ""
    return f"{event['verb']} {thing.get('resource', event['requestURI'])}{subresource}"
