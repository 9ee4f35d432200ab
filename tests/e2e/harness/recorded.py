# SPDX-License-Identifier: Apache-2.0
"""The record of a schedule. On a real cluster it is read from the API server's audit log, which keeps
what was written in some namespaces; on a sandbox the history and the gates have it."""

from cluster import audit, wait_for

from .followed import SIZE
from .history import Version
from .judge import Record, Write
from .stage import USER


def free_namespace(api) -> str:
    """One of those, that isn't there."""
    there = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces")["items"]}
    return next(name for name in audit.VERBOSE if name not in there)


def seen(web, since: int) -> Record:
    """By the history, so far; without writes."""
    kinds = _kinds(web)
    return Record(web.kind.kind, web.kind.least, SIZE, since,
                  [version for version in web.stage.history.versions() if version.kind in kinds],
                  runs=not web.real)


def record(web, since: int, crew) -> Record:
    made = seen(web, since)
    made.lease = crew.lease
    if not web.stage.cluster.is_real:
        made.writes = list(crew.weather.writes)
        return made
    events = wait_for("the audit log has all of it", lambda: _all_events(web, made), 20)
    made.versions = sorted(_versions(web, events), key=lambda version: version.number)
    made.writes = [_write(event) for event in events if event["user"].get("username") == USER]
    return made


def _kinds(web) -> tuple:
    return web.kind.kind, "Rollout", "Pod"


# The audit log


def _all_events(web, known: Record) -> list:
    """Once there are all versions of workload and Rollout that the history knows of. Of pods it knows
    more: a binding is answered without the pod."""
    namespace = web.stage.namespace
    there = web.stage.api.get(f"/api/v1/namespaces/{namespace}")["metadata"]["creationTimestamp"][:-1]
    events = [event for event in audit.events(web.stage.cluster.audit_log, f'"{namespace}"',
                                              f'"lease-{namespace}"')
              if event["requestReceivedTimestamp"] >= there and "dryRun=" not in event["requestURI"]]
    found = {(version.kind, version.number) for version in _versions(web, events)}
    wanted = {(version.kind, version.number) for version in known.versions
              if version.kind != "Pod" and not version.deleted}
    return events if wanted <= found else []


def _versions(web, events: list) -> list:
    """Who is told to go counts as gone. When it goes its answer may be without a number, and then it
    counts from where the log stands."""
    made, last = [], 0
    for event in events:
        thing = event.get("responseObject", {})
        if (event["responseStatus"]["code"] >= 300 or thing.get("kind") not in _kinds(web)
                or event["objectRef"].get("namespace") != web.stage.namespace):
            continue
        number = int(thing["metadata"].get("resourceVersion", last))
        last = max(last, number)
        made.append(Version(number, thing["kind"], thing["metadata"]["name"],
                            event["verb"] == "delete", thing, 0))
    return made


def _write(event: dict) -> Write:
    about, thing = event["objectRef"], event.get("responseObject", {})
    return Write(event["userAgent"].rpartition(" ")[2], audit.seconds(event["requestReceivedTimestamp"]),
                 audit.seconds(event["stageTimestamp"]), about["resource"], about.get("name", ""),
                 event["responseStatus"]["code"], thing.get("spec", {}).get("holderIdentity", ""))
