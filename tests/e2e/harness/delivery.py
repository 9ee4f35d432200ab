# SPDX-License-Identifier: Apache-2.0
"""What deploy/ says, rendered as people would install it."""

import base64
import json
import os
import socket
import ssl
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import yaml

from cluster import ClusterError, network, tools, wait_for

from .objects import is_ready

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
CHART = DEPLOY / "helm" / "sluice"
NAMESPACE = "sluice-system"


def helm(*arguments: str, kubeconfig=None) -> subprocess.CompletedProcess:
    tools.build(["helm"])
    where = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    return subprocess.run([str(tools.path("helm")), *where, *arguments], capture_output=True,
                          text=True, check=False)


def render(folder: Path, values=None, name="sluice", namespace=NAMESPACE):
    """The objects of the chart, or what it says against the values."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(values or {}))
    done = helm("template", name, str(CHART), f"--namespace={namespace}", f"--values={file}",
                "--kube-version=1.34", "--include-crds")
    return objects(done.stdout) if done.returncode == 0 else done.stderr


def kustomize(folder: Path = DEPLOY) -> list:
    tools.build(["kubectl"])
    done = subprocess.run([str(tools.path("kubectl")), "kustomize", str(folder)],
                          capture_output=True, text=True, check=True)
    return objects(done.stdout)


def kustomize_with_webhook(folder: Path) -> list:
    """As somebody's own kustomization has it, in this folder."""
    deploy = os.path.relpath(DEPLOY, folder.resolve())
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(
        {"resources": [deploy], "components": [f"{deploy}/admission"]}))
    return kustomize(folder)


def objects(text: str) -> list:
    return [it for it in yaml.safe_load_all(text) if it]


def by_name(found: list) -> dict:
    """By kind and name; texts that are YAML read as such, for two ways of writing are one thing."""
    result = {}
    for thing in found:
        if thing["kind"] == "ConfigMap":
            thing = {**thing, "data": {key: yaml.safe_load(text)
                                       for key, text in thing["data"].items()}}
        result[thing["kind"], thing["metadata"]["name"]] = thing
    assert len(result) == len(found)
    return result


# The image, and controllers that run of it as Pods


def image(folder: Path, *options: str) -> Path:
    """The archive, built; SLUICE_IMAGE names one that is there already."""
    if "SLUICE_IMAGE" in os.environ:
        return Path(os.environ["SLUICE_IMAGE"])
    archive = folder / "image.tar"
    path = f"{os.environ.get('PATH', '')}:/usr/local/go/bin"
    subprocess.run([str(DEPLOY / "image" / "build"), "--output", str(archive), *options],
                   env={**os.environ, "PATH": path}, check=True, capture_output=True, text=True)
    return archive


class Doorway:
    """Pods reach this machine by one address, and the API server listens at another."""

    def __init__(self, cluster):
        self.address = network.gateway(cluster.number)
        self._server = socket.create_server((self.address, 0))
        self._target = ("127.0.0.1", cluster.ports["apiserver"])
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._target)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(source, target) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Installed:
    """A release in a namespace of the same name: two controllers for all namespaces."""

    repository = "sluice/controller"

    def __init__(self, cluster, archive: Path, folder: Path):
        self.cluster, self.folder = cluster, folder
        self.name = f"installed-{os.getpid()}"
        for tag in ("one", "two"):  # the same bytes; a Deployment goes by the name
            cluster.registry.push_archive(f"{self.repository}:{tag}", archive)
        self.doorway = Doorway(cluster)
        cluster.make_namespace(self.name)

    def helm(self, *arguments: str) -> None:
        done = helm(*arguments, f"--namespace={self.name}", kubeconfig=self.cluster.kubeconfig)
        assert done.returncode == 0, done.stderr

    def install(self, tag: str, *options: str) -> None:
        """Or another version of it in its place."""
        values = self.folder / "values.yaml"
        values.write_text(yaml.safe_dump({
            "image": {"repository": self.repository, "tag": tag},
            "extraEnv": [
                {"name": "KUBERNETES_SERVICE_HOST", "value": self.doorway.address},
                {"name": "KUBERNETES_SERVICE_PORT", "value": str(self.doorway.port)}]}))
        self.helm("upgrade", "--install", self.name, str(CHART), f"--values={values}", *options)

    def rollouts(self) -> str:
        return f"/apis/sluice.dev/v1alpha1/namespaces/{self.name}/rollouts"

    def deployment(self) -> dict:
        return self.cluster.api.get(f"/apis/apps/v1/namespaces/{self.name}/deployments/{self.name}")

    def pods(self) -> list:
        return [pod for pod in self.cluster.api.get(
            f"/api/v1/namespaces/{self.name}/pods")["items"]
                if not pod["metadata"].get("deletionTimestamp")]

    def ready(self, tag: str) -> list:
        return [pod for pod in self.pods() if is_ready(pod)
                and pod["spec"]["containers"][0]["image"] == f"{self.repository}:{tag}"]

    def is_seen(self) -> bool:
        """Its controller has made the pods of the template that it has now."""
        found = self.deployment()
        return (found["status"].get("observedGeneration") == found["metadata"]["generation"]
                and found["status"].get("updatedReplicas") == 2)

    def wait_ready(self, tag: str) -> list:
        """Both of this tag and of the present template, no other; what they say, if they don't come."""
        def reached():
            return self.is_seen() and len(self.pods()) == len(self.ready(tag)) == 2 and self.pods()

        try:
            return wait_for(f"both controllers are of {tag}", reached, 90)
        except ClusterError as error:
            with suppress(ClusterError):
                raise ClusterError(f"{error}\n{self.said()}") from error
            raise

    def trusted(self) -> str:
        """The certificates that the API server would believe."""
        found = self.cluster.api.get("/apis/admissionregistration.k8s.io/v1/"
                                     f"validatingwebhookconfigurations/{self.name}")
        bundle = found["webhooks"][0]["clientConfig"].get("caBundle", "")
        return base64.b64decode(bundle).decode()

    def ask(self, pod: dict, thing: dict):
        """What the Pod's webhook thinks of an object; None while its certificate isn't believed."""
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                  "request": {"uid": "1", "object": thing}}
        body = json.dumps(review).encode()
        head = (f"POST /admission HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n").encode()
        try:
            context = ssl.create_default_context(cadata=self.trusted())
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as Go believes
            plain = socket.create_connection((pod["status"]["podIP"], 8475), 5)
            with context.wrap_socket(
                    plain, server_hostname=f"{self.name}-admission.{self.name}.svc") as secure:
                secure.sendall(head + body)
                answer = b"".join(iter(lambda: secure.recv(65536), b""))
        except (OSError, ValueError):  # none is there yet, or not this one
            return None
        return json.loads(answer.partition(b"\r\n\r\n")[2])

    def said(self) -> str:
        kubectl = self.cluster.kubectl
        return "\n".join([kubectl("-n", self.name, "get", "pods,events"),
                          kubectl("-n", self.name, "logs", "--tail=20", "--prefix",
                                  f"deployment/{self.name}", "--all-pods")])

    def close(self) -> None:
        self.helm("uninstall", self.name, "--wait", "--timeout=60s")
        self.doorway.close()
        for found in self.cluster.api.get(self.rollouts())["items"]:  # nobody lets go of them now
            self.cluster.api.patch(f"{self.rollouts()}/{found['metadata']['name']}",
                                   {"metadata": {"finalizers": []}})
        self.cluster.api.delete(f"/api/v1/namespaces/{self.name}")
