#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Was every binary built so that a mistake in it is hard to use? Reads them with readelf.

usage: check_hardening.py [--fortified] [--commands FILE --flag=FLAG...] BINARY...

What leaves no trace in a binary (Debian's own start-up code has no note of -fcf-protection, so the
linker drops it) is looked for in the commands that compiled it.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

CHECKED = re.compile(r"__\w+_chk@")  # what the C library checks the bounds of


def readelf(*arguments):
    done = subprocess.run(["readelf", "-W", *map(str, arguments)], capture_output=True, text=True,
                          check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    return done.stdout


def missing(file, fortified):
    """What the binary lacks, in words."""
    header, segments = readelf("-h", file), readelf("-l", file)
    dynamic, symbols = readelf("-d", file), readelf("--dyn-syms", file)
    flags = " ".join(re.findall(r"\(FLAGS(?:_1)?\)\s+(.*)", dynamic))
    stack = re.search(r"GNU_STACK.*", segments)
    return [words for holds, words in (
        (re.search(r"Type:\s+DYN", header), "position-independent code"),
        (file.suffix == ".so" or "PIE" in flags, "PIE: a program that is loaded anywhere"),
        ("GNU_RELRO" in segments, "RELRO: relocations that are read-only afterwards"),
        ("BIND_NOW" in flags or " NOW" in flags, "BIND_NOW, without which RELRO is only partial"),
        (stack and "RWE" not in stack[0], "a stack that isn't executable"),
        (not re.search(r"LOAD.*RWE", segments), "memory that is writable or executable, not both"),
        ("TEXTREL" not in dynamic, "code without relocations"),
        (not re.search(r"\((RPATH|RUNPATH)\)", dynamic), "libraries from the system's places only"),
        ("__stack_chk_fail" in symbols, "the stack protector"),
        (not fortified or CHECKED.search(symbols), "FORTIFY: calls of the C library with bounds"),
    ) if not holds]


def compiled_without(commands, flag):
    """Files of ours that were compiled without a flag."""
    return [it["file"] for it in json.loads(Path(commands).read_text(encoding="utf-8"))
            if re.match(r"(\.\./)*(core|sdk|plugins)/", it["file"]) and flag not in it["command"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fortified", action="store_true")
    parser.add_argument("--flag", action="append", default=[])
    parser.add_argument("--commands")
    parser.add_argument("binary", nargs="+", type=Path)
    given = parser.parse_args()
    found = [f"{file}: lacks {words}" for file in given.binary
             for words in missing(file, given.fortified)]
    found += [f"{file}: compiled without {flag}" for flag in given.flag
              for file in compiled_without(given.commands, flag)]
    print("\n".join(found) or f"{len(given.binary)} binaries: all that was looked for is there")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
