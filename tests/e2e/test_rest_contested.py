# SPDX-License-Identifier: Apache-2.0
"""A held workload, between two rolls, whose hold somebody takes off as fast as he can."""

from harness.followed import KINDS, SIZE
from harness.writer import Writer

FREE = {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}


def test_fought_at_rest(follow):
    web = follow(KINDS["statefulset"])
    web.take(SIZE)
    pods = web.identities()
    writer = Writer(web.stage, web.kind.kind, "web", FREE, "merge", every=0)
    try:
        assert "gitops" in web.wait_reason("Contested")["message"]
    finally:
        writer.close()
    web.wait_held()
    web.assert_stay(pods)
    assert web.at("4.0.6") == SIZE
