#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a C string of files: embed.py FILE... NAME HEADER >FILE.c. Several become the documents of one
text of YAML."""

import sys
from pathlib import Path

STEP = 96


def constant(byte: int) -> str:
    """One that is a char, whether that has a sign or not."""
    return str(byte) if byte < 128 else f"'\\{byte:o}'"


def main():
    *files, name, header = sys.argv[1:]
    text = b"\n---\n".join(Path(file).read_bytes() for file in files)
    print(f'#include "{header}"\n\nconst char {name}[] = {{')
    for start in range(0, len(text), STEP):
        print("    " + ",".join(map(constant, text[start:start + STEP])) + ",")
    print("    0};")


if __name__ == "__main__":
    main()
