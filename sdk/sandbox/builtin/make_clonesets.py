#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes clonesets.json: the definition of CloneSets that a release of OpenKruise carries, without
its words.

usage: make_clonesets.py OPENKRUISE >clonesets.json

OPENKRUISE is the source of the release (as a Go module, say).
"""

import json
import sys
from pathlib import Path

import yaml

from make import without_words

FILE = "config/crd/bases/apps.kruise.io_clonesets.yaml"


def main():
    definition = yaml.safe_load(Path(sys.argv[1], FILE).read_text())
    del definition["metadata"]["annotations"]
    json.dump(without_words(definition), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
