# SPDX-License-Identifier: Apache-2.0
"""`sluice states`: the same machine as docs/states.md, which is held against states.def."""

import re

from conftest import ROOT

PAGE = (ROOT / "docs" / "states.md").read_text()
DIAGRAMS = re.findall(r"```mermaid\n(.*?)```", PAGE, re.S)


def moves(diagram: str) -> set:
    """(from, to, events) of a Mermaid diagram."""
    return set(re.findall(r"^ +(\w+) --> (\w+) : (.*)$", diagram, re.M))


def test_mermaid_is_what_the_page_shows(sluice):
    assert sluice("states", "-o", "mermaid").out == DIAGRAMS[0]
    assert sluice("states", "rollout", "-o", "mermaid").out == DIAGRAMS[0]
    assert sluice("states", "batch", "-o", "mermaid").out == DIAGRAMS[1]


def test_dot_has_the_same_arrows(sluice):
    for level, diagram, frame in (("rollout", DIAGRAMS[0], '"any state"'),
                                  ("batch", DIAGRAMS[1], '"rollingInBatches"')):
        drawn = sluice("states", level, "-o", "dot").out
        found = {(start if start != frame else "any", end, label) for start, end, label in
                 re.findall(r'^    (\w+|".*?") -> (\w+) \[label="(.*)"\];$', drawn, re.M)}
        assert found == moves(diagram) and drawn.count("{") == drawn.count("}") == 1


def test_text_has_every_state_and_every_way_out_of_it(sluice):
    shown = sluice("states").out
    assert shown == sluice("states", "rollout").out + "\n" + sluice("states", "batch").out
    for start, end, events in moves(DIAGRAMS[0]) | moves(DIAGRAMS[1]):
        for event in re.split(", ", events.partition(" / ")[0] if ", " not in events else events):
            assert re.search(rf"^  {event.split(' / ')[0]} +{end} +\w", shown, re.M), (start, event)


def test_text_is_as_wide_as_the_terminal(sluice):
    narrow = sluice("states", "batch", COLUMNS="80").out
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.split() == sluice("states", "batch").out.split()
    assert narrow.startswith(
        "A batch, inside rollingInBatches\n"
        "\n"
        "STATE, ON          TO                 WHAT IT DOES, WHEN\n"
        "batchInitializing                     calls the pre-batch-rollout hooks, while\n"
        "                                      the pods of the batches before are ready\n"
        "  opened           batchInRolling     the pods of the batches before are ready,\n"
        "                                      and the pre-batch-rollout hooks let it\n"
        "                                      pass\n"
        "  rejected         batchVerifyFailed  a hook has said no\n")


def test_bad_input(sluice):
    ran = sluice("states", "bath")
    assert (ran.status, ran.out) == (2, "")
    assert 'expected [rollout|batch], found "bath"; did you mean "batch"?' in ran.err
