# SPDX-License-Identifier: Apache-2.0
"""The little of the Kubernetes API that bringing up a cluster and looking at it needs."""

import http.client
import json
import ssl
from pathlib import Path

PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class ApiError(Exception):
    """The apiserver said no: `code` is the HTTP status, `reason` the Status object's."""

    def __init__(self, code: int, body: str):
        try:
            status = json.loads(body)
        except ValueError:
            status = {}
        self.code = code
        self.reason = status.get("reason", "")
        super().__init__(f"{code} {self.reason}: {status.get('message', body[:500])}")


class Api:
    """A connection a request; safe to use from any thread. Without a certificate authority it is
    plain HTTP."""

    def __init__(self, port: int, token: str = "", ca: Path = None):
        self.port = port
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._tls = ssl.create_default_context(cafile=str(ca)) if ca else None

    def connect(self, timeout: float) -> http.client.HTTPConnection:
        """A connection of its own, for requests with `headers`."""
        if self._tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout,
                                               context=self._tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path: str):
        return self.request("GET", path)

    def create(self, path: str, thing):
        return self.request("POST", path, thing)

    def patch(self, path: str, change, kind: str = "merge"):
        return self.request("PATCH", path, change, PATCHES[kind])

    def delete(self, path: str):
        return self.request("DELETE", path)

    def exists(self, path: str) -> bool:
        try:
            self.get(path)
        except ApiError as error:
            if error.code == 404:
                return False
            raise
        return True

    def request(self, method: str, path: str, body=None, kind: str = "application/json"):
        """The answer's JSON, or its text when it isn't JSON. OSError when nobody listens."""
        connection = self.connect(30)
        headers = {**self.headers, "Content-Type": kind, "User-Agent": "cluster-tests"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        if answer.status >= 300:
            raise ApiError(answer.status, text)
        return json.loads(text) if text.startswith(("{", "[")) else text
