# SPDX-License-Identifier: Apache-2.0
"""Someone else's machine, once for all tests of the SDK."""

import pytest
from stranger import Stranger


@pytest.fixture(scope="session")
def stranger(tmp_path_factory):
    return Stranger(tmp_path_factory.mktemp("stranger") / "root")
