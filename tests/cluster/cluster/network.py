# SPDX-License-Identifier: Apache-2.0
"""What a cluster takes of the machine's network: ports on loopback, and a bridge for its pods.

Both follow from the cluster's number. Ports lie below those that the kernel hands out by itself;
the pods' bridge has no way out: pods reach each other and this machine.
"""

import json
import socket
import subprocess
import time

from .errors import ClusterError

PORTS = ("etcd", "etcd-peer", "apiserver", "kubelet", "kubelet-health", "registry",
         "kruise-webhook", "kruise-health", "kwok")
FIRST_PORT = 20000
PORTS_EACH = 20
NUMBERS = range(250)


def ports(number: int) -> dict:
    first = FIRST_PORT + PORTS_EACH * number
    return {name: first + index for index, name in enumerate(PORTS)}


def bridge(number: int) -> str:
    return f"sluice{number}"


def subnet(number: int) -> str:
    return f"10.213.{number}.0/24"


def gateway(number: int) -> str:
    """The bridge's own address: the node's, and how pods reach this machine."""
    return f"10.213.{number}.1"


def free_number(taken) -> int:
    """The first number of which nothing is in use; taken are those of other clusters."""
    addresses = {address["local"] for link in _ip("-json", "address") for address
                 in link["addr_info"]}
    links = {link["ifname"] for link in _ip("-json", "link")}
    for number in NUMBERS:
        used = number in taken or bridge(number) in links or gateway(number) in addresses
        if not used and all(_is_free(port) for port in ports(number).values()):
            return number
    raise ClusterError(f"all {len(NUMBERS)} cluster numbers are taken")


def create_bridge(number: int) -> None:
    name = bridge(number)
    _ip("link", "add", name, "type", "bridge")
    _ip("address", "add", f"{gateway(number)}/24", "dev", name)
    _ip("link", "set", name, "up")


def delete_bridge(number: int) -> None:
    """The pods' ends went with their namespaces; the kernel takes a moment for that."""
    name = bridge(number)
    if not _exists(name):
        return
    deadline = time.monotonic() + 10
    while _ip("-json", "link", "show", "master", name) and time.monotonic() < deadline:
        time.sleep(0.02)
    _ip("link", "delete", name)


def _exists(link: str) -> bool:
    return any(found["ifname"] == link for found in _ip("-json", "link"))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _ip(*arguments: str):
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise ClusterError("ip is missing; `deploy/packages cluster` installs it") from error
    except subprocess.CalledProcessError as error:
        raise ClusterError(f"ip {' '.join(arguments)}: {error.stderr.strip()}") from error
    return json.loads(done.stdout or "[]") if "-json" in arguments else None
