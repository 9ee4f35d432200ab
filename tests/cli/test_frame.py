# SPDX-License-Identifier: Apache-2.0
"""What all verbs share: help, options, errors and exit statuses."""

import json

import pytest


def verbs(sluice) -> list:
    listed = sluice("help").out.partition("\n\n")[2].partition("\n\n")[2].partition("\n\n")[0]
    return [line.split()[0] for line in listed.splitlines() if not line.startswith("    ")]


def test_help_is_the_same_however_it_is_asked_for(sluice):
    asked = [sluice(*words) for words in (["help"], ["--help"], ["-h"])]
    assert {(ran.status, ran.err) for ran in asked} == {(0, "")}
    assert len({ran.out for ran in asked}) == 1
    assert asked[0].out.startswith("usage: sluice VERB [OPTION…]\n")
    bare = sluice()
    assert (bare.status, bare.out, bare.err) == (2, "", asked[0].out)


def test_every_verb_tells_what_it_takes(sluice):
    names = verbs(sluice)
    assert {"controller", "adapters", "role", "help", "version"} <= set(names)
    for name in names:
        for words in ([name, "--help"], [name, "-h"], ["help", name]):
            ran = sluice(*words)
            assert (ran.status, ran.err) == (0, ""), words
            assert ran.out.startswith(f"usage: sluice {name} [OPTION…]")
            assert "  -h, --help             this text\n" in ran.out
        assert all(len(line) <= 80 for line in ran.out.splitlines()), ran.out


@pytest.mark.parametrize("words, error", [
    (["verson"], 'sluice: unknown verb "verson"; did you mean "version"?\n'
                 "`sluice help` tells all verbs.\n"),
    (["help", "xyz"], 'sluice: unknown verb "xyz"\n`sluice help` tells all verbs.\n'),
    (["role", "--confg", "x"], 'sluice role: unknown option --confg; did you mean "config"?\n'
                               "`sluice role --help` tells how it is called.\n"),
    (["role", "-z"], "sluice role: unknown option -z\n"
                     "`sluice role --help` tells how it is called.\n"),
    (["role", "--config"], "sluice role: --config needs a value\n"
                           "`sluice role --help` tells how it is called.\n"),
    (["role", "cloneset"], 'sluice role: unexpected "cloneset"\n'
                           "`sluice role --help` tells how it is called.\n"),
    (["version", "-o", "jsn"],
     'sluice version: --output: expected json or yaml, found "jsn"; did you mean "json"?\n'
     "`sluice version --help` tells how it is called.\n"),
])
def test_called_wrongly(sluice, words, error):
    ran = sluice(*words)
    assert (ran.status, ran.out, ran.err) == (2, "", error)


def test_version(sluice):
    said = sluice("version").out
    assert said.startswith("sluice ") and sluice("--version").out == said
    version = said.split()[1]
    assert json.loads(sluice("version", "-o", "json").out)["version"] == version
    assert f"version: '{version}'\n" in sluice("version", "-o", "yaml").out
