# SPDX-License-Identifier: Apache-2.0
"""A second writer: it re-applies its own copy of an object again and again, as GitOps tools do."""

import time

from cluster.api import ApiError

from .worker import Worker

MANAGER = "gitops"


def merged(live, copy):
    """What is there, with what the copy says."""
    if not isinstance(live, dict) or not isinstance(copy, dict):
        return copy
    return {**live, **{key: merged(live.get(key), value) for key, value in copy.items()}}


class Writer(Worker):
    """`how` is "force" or "apply" (server-side, by its own manager), "merge" (as a client-side apply's
    patch), or "update" (a read and a PUT, as a program with types of its own does, which tries again
    at once when somebody has written in between). Every second, unless told otherwise."""

    def __init__(self, stage, kind: str, name: str, copy: dict, how: str, every: float = 1.0):
        self.api = stage.api
        self.path = f"{stage.path(kind, name)}?fieldManager={MANAGER}"
        self.copy, self.how, self.every = copy, how, every
        self.writes, self.conflicts = 0, 0
        super().__init__()

    def _work(self) -> None:
        while not self.closing.is_set():
            began = time.monotonic()
            try:
                self._write()
                self.writes += 1
            except ApiError as error:
                if error.code != 409:
                    raise
                self.conflicts += 1
                if self.how == "update":
                    continue
            self.closing.wait(max(0.0, self.every - (time.monotonic() - began)))

    def _write(self) -> None:
        if self.how == "merge":
            self.api.patch(self.path, self.copy, "merge")
        elif self.how == "update":
            self.api.request("PUT", self.path, merged(self.api.get(self.path), self.copy))
        else:
            force = "&force=true" if self.how == "force" else ""
            self.api.patch(self.path + force, self.copy, "apply")
