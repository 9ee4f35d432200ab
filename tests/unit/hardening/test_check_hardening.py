#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_hardening.py finds what is missing: one program a property, built without it."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = """
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char copy[40];
    strcpy(copy, argv[argc - 1]);
    return printf("%s", copy);
}
"""
GOOD = ["-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-U_FORTIFY_SOURCE",
        "-D_FORTIFY_SOURCE=2", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
WITHOUT = [
    (["-no-pie", "-fno-pie"], ["position-independent code", "PIE"]),
    (["-Wl,-z,norelro"], ["RELRO"]),
    (["-Wl,-z,lazy"], ["BIND_NOW"]),
    (["-Wl,-z,execstack"], ["a stack that isn't executable"]),
    (["-fno-stack-protector"], ["the stack protector"]),
    (["-U_FORTIFY_SOURCE"], ["FORTIFY"]),
    (["-Wl,-rpath,/tmp"], ["libraries from the system's places only"]),
]


def check(*flags):
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "a.c"), Path(folder, "a")
        source.write_text(SOURCE, encoding="ascii")
        subprocess.run(["gcc", *GOOD, *flags, "-o", program, source], check=True,
                       capture_output=True)
        done = subprocess.run([sys.executable, HERE / "check_hardening.py", "--fortified",
                               program], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()


class Found(unittest.TestCase):
    def test_good(self):
        self.assertEqual(check(), (0, ["1 binaries: all that was looked for is there"]))

    def test_without(self):
        for flags, lacks in WITHOUT:
            with self.subTest(flags=flags):
                status, lines = check(*flags)
                said = [line.split(": lacks ")[1] for line in lines]
                self.assertEqual((status, len(said)), (1, len(lacks)))
                for line, words in zip(said, lacks):
                    self.assertTrue(line.startswith(words), line)


if __name__ == "__main__":
    unittest.main()
