# SPDX-License-Identifier: Apache-2.0
"""`sluice role`: the rights of the adapters that are enabled, all of them or nothing."""

import json
import subprocess

import pytest
from stranger import BUILD

HOSTILE = BUILD / "tests" / "hostile"


def role(folder, *adapters, arguments=None) -> tuple:
    """(exit status, output, errors) for a config that enables these adapters of tests/hostile."""
    config = folder / "sluice.yaml"
    entries = [{"name": name, "file": str(HOSTILE / f"{file}.so")} for name, file in adapters]
    config.write_text(json.dumps({"adapters": {"enabled": entries}}))
    done = subprocess.run([BUILD / "core" / "sluice", "role",
                           *(arguments or ["--config", config])], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def test_an_adapter_adds_its_rights_and_nothing_else(tmp_path):
    status, without, _ = role(tmp_path)
    assert status == 0 and "approllouts" in without
    status, printed, errors = role(tmp_path, ("puppet", "puppet"))
    assert (status, errors) == (0, "")
    assert printed == without + ('  # adapter puppet\n'
                                 '  - apiGroups: ["x.io"]\n'
                                 '    resources: ["xs"]\n'
                                 '    verbs: ["get", "patch"]\n')


def test_no_role_without_an_adapter_that_is_refused(tmp_path):
    """Applied, it would take rights away that the others' config still counts on."""
    status, printed, errors = role(tmp_path, ("puppet", "puppet"), ("hostile", "size"))
    assert (status, printed) == (1, "")
    assert "adapter hostile is refused: size: expected at least" in errors


@pytest.mark.parametrize("arguments, status, text", [
    (["--help"], 0, "usage: sluice role"),
    (["--colour"], 2, "unknown option --colour"),
    (["cloneset"], 2, 'unexpected "cloneset"'),
    (["--config", "/nowhere.yaml"], 1, "/nowhere.yaml"),
])
def test_usage(tmp_path, arguments, status, text):
    found, printed, errors = role(tmp_path, arguments=arguments)
    assert found == status and text in printed + errors
