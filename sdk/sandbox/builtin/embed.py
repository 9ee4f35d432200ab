#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a C string of a file: embed.py FILE NAME >FILE.c"""

import sys
from pathlib import Path

STEP = 96


def main():
    text = Path(sys.argv[1]).read_bytes()
    print(f'#include "builtin.h"\n\nconst char {sys.argv[2]}[] = {{')
    for start in range(0, len(text), STEP):
        print("    " + ",".join(map(str, text[start:start + STEP])) + ",")
    print("    0};")


if __name__ == "__main__":
    main()
