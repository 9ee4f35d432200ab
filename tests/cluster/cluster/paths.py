# SPDX-License-Identifier: Apache-2.0
"""Where things live: the sources beside this package, what is built, and running clusters."""

import os
from pathlib import Path


def _cache() -> Path:
    if "SLUICE_CACHE" in os.environ:
        return Path(os.environ["SLUICE_CACHE"]).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "sluice"


CACHE = _cache()
BUILT = CACHE / "cluster"
CLUSTERS = CACHE / "clusters"
HERE = Path(__file__).resolve().parent.parent
SOURCES = HERE / "go"
