# SPDX-License-Identifier: Apache-2.0
"""Who may do what: a certificate authority, certificates, tokens and kubeconfigs."""

import json
import secrets
import subprocess
from pathlib import Path

from .errors import ClusterError

MASTERS = "system:masters"
# Everyone who talks to the apiserver does so under a name of their own, so that the audit log
# tells whose write it was.
USERS = {
    "admin": ("admin", MASTERS),
    "kube-controller-manager": ("system:kube-controller-manager", ""),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kruise": ("kruise-manager", MASTERS),
    "kwok": ("kwok", MASTERS),
}


class Credentials:
    """Files in one folder. A user has NAME.kubeconfig; the admin has NAME.crt and NAME.key too."""

    def __init__(self, folder: Path, server: str):
        self.folder = folder
        self.server = server
        self.ca = folder / "ca.crt"
        self.tokens = folder / "tokens.csv"

    def create(self, node: str, address: str) -> None:
        """For a node, and for who calls the API server by this address, as pods do."""
        self.folder.mkdir(mode=0o700)
        self._certificate_authority()
        self.certificate("apiserver", "/CN=kube-apiserver",
                         "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,"
                         f"IP:127.0.0.1,IP:10.96.0.1,IP:{address}")
        self.certificate("admin", f"/O={MASTERS}/CN=admin")
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-out", "service-accounts.key")
        self._openssl("pkey", "-in", "service-accounts.key", "-pubout",
                      "-out", "service-accounts.pub")
        self._users({**USERS, "kubelet": (f"system:node:{node}", "system:nodes")})

    def certificate(self, name: str, subject: str, extension: str = "") -> None:
        """NAME.crt and NAME.key, signed by the cluster's authority, for clients and servers."""
        extensions = ["-addext", extension] if extension else []
        self._openssl("req", "-x509", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "365",
                      *self._new_key(name), "-subj", subject,
                      "-addext", "basicConstraints=critical,CA:FALSE",
                      "-addext", "extendedKeyUsage=clientAuth,serverAuth", *extensions)

    def kubeconfig(self, name: str, user: dict) -> Path:
        """Writes NAME.kubeconfig for a user given as kubeconfigs do: {"token": ...} and so on."""
        cluster = {"server": self.server, "certificate-authority": str(self.ca)}
        context = {"cluster": "cluster", "user": name, "namespace": "default"}
        content = {
            "apiVersion": "v1", "kind": "Config", "current-context": "context",
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "context", "context": context}],
        }
        path = self.path(name)
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, indent=2) + "\n")
        return path

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.kubeconfig"

    def token(self, name: str) -> str:
        content = json.loads(self.path(name).read_text())
        return content["users"][0]["user"]["token"]

    def _users(self, users) -> None:
        lines = []
        for name, (user, group) in users.items():
            token = secrets.token_hex(16)
            lines.append(f'{token},{user},{user},"{group}"' if group else f"{token},{user},{user}")
            self.kubeconfig(name, {"token": token})
        self.tokens.write_text("\n".join(lines) + "\n")

    def _certificate_authority(self) -> None:
        self._openssl("req", "-x509", "-days", "365", *self._new_key("ca"), "-subj", "/CN=cluster",
                      "-addext", "keyUsage=critical,keyCertSign,digitalSignature")

    @staticmethod
    def _new_key(name: str):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.crt"]

    def _openssl(self, *arguments: str) -> None:
        try:
            subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                           capture_output=True, text=True)
        except FileNotFoundError as error:
            raise ClusterError("openssl is missing; `deploy/packages cluster` installs it") \
                from error
        except subprocess.CalledProcessError as error:
            raise ClusterError(f"openssl {arguments[0]}: {error.stderr}") from error
