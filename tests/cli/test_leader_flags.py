# SPDX-License-Identifier: Apache-2.0
"""The options of leader election: refused before anything is done, with what would be right."""

import pytest

ELECT = "--leader-elect"


@pytest.mark.parametrize("arguments, words", [
    (["--leader-elect-lease-duration=20s"],
     "--leader-elect-lease-duration: expected --leader-elect beside it"),
    (["--leader-elect-resource-name=mine"],
     "--leader-elect-resource-name: expected --leader-elect beside it"),
    ([ELECT, "--leader-elect-lease-duration=soon"],
     '--leader-elect-lease-duration: expected a time such as 15s, found "soon"'),
    ([ELECT, "--leader-elect-retry-period=0s"],
     '--leader-elect-retry-period: expected a time such as 15s, found "0s"'),
    ([ELECT, "--leader-elect-lease-duration=10s"],
     "--leader-elect-renew-deadline: expected less than --leader-elect-lease-duration (10s), "
     "found 10s"),
    ([ELECT, "--leader-elect-retry-period=1m"],
     "--leader-elect-retry-period: expected less than --leader-elect-renew-deadline (10s), "
     "found 60s"),
])
def test_what_makes_no_sense_is_refused(sluice, arguments, words):
    ran = sluice("controller", *arguments)
    assert ran.status == 2 and ran.out == ""
    assert ran.err == (f"sluice controller: {words}\n"
                       "`sluice controller --help` tells how it is called.\n")
