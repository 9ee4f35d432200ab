# SPDX-License-Identifier: Apache-2.0
"""Objects by the thousand, in and out, over connections that are kept."""

import http.client
import json
import time
from typing import Iterator

from cluster import ClusterError
from cluster.api import PATCHES, ApiError

SILENCE = 120


class Wire:
    """One connection to a cluster's API server. Not for several threads."""

    def __init__(self, cluster):
        self.connection = cluster.api.connect(SILENCE)
        self.headers = {**cluster.api.headers, "User-Agent": "bench"}

    def send(self, method: str, path: str, body: dict, kind: str = "") -> dict:
        content = PATCHES.get(kind, "application/json")
        self.connection.request(method, path, json.dumps(body),
                                {**self.headers, "Content-Type": content})
        answer = self.connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            raise ApiError(answer.status, text)
        return json.loads(text)

    def watch(self, path: str) -> Iterator[tuple]:
        """What is there now, as if it had just been added, and then every change: its type and the
        object. The server hangs up on whoever reads too slowly: then all of it begins anew, so that
        the end of a watch is never taken for the end of the work. ClusterError after two minutes
        without any change."""
        try:
            while True:
                yield from self._events(path)
                self.connection.close()
                time.sleep(0.2)
        except TimeoutError as error:
            raise ClusterError(f"{path}: nothing has changed for {SILENCE} s") from error

    def _events(self, path: str) -> Iterator[tuple]:
        """Until the server ends it, whether or not it says so first."""
        try:
            for line in self._stream(f"{path}?watch=true"):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event["type"], event["object"]
        except (http.client.IncompleteRead, ConnectionResetError):
            return

    def _stream(self, path: str) -> http.client.HTTPResponse:
        """A kind that has just been defined is answered with 429 for a moment."""
        while True:
            self.connection.request("GET", path, headers=self.headers)
            answer = self.connection.getresponse()
            if answer.status == 200:
                return answer
            text = answer.read().decode()
            if answer.status != 429:
                raise ApiError(answer.status, text)
            time.sleep(0.2)

    def close(self) -> None:
        self.connection.close()
