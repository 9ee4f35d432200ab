# SPDX-License-Identifier: Apache-2.0
"""The scripts up, down, kubectl, and the rest."""

import argparse
import os
import shlex
import signal
import sys
import time

from . import tools
from .cluster import Cluster, running
from .errors import ClusterError
from .parts import PARTS

DEFAULT = os.environ.get("SLUICE_CLUSTER", "sluice")


def main(command) -> None:
    """Runs one of the functions below; what went wrong is printed, and that's that."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    try:
        sys.exit(command(sys.argv[1:]))
    except ClusterError as error:
        sys.exit(f"{error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


def up(arguments) -> None:
    parser = _parser("up", "Brings up a real Kubernetes and says how to reach it.")
    parser.add_argument("--without", choices=["kruise"], action="append", default=[],
                        help="leave this out; `kruise` installs it later")
    parser.add_argument("--no-kubelet", action="store_true", help="no node that runs real pods")
    parser.add_argument("--kwok", type=int, nargs="?", const=1, default=0, metavar="NODES",
                        help="fake nodes, for pods by the thousand (1, unless a number is given)")
    given = parser.parse_args(arguments)
    existing = _find(given.name)
    if existing and existing.is_up():
        print(f"cluster {given.name} is up already\nKUBECONFIG={existing.kubeconfig}")
        return
    if existing and existing.is_coming_up():
        raise ClusterError(f"cluster {given.name!r} is being brought up by someone else just now")
    if existing:
        existing.down()
    options = {"kruise": "kruise" not in given.without, "kubelet": not given.no_kubelet,
               "kwok": given.kwok}
    tools.build(tools.needed(options))
    _bring_up(given.name, options)


def _find(name: str):
    return next((cluster for cluster in running() if cluster.name == name), None)


def _bring_up(name: str, options: dict) -> None:
    began = time.monotonic()

    def report(part: str) -> None:
        print(f"  {part:<20}{time.monotonic() - began:5.1f} s", flush=True)

    print(f"cluster {name}", flush=True)
    cluster = Cluster.up(name, report, **options)
    print(f"up in {time.monotonic() - began:.1f} s\nKUBECONFIG={cluster.kubeconfig}")


def down(arguments) -> None:
    parser = _parser("down", "Ends a cluster and removes all of it.")
    parser.add_argument("--all", action="store_true", help="every cluster of this user")
    given = parser.parse_args(arguments)
    for cluster in running():
        if given.all or cluster.name == given.name:
            cluster.down()


def kubectl(arguments) -> None:
    name = DEFAULT
    if arguments[:1] == ["--name"] and len(arguments) > 1:
        name, arguments = arguments[1], arguments[2:]
    program = str(tools.path("kubectl"))
    os.execv(program, [program, f"--kubeconfig={Cluster(name).kubeconfig}", *arguments])


def start(arguments) -> None:
    cluster, part = _cluster_and_part("start", "Starts a part that was stopped.", arguments)
    cluster.start(part)


def stop(arguments) -> None:
    cluster, part = _cluster_and_part("stop", "Stops a part in good order.", arguments)
    cluster.stop(part)


def restart(arguments) -> None:
    cluster, part = _cluster_and_part(
        "restart", "Kills a part and starts it again, on its old port and data.", arguments)
    cluster.restart(part)


def kruise(arguments) -> None:
    given = _parser("kruise", "Installs OpenKruise in a cluster that is up.").parse_args(arguments)
    Cluster(given.name).install_kruise()


def env(arguments) -> None:
    text = 'Prints what a shell needs: eval "$(tests/cluster/env)"'
    given = _parser("env", text).parse_args(arguments)
    for name, value in Cluster(given.name).environment().items():
        print(f"export {name}={shlex.quote(value)}")


def status(arguments) -> None:
    _parser("status", "Lists the clusters and their parts.").parse_args(arguments)
    for cluster in running():
        print(f"{cluster.name}  {cluster.server}  {cluster.dir}")
        for part in cluster.parts():
            print(f"  {part:<20}{cluster.pid(part) or cluster.sandbox.exit_of(part)}")


def enter(arguments) -> None:
    parser = _parser("enter", "Runs a command (a shell) inside the cluster's namespaces.")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args(arguments)
    init = Cluster(given.name).pid("init")
    if not init:
        raise ClusterError(f"cluster {given.name!r} is not running")
    os.execvp("nsenter", ["nsenter", f"--target={init}", "--mount", "--pid", "--",
                          *(given.command or ["/bin/sh"])])


def _parser(name: str, text: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=name, description=text)
    parser.add_argument("--name", default=DEFAULT,
                        help="which cluster (default: $SLUICE_CLUSTER, else sluice)")
    return parser


def _cluster_and_part(name: str, text: str, arguments):
    parser = _parser(name, text)
    parser.add_argument("part", choices=list(PARTS))
    given = parser.parse_args(arguments)
    return Cluster(given.name), given.part
