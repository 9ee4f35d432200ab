# SPDX-License-Identifier: Apache-2.0
"""Which lines and branches were reached."""

import json
import re
import subprocess

from running.children import ROOT, Tally
from running.suites import shown

# What asserts of the impossible isn't there to be reached.
GCOVR = ["gcovr", "--root", ".", "--object-directory", "build-coverage", "--gcov-ignore-parse-errors",
         "--exclude-branches-by-pattern", r"\s*assert\(.*", "--exclude-lines-by-pattern", r"\s*assert\(.*"]

# Nor are these, each one branch where it stands: jansson's macros ask whether there is a value at all, where
# that is known, json_is_boolean() twice; and a switch over an enumeration, which has a case for each value,
# gets a way for others, and one for the count that ends the enumeration.
OF_MACROS = re.compile(r"json_is_|json_object_foreach|^ *switch \(")
OF_COUNTS = re.compile(r"^ *case \w+_STATES:\n(?! *case)", re.M)


def covered(tally: Tally, folder: str, *options: str) -> None:
    """A table of what was reached, and one case: is it enough?"""
    shown(tally, [*GCOVR, "--filter", folder, *options])


def branches_missed(file: dict) -> list:
    """Lines of which more was never taken than macros account for."""
    source = (ROOT / file["file"]).read_text().splitlines(keepends=True)
    missed = []
    for line in file["lines"]:
        never = sum(branch["count"] == 0 for branch in line.get("branches", []))
        text = source[line["line_number"] - 1]
        allowed = len(OF_MACROS.findall(text)) + text.count("json_is_boolean")
        if "switch (" in text:
            block = "".join(source[line["line_number"]:]).split("\n    }\n")[0]
            allowed += len(OF_COUNTS.findall(block))
        if never > allowed:
            missed.append(f"{file['file']}:{line['line_number']}: {never} never taken: {text.strip()}")
    return missed


def branches_covered(tally: Tally, folder: str) -> None:
    """One case: is every branch taken?"""
    found = subprocess.run([*GCOVR, "--filter", folder, "--exclude", ".*_main.c", "--json"], cwd=ROOT,
                           check=True, stdout=subprocess.PIPE)
    files = json.loads(found.stdout)["files"]
    missed = [line for file in files for line in branches_missed(file)]
    taken = sum(branch["count"] > 0 for file in files for line in file["lines"]
                for branch in line.get("branches", []))
    print("\n".join([*missed, f"{folder}: {taken} branches taken, {len(missed)} lines with others"]))
    tally.add(not missed, [f"branches of {folder}"] if missed else [])
