# SPDX-License-Identifier: Apache-2.0
"""What has happened to the objects of a namespace, as the API server tells it.

Every version of every object is kept. One etcd counts all changes, so resource versions put the
versions of different kinds into the one order in which they were written, whatever watch brought
them. All proofs are computed from this, and none from Sluice's own log.
"""

import http.client
import json
import threading
import time
from dataclasses import dataclass
from typing import Callable

from cluster.api import ApiError

KINDS = {
    "AppRollout": "/apis/core.oam.dev/v1beta1/namespaces/{}/approllouts",
    "Rollout": "/apis/sluice.dev/v1alpha1/namespaces/{}/rollouts",
    "Application": "/apis/core.oam.dev/v1beta1/namespaces/{}/applications",
    "ApplicationRevision": "/apis/core.oam.dev/v1beta1/namespaces/{}/applicationrevisions",
    "CloneSet": "/apis/apps.kruise.io/v1alpha1/namespaces/{}/clonesets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Event": "/api/v1/namespaces/{}/events",
}


@dataclass(frozen=True)
class Version:
    """An object as it was from `number` (its resource version) on; gone, if `deleted`. It was told
    at a time of the monotonic clock."""

    number: int
    kind: str
    name: str
    deleted: bool
    object: dict
    at: float


class History:
    """Records from its creation until `close`, in threads. All methods may be called meanwhile."""

    def __init__(self, api, namespace: str):
        self.api = api
        self.namespace = namespace
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.check = lambda: None  # asked while one waits; raises when waiting has no sense
        self._versions = []
        self._latest = {}
        self._listed = set()
        self.paths = dict(KINDS)
        self._threads = [threading.Thread(target=self._follow, args=[kind], daemon=True)
                         for kind in self.paths]
        for thread in self._threads:
            thread.start()
        self.wait("every kind has been listed", lambda: len(self._listed) == len(self.paths))

    def close(self) -> None:
        self.closing.set()

    def add(self, kind: str, path: str) -> None:
        """Records a further kind from now on: one that is defined during the test."""
        self.paths[kind] = path
        threading.Thread(target=self._follow, args=[kind], daemon=True).start()
        self.wait(f"{kind} has been listed", lambda: kind in self._listed)

    # Questions

    def versions(self, kind: str = "", name: str = "", since: int = 0) -> list:
        """Those of one kind, of one object, later than a resource version; in order."""
        with self.changed:
            return sorted((version for version in self._versions
                           if version.number > since and kind in ("", version.kind)
                           and name in ("", version.name)), key=lambda version: version.number)

    def objects(self, kind: str) -> dict:
        """Those that are there now, by name."""
        with self.changed:
            return {name: version.object for (other, name), version in self._latest.items()
                    if other == kind and not version.deleted}

    def now(self, kind: str, name: str):
        """The object as it is, or None."""
        return self.objects(kind).get(name)

    def number(self) -> int:
        """The resource version of the last change that is known."""
        with self.changed:
            return max((version.number for version in self._versions), default=0)

    def wait(self, what: str, condition: Callable, seconds: float = 60):
        """The condition's first true answer; it is asked after every change."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                answer = condition()
                if answer:
                    return answer
                self.check()
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"{what}: not within {seconds:.0f} s\n{self.summary()}")
                self.changed.wait(min(left, 1))

    def wait_for(self, thing: dict) -> None:
        """Until this version of it, or a later one, is known; of kinds that are recorded."""
        key = thing["kind"], thing["metadata"]["name"]
        number = int(thing["metadata"]["resourceVersion"])
        if thing["kind"] in self.paths:
            self.wait(f"{key} at {number} is known",
                      lambda: key in self._latest and self._latest[key].number >= number)

    def quiet(self, since: int, seconds: float, *kinds: str) -> list:
        """Watches for so long; the versions of these kinds that have come. None is what is hoped
        for, so this is the one place where time itself is waited for."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                came = [version for version in self._versions
                        if version.number > since and version.kind in kinds]
                left = deadline - time.monotonic()
                if came or left <= 0:
                    return came
                self.changed.wait(left)

    def catch_up(self) -> None:
        """Returns when all that has happened so far is known here."""
        for kind, path in self.paths.items():
            try:
                listed = self.api.get(path.format(self.namespace))
            except ApiError as error:
                if error.code == 404:
                    continue
                raise
            there = {item["metadata"]["name"]: int(item["metadata"]["resourceVersion"])
                     for item in listed["items"]}
            at = int(listed["metadata"]["resourceVersion"])
            self.wait(f"all about {kind}s is known", lambda: self._knows(kind, there, at))

    def _knows(self, kind: str, there: dict, at: int) -> bool:
        """All that was listed, and that what wasn't has gone; what is newer than the list, at
        this resource version, doesn't count."""
        latest = {name: version for (other, name), version in self._latest.items() if other == kind}
        return (all(name in latest and latest[name].number >= number
                    for name, number in there.items())
                and all(version.deleted or name in there or version.number > at
                        for name, version in latest.items()))

    def summary(self) -> str:
        """Where things stand, for the message of a failure."""
        lines = []
        for kind in ("AppRollout", "Rollout"):
            for name, rollout in self.objects(kind).items():
                status = rollout.get("status", {})
                lines.append(f"{kind} {name}: {status.get('rollingState')} "
                             f"{status.get('batchRollingState')} batch {status.get('currentBatch')} "
                             f"reason {status.get('reason')}")
        for name, cloneset in self.objects("CloneSet").items():
            lines.append(f"CloneSet {name}: replicas {cloneset['spec'].get('replicas')} "
                         f"{cloneset['spec'].get('updateStrategy')} {cloneset.get('status')}")
        return "\n".join(lines)

    # Recording

    def _follow(self, kind: str) -> None:
        path = self.paths[kind].format(self.namespace)
        since = None
        while not self.closing.is_set():
            try:
                if since is None:
                    since = self._list(kind, path)
                since = self._watch(kind, path, since)
            except ApiError as error:
                if error.code == 410:
                    since = self._recover(kind, path, since)
                self._mark_listed(kind)
                self.closing.wait(0.3)
            except (OSError, http.client.HTTPException):
                self.closing.wait(0.3)

    def _mark_listed(self, kind: str) -> None:
        with self.changed:
            self._listed.add(kind)
            self.changed.notify_all()

    def _list(self, kind: str, path: str) -> str:
        listed = self.api.get(path)
        for item in listed["items"]:
            self._record(kind, "ADDED", item)
        self._mark_listed(kind)
        return listed["metadata"]["resourceVersion"]

    def _recover(self, kind: str, path: str, since: str) -> str:
        """A restarted API server has forgotten what happened before it was up, but its etcd hasn't:
        the kind is listed as it was at each number in between."""
        last = int(self.api.get(path)["metadata"]["resourceVersion"])
        known = set(self.objects(kind))
        for number in range(int(since) + 1, last + 1):
            exact = f"?resourceVersion={number}&resourceVersionMatch=Exact"
            items = {item["metadata"]["name"]: item for item in self.api.get(path + exact)["items"]}
            for name in known - set(items):
                gone = dict(self.now(kind, name))
                gone["metadata"] = {**gone["metadata"], "resourceVersion": str(number)}
                self._record(kind, "DELETED", gone)
            for item in items.values():
                if int(item["metadata"]["resourceVersion"]) == number:
                    self._record(kind, "MODIFIED", item)
            known = set(items)
        return str(last)

    def _watch(self, kind: str, path: str, since: str) -> str:
        connection = self.api.connect(60)
        query = f"?watch=true&allowWatchBookmarks=true&timeoutSeconds=50&resourceVersion={since}"
        try:
            connection.request("GET", path + query, headers=self.api.headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise ApiError(answer.status, answer.read().decode())
            for line in answer:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise ApiError(event["object"].get("code", 500), json.dumps(event["object"]))
                since = event["object"]["metadata"]["resourceVersion"]
                if self.closing.is_set():
                    break
                if event["type"] != "BOOKMARK":
                    self._record(kind, event["type"], event["object"])
        except (OSError, ValueError, http.client.HTTPException):
            self.closing.wait(0.1)  # the server has gone away; what was read counts
        finally:
            connection.close()
        return since

    def _record(self, kind: str, what: str, thing: dict) -> None:
        meta = thing["metadata"]
        version = Version(int(meta["resourceVersion"]), kind, meta["name"], what == "DELETED", thing,
                          time.monotonic())
        with self.changed:
            self._versions.append(version)
            self._latest[kind, version.name] = version
            self.changed.notify_all()
