# SPDX-License-Identifier: Apache-2.0
"""What a server answered, request by request, with all that differs by chance made alike."""

import itertools
import json
import re
import time
from pathlib import Path

PATCHES = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PATIENCE = 15

_numbers = itertools.count(1)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_AGE = re.compile(r"^(\d+[smhd])+$")
_AGES = re.compile(r"\b\d+s\b *")
_REVISION = re.compile(r"(resourceVersion|continue)=[^&]+")
_PATCHED = re.compile(r'patch: Invalid value: ".*": ', re.DOTALL)


class Names:
    """Gives values that differ from run to run names in the order in which they are seen."""

    def __init__(self, word: str):
        self.word = word
        self.known = {}

    def of(self, value: str) -> str:
        return self.known.setdefault(value, f"<{self.word} {len(self.known) + 1}>")


class Transcript:
    def __init__(self, server, expected: Path):
        self.server = server
        self.expected = expected
        self.namespace = f"api-{int(time.time())}-{next(_numbers)}"
        self.steps = []
        self.tells_managers = False
        self._uids, self._versions = Names("uid"), Names("version")
        self._send("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                                  "metadata": {"name": self.namespace}})

    def close(self) -> None:
        self._send("DELETE", f"/api/v1/namespaces/{self.namespace}")

    # Requests

    def path(self, resource: str, *steps: str, version: str = "v1") -> str:
        """Of a resource in the case's namespace."""
        root = "/apis/" if "/" in version else "/api/"
        return "/".join([f"{root}{version}/namespaces/{self.namespace}", resource, *steps])

    def get(self, path: str, accept: str = "application/json"):
        return self._step("GET", path, None, {"Accept": accept})

    def post(self, path: str, body):
        return self._step("POST", path, body)

    def put(self, path: str, body):
        return self._step("PUT", path, body)

    def patch(self, path: str, body, kind: str = "merge"):
        return self._step("PATCH", path, body, {"Content-Type": PATCHES.get(kind, kind)})

    def delete(self, path: str, body=None):
        return self._step("DELETE", path, body)

    def watch(self, path: str, count: int, accept: str = "application/json") -> list:
        """The first events of a watch."""
        connection, answer = self.server.request("GET", path, None, {"Accept": accept})
        events = [json.loads(answer.readline()) for _ in range(count)]
        connection.close()
        self._note("WATCH", path, answer, events)
        return events

    def watch_until(self, path: str, holds) -> dict:
        """The first object of a watch that is as wanted. Isn't part of the transcript."""
        connection, answer = self.server.request("GET", path, None, {})
        found = next(thing for thing in (json.loads(line)["object"] for line in answer)
                     if holds(thing))
        connection.close()
        return found

    def until(self, path: str, holds) -> dict:
        """Asks again until the answer is as wanted. Isn't part of the transcript."""
        end = time.monotonic() + PATIENCE
        while True:
            status, answer = self._send("GET", path)
            if holds(status, answer):
                return answer
            assert time.monotonic() < end, f"{path}: {status} {answer}"
            time.sleep(0.05)

    def say(self, about: str, what) -> None:
        """A step that a case has made of several answers."""
        self.steps.append({"do": f"look at {about}", "answer": json.loads(json.dumps(what))})

    def kubectl(self, *arguments, stdin=None) -> str:
        """Its output is a step too; times and ages are nobody's business."""
        if isinstance(stdin, (dict, list)):
            stdin = json.dumps(stdin)
        done = self.server.kubectl("-n", self.namespace, *arguments, stdin=stdin)
        self.steps.append({"do": "kubectl " + " ".join(arguments), "status": done.returncode,
                           "output": _AGES.sub("<age> ", self.words(done.stdout)),
                           "error": self.words(done.stderr)})
        return done.stdout

    def _send(self, method: str, path: str, body=None, headers: dict = None):
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        connection, answer = self.server.request(method, path, text, headers)
        read = answer.read().decode()
        connection.close()
        self.headers = answer.headers
        return answer.status, json.loads(read) if read.startswith("{") else read

    def _step(self, method: str, path: str, body, headers: dict = None):
        status, answer = self._send(method, path, body, headers)
        step = {"do": f"{method} {self.words(path)}", "status": status,
                "answer": self._alike(answer)}
        warnings = self.headers.get_all("Warning")
        if warnings:
            step["warnings"] = warnings
        self.steps.append(step)
        return answer

    def _note(self, method: str, path: str, answer, body) -> None:
        self.steps.append({"do": f"{method} {self.words(path)}", "status": answer.status,
                           "answer": self._alike(body)})

    # Making alike

    def _alike(self, value, key: str = ""):
        if isinstance(value, dict):
            return {name: self._alike(self._tidy(name, item), name)
                    for name, item in value.items() if name not in self._untold()}
        if isinstance(value, list):
            return [self._alike(item) for item in value]
        if not isinstance(value, str):
            return value
        if key == "message" and value.startswith("Invalid value: \"{"):
            return "Invalid value: <object>: " + value.rpartition("\": ")[2]
        if key in ("uid", "resourceVersion"):
            return (self._uids if key == "uid" else self._versions).of(value)
        if key == "continue" and value:
            return "<continue>"
        return "<age>" if _AGE.match(value) else self.words(value)

    def _untold(self) -> tuple:
        return ("description",) if self.tells_managers else ("description", "managedFields")

    @staticmethod
    def _tidy(name: str, item):
        """The version of a list, and of a bookmark, depends on what others do meanwhile; the order
        of managers on the second in which they wrote, and in a conflict on chance."""
        if name == "managedFields":
            return sorted(item, key=lambda each: [each.get(word, "") for word in (
                "operation", "manager", "subresource")])
        if name == "causes" and item and item[0].get("reason") == "FieldManagerConflict":
            return sorted(item, key=lambda cause: cause["message"])
        if name == "metadata" and isinstance(item, dict) and "name" not in item:
            return {key: "<any>" if key == "resourceVersion" else value
                    for key, value in item.items()}
        return item

    def words(self, text: str) -> str:
        """Text in which the chance names of a run may stand."""
        text = _TIME.sub("<time>", text.replace(self.namespace, "<namespace>"))
        text = _REVISION.sub(r"\1=<any>", text)
        text = _PATCHED.sub("patch: Invalid value: <object>: ", text)
        for value, name in self._uids.known.items():
            text = text.replace(value, name)
        return text

    # Comparing

    def record(self) -> None:
        text = json.dumps(self.steps, indent=1, sort_keys=True)
        self.expected.write_text(text + "\n")

    def compare(self) -> None:
        wanted = json.loads(self.expected.read_text())
        for number, (expected, found) in enumerate(itertools.zip_longest(wanted, self.steps), 1):
            differences = list(differ(expected, found))
            assert not differences, f"step {number}, {(found or expected)['do']}:\n" + "\n".join(
                differences)


def differ(expected, found, path: str = ""):
    """Each place where the two differ, as a line."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted({*expected, *found}):
            if name not in found:
                yield f"  {path}.{name}: expected {expected[name]!r}, found nothing"
            elif name not in expected:
                yield f"  {path}.{name}: expected nothing, found {found[name]!r}"
            else:
                yield from differ(expected[name], found[name], f"{path}.{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, (left, right) in enumerate(zip(expected, found)):
            yield from differ(left, right, f"{path}[{place}]")
    elif expected != found or isinstance(expected, bool) != isinstance(found, bool):
        yield f"  {path}: expected {expected!r}, found {found!r}"
