# SPDX-License-Identifier: Apache-2.0
"""The command line of `run`."""

import argparse
import shlex
import signal
import sys
from pathlib import Path

from cluster import ClusterError

from . import adapters, controllers, idle, peers, scale, seed, show


def options(arguments: list) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run", description="Measures Sluice on real control planes. Needs root.")
    parser.add_argument("part", choices=["adapters", "idle", "peers", "scale", "seed", "all"], nargs="?", default="all")
    parser.add_argument("--build", type=Path, metavar="FOLDER",
                        help="a build of Sluice (default: a release build is made, once)")
    parser.add_argument("--count", type=int, default=1000,
                        help="adapters, idle, peers: rollouts (1000); adapters: 0 for calls only")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2500, 5000, 10000],
                        help="scale: how many workloads (2500 5000 10000)")
    parser.add_argument("--calls", type=int, default=20000, help="adapters: calls (20000)")
    parser.add_argument("--pods", type=int, default=1, help="idle: pods of each (1)")
    parser.add_argument("--seconds", type=int, default=60,
                        help="idle, peers: how long to watch it at rest (60)")
    parser.add_argument("--rolls", type=int, default=3, help="seed: rolls to measure (3)")
    parser.add_argument("--no-peer", action="store_true", help="seed, peers: Sluice alone")
    return parser.parse_args(arguments)


def measure(given: argparse.Namespace) -> None:
    build = controllers.sluice_built(given.build)
    reports = []
    if given.part in ("seed", "all"):
        show.title("The seed, v1 to v2")
        found = seed.run(build, given.rolls, not given.no_peer)
        reports.append(lambda: seed.report(found))
    if given.part in ("idle", "all"):
        asked = idle.Options(given.count, given.pods, given.seconds)
        show.title(f"{asked.count} rollouts of {asked.pods} pods")
        result = idle.run(build, asked)
        reports.append(lambda: idle.report(asked, result))
    if given.part in ("peers", "all"):
        rolled = peers.run(build, given.count, given.seconds, given.no_peer)
        reports.append(lambda: peers.report(given.count, rolled))
    if given.part in ("scale", "all"):
        sizes = scale.run(build, given.sizes)
        reports.append(lambda: scale.report(sizes))
    if given.part in ("adapters", "all"):
        compared = adapters.Options(given.count, given.calls)
        show.title("Adapters in process and isolated")
        costs = adapters.run(build, compared)
        reports.append(lambda: adapters.report(compared, costs))
    show.title("─" * 70 + f"\ntests/bench/run {shlex.join(sys.argv[1:])}\n{show.machine()}")
    for report in reports:
        report()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    try:
        measure(options(sys.argv[1:]))
    except ClusterError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")
