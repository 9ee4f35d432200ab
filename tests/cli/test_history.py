# SPDX-License-Identifier: Apache-2.0
"""`sluice history`, and what `sluice explain` tells programs."""

import copy
import json
import re

import pytest
from test_rollout import held
from test_status import ago, ask, at_gate, rollout  # noqa: F401

ROLLS = [
    {"source": "shop-v1", "target": "shop-v2", "began": "2026-01-31T12:00:00.000000Z",
     "ended": "2026-01-31T12:03:10.000000Z", "verdict": "Succeeded", "message": "all 5 pods are there",
     "size": 5, "upgraded": 5, "batches": 3, "batchesDone": 3, "batchSeconds": [12, 61, 30],
     "asked": [{"verb": "approve", "by": "jo", "at": "2026-01-31T12:01:00Z"},
               {"verb": "promote", "by": "jo", "at": "2026-01-31T12:02:00Z"}]},
    {"source": "shop-v2", "target": "shop-v3", "began": "2026-02-01T09:00:00.000000Z",
     "ended": "2026-02-01T10:05:00.000000Z", "verdict": "Aborted", "size": 5, "upgraded": 3,
     "message": "ann has aborted it in batch 2; the workload stays where it is", "batches": 3,
     "batchesDone": 1, "batchSeconds": [7],
     "asked": [{"verb": "pause", "by": "jo", "at": "2026-02-01T09:30:00Z"},
               {"verb": "abort", "by": "ann", "at": "2026-02-01T10:05:00Z"}]},
    {"source": "shop-v2", "target": "shop-v4", "ended": "2026-02-02T09:00:00.000000Z",
     "verdict": "Refused", "message": "spec.rolloutPlan: no", "batches": 2},
]


def with_rolls(rolls) -> dict:
    made = at_gate()
    made["status"]["history"] = rolls
    return made


def lately() -> list:
    """The same some days ago, and one under way."""
    days = 86400
    rolls = copy.deepcopy(ROLLS)
    rolls[0].update(began=ago(9 * days), ended=ago(9 * days - 190))
    rolls[1].update(began=ago(8 * days), ended=ago(8 * days - 3900))
    rolls[2].update(ended=ago(7 * days))
    return rolls + [{"source": "shop-v1", "target": "shop-v2", "began": ago(7300), "batches": 3,
                     "batchesDone": 2, "batchSeconds": [3, 4]}]


def test_a_page(ask, server):  # noqa: F811
    server.put(with_rolls(lately()))
    assert ask("history", "shop", COLUMNS="80").out == """\
AppRollout default/shop, web

AGO  TOOK   TO       BATCHES  PODS  VERDICT    BY       WHY
9d   3m10s  shop-v2  3/3      5/5   Succeeded  jo
8d   1h05m  shop-v3  1/3      3/5   Aborted    jo, ann  ann has aborted it in b…
7d          shop-v4  0/2            Refused             spec.rolloutPlan: no
2h   2h01m  shop-v2  2/3            under way
"""


def test_wide(ask, server):  # noqa: F811
    server.put(with_rolls(ROLLS))
    heads, *rows = ask("history", "shop", "-o", "wide").out.splitlines()[2:]
    assert heads.split() == ["BEGAN", "ENDED", "TOOK", "FROM", "TO", "BATCHES", "BATCHES", "TOOK",
                             "PODS", "VERDICT", "ASKED", "WHY"]
    assert re.split("  +", rows[1]) == [
        "2026-02-01T09:00:00Z", "2026-02-01T10:05:00Z", "1h05m", "shop-v2", "shop-v3", "1/3", "7s",
        "3/5", "Aborted", "pause by jo, abort by ann",
        "ann has aborted it in batch 2; the workload stays where it is"]
    assert "12s 1m01s 30s" in rows[0]


def test_for_programs(ask, server):  # noqa: F811
    server.put(with_rolls(ROLLS))
    told = json.loads(ask("history", "shop", "-o", "json").out)
    assert (told["kind"], told["namespace"], told["name"]) == ("AppRollout", "default", "shop")
    part, = told["components"]
    assert part == {"component": "web", "history": server.objects["shop"]["status"]["history"]}
    assert "\n    verdict: Aborted\n" in ask("history", "shop", "-o", "yaml").out
    assert ask("history", "shop", "-o", "name").status == 2


def test_several_components(ask, server):  # noqa: F811
    several = rollout(status={"rollingState": "rolloutSucceed", "components": [
        {"name": "web", "rollingState": "rolloutSucceed", "history": ROLLS[:1]},
        {"name": "api", "rollingState": "rolloutSucceed"}]})
    del several["status"]["component"]
    server.put(several)
    page = ask("history", "shop").out
    assert "AppRollout default/shop, web\n\nAGO" in page
    assert page.endswith("AppRollout default/shop, api\n\nNo roll is recorded yet.\n")
    told = json.loads(ask("history", "shop", "-o", "json").out)["components"]
    assert [(part["component"], len(part["history"])) for part in told] == [("web", 1), ("api", 0)]


def test_of_a_rollout(ask, server):  # noqa: F811
    server.put(held("t1"))
    assert ask("history", "web").out == "Rollout default/web, web\n\nNo roll is recorded yet.\n"


@pytest.mark.parametrize("record", ["nonsense", [7, "x", None], [{"asked": 3, "batchSeconds": {}}],
                                    [{"began": 5, "ended": "noon", "size": "many"}]])
def test_whoever_wrote_it(ask, server, record):  # noqa: F811
    """What can't be understood is left out."""
    server.put(with_rolls(record))
    ran = ask("history", "shop", "-o", "wide")
    assert (ran.status, ran.err) == (0, "") and ran.out.startswith("AppRollout default/shop, web\n")


# ── explain ──

def test_explain_for_programs(ask, server):  # noqa: F811
    server.put(at_gate())
    told = json.loads(ask("explain", "shop", "-o", "json").out)
    part, = told["components"]
    assert part["reason"].pop("since").endswith("Z") and part.pop("since").endswith("Z")
    assert part.pop("moves") == [{"to": "batchInitializing", "event": "approved",
                                  "when": "the partition allows the next batch"}]
    assert part == {
        "component": "web", "state": "batchReady", "advice": "sluice approve shop",
        "reason": {"code": "PartitionReached", "field": "spec.rolloutPlan.batchPartition",
                   "message": "batch 2 of 3 is ready; batchPartition is 1, raise it to go on",
                   "expected": "at least 2", "found": "1"}}
    assert "\n  advice: sluice approve shop\n" in ask("explain", "shop", "-o", "yaml").out
    assert ask("explain", "shop", "-o", "wide").status == 2


def test_explain_for_programs_what_nobody_has_seen(ask, server):  # noqa: F811
    server.put(rollout())
    told = json.loads(ask("explain", "shop", "-o", "json").out)
    assert told["components"] == [{"message": "no controller has looked at it yet; is one running?"}]
