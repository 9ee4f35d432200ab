# SPDX-License-Identifier: Apache-2.0
"""Many objects at once: written by several connections, and watched until all are as they should be."""

import time
from concurrent.futures import ThreadPoolExecutor

from . import show
from .wire import Wire

WIRES = 4


def send(cluster, what: str, things: list, write) -> None:
    """`write` is called with a connection and a thing, for each."""
    progress = show.Progress(what, len(things))
    done = []

    def some(mine: list) -> None:
        wire = Wire(cluster)
        for thing in mine:
            write(wire, thing)
            done.append(thing)
        wire.close()

    with ThreadPoolExecutor(WIRES) as pool:
        workers = [pool.submit(some, things[i::WIRES]) for i in range(WIRES)]
        while not all(worker.done() for worker in workers):
            progress.at(len(done))
            time.sleep(0.2)
        for worker in workers:
            worker.result()
    progress.at(len(done))


def collect(cluster, what: str, wanted: set, path: str, is_done) -> None:
    """Until the objects with these names, of a collection, have been so."""
    progress, missing, wire = show.Progress(what, len(wanted)), set(wanted), Wire(cluster)
    for _, thing in wire.watch(path):
        if thing["metadata"]["name"] in missing and is_done(thing):
            missing.discard(thing["metadata"]["name"])
            progress.at(len(wanted) - len(missing))
        if not missing:
            break
    wire.close()
