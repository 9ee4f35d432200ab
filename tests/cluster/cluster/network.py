# SPDX-License-Identifier: Apache-2.0
"""What a cluster takes of the machine's network: ports on loopback, and a wire to its pods.

Both follow from the cluster's number. Ports lie below those that the kernel hands out by itself.
The wire is a pair of virtual interfaces: one end is the machine's, all pods share the other by
macvlan. So they reach each other and this machine, and nothing else. A bridge would do as well but
for Docker, which makes the machine's firewall drop what is bridged.
"""

import json
import socket
import subprocess

from .errors import ClusterError

PORTS = ("etcd", "etcd-peer", "apiserver", "kubelet", "kubelet-health", "registry",
         "kruise-webhook", "kruise-health", "kwok")
FIRST_PORT = 20000
PORTS_EACH = 20
NUMBERS = range(250)


def ports(number: int) -> dict:
    first = FIRST_PORT + PORTS_EACH * number
    return {name: first + index for index, name in enumerate(PORTS)}


def machine_end(number: int) -> str:
    return f"sluice{number}"


def pods_end(number: int) -> str:
    return f"sluice{number}-pods"


def subnet(number: int) -> str:
    return f"10.213.{number}.0/24"


def gateway(number: int) -> str:
    """The address of the machine's end: it is the node's, and how pods reach this machine."""
    return f"10.213.{number}.1"


def free_number(taken) -> int:
    """The first number of which nothing is in use; taken are those of other clusters."""
    addresses = {address["local"] for link in _ip("-json", "address") for address
                 in link["addr_info"]}
    links = {link["ifname"] for link in _ip("-json", "link")}
    for number in NUMBERS:
        used = number in taken or machine_end(number) in links or gateway(number) in addresses
        if not used and all(_is_free(port) for port in ports(number).values()):
            return number
    raise ClusterError(f"all {len(NUMBERS)} cluster numbers are taken")


def create_wire(number: int) -> None:
    near, far = machine_end(number), pods_end(number)
    _ip("link", "add", near, "type", "veth", "peer", "name", far)
    _ip("address", "add", f"{gateway(number)}/24", "dev", near)
    _ip("link", "set", near, "up")
    _ip("link", "set", far, "up")


def delete_wire(number: int) -> None:
    """The other end and the pods' interfaces go with it."""
    if any(link["ifname"] == machine_end(number) for link in _ip("-json", "link")):
        _ip("link", "delete", machine_end(number))


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
