# SPDX-License-Identifier: Apache-2.0
"""Images of one static program each, made here and pushed to a cluster's own registry.

No Docker is needed for that: an image is a tar file and two JSON documents, and a registry takes
them by HTTP. The nodes ask this registry whatever host an image's name has, and no other.
"""

import hashlib
import http.client
import io
import json
import platform
import tarfile
from pathlib import Path
from urllib.parse import urlsplit

from . import tools
from .errors import ClusterError

PAUSE = "sluice/pause:1"
PODINFO = "stefanprodan/podinfo"

# What podinfo's tags do; main.go explains the variables. All else about them is the same.
PODINFO_TAGS = {
    "4.0.6": {},
    "5.0.2": {},
    "5.0.3": {},
    "6.0.0": {},
    "broken": {"PODINFO_EXIT": "1"},
    "slow": {"PODINFO_READY_AFTER": "5"},
    "unready": {"PODINFO_READY_AFTER": "never"},
}

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Registry:
    """The registry that listens on a port of this machine."""

    def __init__(self, port: int):
        self.port = port

    def answers(self) -> bool:
        return self._request("GET", "/v2/")[0] == 200

    def push_all(self) -> None:
        self.push(PAUSE, "pause", {})
        for tag, environment in PODINFO_TAGS.items():
            self.push(f"{PODINFO}:{tag}", "podinfo", {"PODINFO_VERSION": tag, **environment})

    def push(self, image: str, program: str, environment: dict) -> None:
        """Makes NAME:TAG of a built tool. Other variables make another image ID of it."""
        name, _, tag = image.partition(":")
        layer = _layer(program)
        config = json.dumps({
            "os": "linux",
            "architecture": MACHINES.get(platform.machine(), platform.machine()),
            "config": {"WorkingDir": "/home/app", "Entrypoint": [f"./{program}"],
                       "Env": [f"{key}={value}" for key, value in environment.items()]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }).encode()
        manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self._push_blob(name, CONFIG, config),
            "layers": [self._push_blob(name, LAYER, layer)],
        })
        self._expect(201, "PUT", f"/v2/{name}/manifests/{tag}", manifest.encode(),
                     {"Content-Type": MANIFEST})

    def push_archive(self, image: str, archive: Path) -> None:
        """An image that is in an archive, with blobs and an index as the OCI says, as NAME:TAG."""
        name, _, tag = image.partition(":")
        with tarfile.open(archive) as files:
            def blob(described: dict) -> bytes:
                return files.extractfile(f"blobs/{described['digest'].replace(':', '/')}").read()

            (top,) = json.load(files.extractfile("index.json"))["manifests"]
            manifest = json.loads(blob(top))
            for part in (manifest["config"], *manifest["layers"]):
                self._push_blob(name, part["mediaType"], blob(part))
            self._expect(201, "PUT", f"/v2/{name}/manifests/{tag}", blob(top),
                         {"Content-Type": MANIFEST})

    def _push_blob(self, name: str, kind: str, content: bytes) -> dict:
        digest = _digest(content)
        if self._request("HEAD", f"/v2/{name}/blobs/{digest}")[0] != 200:
            headers = self._expect(202, "POST", f"/v2/{name}/blobs/uploads/")
            place = urlsplit(headers["Location"])
            self._expect(201, "PUT", f"{place.path}?{place.query}&digest={digest}", content,
                         {"Content-Type": "application/octet-stream"})
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def _expect(self, wanted: int, method: str, path: str, body: bytes = b"", headers=None):
        status, answer, text = self._request(method, path, body, headers)
        if status != wanted:
            raise ClusterError(f"registry: {method} {path} answered {status}: {text}")
        return answer

    def _request(self, method: str, path: str, body: bytes = b"", headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode(errors="replace")
        finally:
            connection.close()


def _layer(program: str) -> bytes:
    """The same bytes every time, so that tags share their layer."""
    content = tools.path(program).read_bytes()
    entry = tarfile.TarInfo(f"home/app/{program}")
    entry.size, entry.mode = len(content), 0o755
    result = io.BytesIO()
    with tarfile.open(fileobj=result, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(content))
    return result.getvalue()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
