# SPDX-License-Identifier: Apache-2.0
"""`sluice watch`: on a pseudo-terminal with the screen compared, and piped."""

import os
import signal
import subprocess
import threading

import pytest
from apiserver import failure
from conftest import BUILD
from terminal import Terminal
from test_rollout import rollout as follower
from test_status import GATE_80, ago, at_gate, ended, rollout, watched

GATE_140 = GATE_80.replace("batchPartition is\n  1", "batchPartition is 1")
SUCCEEDED = """\
AppRollout default/shop

web: to shop-v2 from shop-v1, 5 pods

  BATCH  PODS       STATE
  1      ●     1/1  done
  2      ●●●   3/3  done
  3      ●     1/1  done

  rolloutSucceed
"""
LIVE = "\nq ends it\n"


def settings(tmp_path, **more) -> dict:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "33",
            **more}


@pytest.fixture
def watch(kubeconfig, tmp_path):
    """Begins `sluice watch` on a terminal."""
    opened = []

    def begin(*words, columns=80, rows=24, **environment) -> Terminal:
        command = [BUILD / "core" / "sluice", "watch", *words, "--kubeconfig", kubeconfig]
        opened.append(Terminal(command, columns, rows, cwd=tmp_path,
                               env=settings(tmp_path, **environment)))
        return opened[-1]
    yield begin
    for terminal in opened:
        terminal.close()


def assert_given_back(terminal: Terminal, picture: str) -> None:
    screen = terminal.screen
    assert screen.other is None and screen.cursor_shown
    assert screen.text() == picture
    assert terminal.modes() == terminal.before


@pytest.mark.parametrize("columns, picture", [(80, GATE_80), (140, GATE_140)], ids=["80", "140"])
def test_one(watch, server, columns, picture):
    """It follows what happens, and only what has changed is written."""
    server.put(at_gate())
    watching = watched(server)
    terminal = watch("shop", columns=columns)
    terminal.shows(picture + LIVE)
    assert terminal.screen.other is not None and not terminal.screen.cursor_shown
    assert watching.wait(20)
    before = terminal.written
    changed = at_gate()
    changed["status"].update(upgradedReadyReplicas=4)
    server.put(changed)
    terminal.shows(picture.replace("●●○", "●●●") + LIVE)
    assert terminal.written - before < len("  2      ●●●   3/3".encode()) + 80
    server.put(ended("rolloutSucceed"))
    terminal.shows(SUCCEEDED + LIVE)
    terminal.type("q")
    assert terminal.ended() == 0
    assert_given_back(terminal, SUCCEEDED)


ALL_80 = """\
3 rollouts in namespace default, 1 at rest

NAME  STATE           BATCH  PODS   READY  FOR  WHY
api   not seen yet                              no controller has looked at it …
shop  batchReady      2/3    ●●●○·  3/5    6m   batch 2 of 3 is ready; batchPar…
web   rolloutSucceed         ●●●●●  5/5         it is held until its template c…
"""
ALL_140 = """\
3 rollouts in namespace default, 1 at rest

NAME  STATE           BATCH  PODS   READY  FOR  WHY
api   not seen yet                              no controller has looked at it yet; is one running?
shop  batchReady      2/3    ●●●○·  3/5    6m   batch 2 of 3 is ready; batchPartition is 1, raise it to go on
web   rolloutSucceed         ●●●●●  5/5         it is held until its template changes
"""


def held() -> dict:
    return follower("t", rollingState="rolloutSucceed", upgradedReplicas=5, upgradedReadyReplicas=5,
                    reason={"code": "Held", "message": "Deployment default/web: it is held until "
                                                       "its template changes", "since": ago(400)})


@pytest.mark.parametrize("columns, picture", [(80, ALL_80), (140, ALL_140)], ids=["80", "140"])
def test_all(watch, server, columns, picture):
    for thing in (at_gate(), rollout("api"), held()):
        server.put(thing)
    terminal = watch(columns=columns)
    terminal.shows(picture + LIVE)
    terminal.type("q")
    assert terminal.ended() == 0
    assert_given_back(terminal, picture)


def test_they_come_and_go(watch, server):
    terminal = watch()
    terminal.shows("no rollouts in namespace default\n" + LIVE)
    server.put(at_gate())
    terminal.shows(lambda screen: "1 rollout in namespace default" in screen.text()
                   and "\nshop  batchReady" in screen.text())
    server.delete("shop")
    terminal.shows("no rollouts in namespace default\n" + LIVE)


def test_more_than_rows(watch, server):
    """Those at rest are left out first; in a larger window all are there."""
    done = {"rollingState": "rolloutSucceed", "upgradedReplicas": 5, "upgradedReadyReplicas": 5}
    for i in range(6):
        server.put(rollout(f"done{i}", status=done))
    for name in ("shop", "till"):
        server.put({**at_gate(), "metadata": {**at_gate()["metadata"], "name": name}})
    terminal = watch(rows=10)
    terminal.shows(lambda screen: screen.text().endswith("… 4 at rest left out: there are more than "
                                                         "rows\n" + LIVE))
    shown = [line.split()[0] for line in terminal.screen.text().splitlines()[3:-3]]
    assert shown == ["done0", "done1", "shop", "till"]
    terminal.resize(80, 7)
    terminal.shows(lambda screen: screen.text().endswith("… 6 at rest and 1 other left out: there "
                                                         "are more than rows\n" + LIVE))
    terminal.resize(80, 20)
    terminal.shows(lambda screen: screen.text().endswith("ends it\n")
                   and "left out" not in screen.text() and "#" not in screen.text())
    assert [line.split()[0] for line in terminal.screen.text().splitlines()[3:-2]] == [
        *(f"done{i}" for i in range(6)), "shop", "till"]


def test_more_batches_than_rows(watch, server):
    """Those around the present one are shown, and where it stands."""
    many = at_gate()
    many["spec"]["rolloutPlan"] = {"rolloutBatches": [{"replicas": 1}] * 40}
    many["status"].update(rolloutOriginalSize=40, rolloutTargetSize=40, currentBatch=20,
                          upgradedReplicas=20, upgradedReadyReplicas=20)
    server.put(many)
    terminal = watch("shop", rows=18)
    terminal.shows("""\
AppRollout default/shop

web: to shop-v2 from shop-v1, 40 pods

  BATCH  PODS       STATE
  …                 18 more before
  19     ●     1/1  done
  20     ●     1/1  done
  21     ·     0/1  batchReady
  22     ·     0/1  to come
  23     ·     0/1  to come
  …                 17 more after

  rollingInBatches, batchReady for 6m: batch 2 of 3 is ready; batchPartition is
  1, raise it to go on
  next: sluice approve shop
""" + LIVE)


def test_resize(watch, server):
    server.put(at_gate())
    terminal = watch("shop")
    terminal.shows(GATE_80 + LIVE)
    terminal.resize(140, 30)
    terminal.shows(GATE_140 + LIVE)
    terminal.resize(20, 5)
    terminal.shows(lambda screen: screen.text().splitlines()[0] == "shop  batchReady, b…"
                   and "#" not in screen.text())
    terminal.resize(80, 24)
    terminal.shows(GATE_80 + LIVE)


@pytest.mark.parametrize("rows, picture", [
    (1, "shop  batchReady, batch 2 of 3  ●●●○·\n"),
    (3, "shop  batchReady, batch 2 of 3  ●●●○·\n"
        "batch 2 of 3 is ready; batchPartition is 1, raise it to go on\n"),
    (4, "shop  batchReady, batch 2 of 3  ●●●○·\n"
        "batch 2 of 3 is ready; batchPartition is 1, raise it to go on\n" + LIVE)])
def test_a_window_smaller_than_the_page(watch, server, rows, picture):
    """What matters most is there, news change it in place, and nothing scrolls."""
    server.put(at_gate())
    watching = watched(server)
    terminal = watch("shop", rows=rows)
    terminal.shows(picture)
    assert watching.wait(20)
    changed = at_gate()
    changed["status"].update(upgradedReadyReplicas=4)
    server.put(changed)
    terminal.shows(picture.replace("●●●○", "●●●●"))
    assert terminal.screen.scrolled == 0


@pytest.mark.parametrize("words", [["shop"], []], ids=["one", "all"])
def test_smaller_and_smaller(watch, server, words):
    """Whatever the window has become, it shows its beginning, and nothing of what was there."""
    for thing in (at_gate(), rollout("api"), held()):
        server.put(thing)
    terminal = watch(*words)
    terminal.shows(lambda screen: "q ends it" in screen.text())
    for columns, rows in ((80, 9), (60, 5), (20, 4), (9, 3), (5, 2), (2, 1), (1, 1), (80, 24)):
        terminal.resize(columns, rows)
        first = ("AppRollout default/shop" if rows > 12 else "shop") if words else "3 rollouts"
        first = first if len(first) <= columns else first[:columns - 1] + "…"
        terminal.shows(lambda screen: "#" not in screen.text() and screen.text().startswith(first))
        assert terminal.screen.scrolled == 0


@pytest.mark.parametrize("environment, colours", [
    ({}, {"●": "32", "○": "33", "·": "2"}), ({"NO_COLOR": "1"}, {})])
def test_colours(watch, server, environment, colours):
    server.put(at_gate())
    terminal = watch("shop", **environment)
    terminal.shows(GATE_80 + LIVE)
    assert terminal.screen.colours() == colours


@pytest.mark.parametrize("end", [
    lambda terminal: terminal.type("\x03"),
    lambda terminal: terminal.process.send_signal(signal.SIGTERM),
    lambda terminal: terminal.process.send_signal(signal.SIGHUP),
], ids=["^C", "TERM", "HUP"])
def test_the_terminal_is_given_back(watch, server, end):
    server.put(at_gate())
    terminal = watch("shop")
    terminal.shows(GATE_80 + LIVE)
    assert terminal.modes() != terminal.before
    end(terminal)
    assert terminal.ended() == 0
    assert_given_back(terminal, GATE_80)


def test_stopped_and_continued(watch, server):
    """In between the terminal is the shell's."""
    server.put(at_gate())
    terminal = watch("shop")
    terminal.shows(GATE_80 + LIVE)
    terminal.type("\x1a")
    terminal.stopped()
    assert_given_back(terminal, "\n")
    terminal.process.send_signal(signal.SIGCONT)
    terminal.shows(GATE_80 + LIVE)
    assert terminal.screen.other is not None and not terminal.screen.cursor_shown
    terminal.type("q")
    assert terminal.ended() == 0
    assert_given_back(terminal, GATE_80)


def test_the_one_is_deleted(watch, server):
    server.put(at_gate())
    watching = watched(server)
    terminal = watch("shop")
    terminal.shows(GATE_80 + LIVE)
    assert watching.wait(20)
    server.delete("shop")
    assert terminal.ended() == 4
    assert_given_back(terminal, GATE_80 + "AppRollout shop was deleted\n")


def test_no_such_rollout(watch, server):
    """Nothing is taken of the terminal for that."""
    server.put(at_gate())
    terminal = watch("shp")
    assert terminal.ended() == 1
    assert_given_back(terminal, 'sluice watch: there is no rollout "shp" in namespace default; did '
                                'you mean "shop\n"?\n')


def test_no_news(watch, server):
    """What is shown may be old then, and it says so until news come again."""
    server.put(at_gate())
    away, get = threading.Event(), server.get
    away.set()

    def answer(handler):
        if away.is_set() and "fieldSelector" in handler.path:
            server.answer(handler, *failure(500, "InternalError", "etcd is away"))
        else:
            get(handler)
    server.get = answer
    terminal = watch("shop", columns=200)
    terminal.shows(lambda screen: "\nno news at the moment: GET /apis/" in screen.text()
                   and "etcd is away\nq ends it\n" in screen.text())
    away.clear()
    terminal.shows(GATE_140 + LIVE)


def test_no_right_to_watch(watch, server):
    server.put(at_gate())
    server.denied.add("list")
    terminal = watch("shop", columns=400)
    assert terminal.ended() == 1
    assert_given_back(terminal, terminal.screen.text())
    picture, _, words = terminal.screen.text().partition("sluice watch: GET ")
    assert picture == GATE_140 and 'User "jo" cannot list resource "approllouts"' in words


@pytest.fixture
def piped(kubeconfig, tmp_path):
    """Begins `sluice watch` with its output in a pipe."""
    begun = []

    def begin(*words) -> subprocess.Popen:
        begun.append(subprocess.Popen(
            [BUILD / "core" / "sluice", "watch", *words, "--kubeconfig", kubeconfig], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
            env=settings(tmp_path)))
        return begun[-1]
    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_lines_of_one(piped, server):
    server.put(at_gate())
    watching = watched(server)
    process = piped("shop")
    assert process.stdout.readline() == "batchReady, batch 2 of 3  ●●●○·\n"
    assert watching.wait(20)
    server.put(at_gate())  # nothing that a line tells
    server.put(ended("rolloutSucceed"))
    assert process.stdout.readline() == "rolloutSucceed\n"
    server.delete("shop")
    assert process.communicate(timeout=20) == ("AppRollout shop was deleted\n", "")
    assert process.returncode == 4


def test_lines_of_all(piped, server):
    server.put(at_gate())
    server.put(held())
    process = piped("-A")
    assert process.stdout.readline() == "default/shop  batchReady, batch 2 of 3  ●●●○·\n"
    assert process.stdout.readline() == "default/web  rolloutSucceed\n"
    server.put(rollout("api"))
    assert process.stdout.readline() == "default/api  not seen yet\n"
    server.delete("shop")
    assert process.stdout.readline() == "default/shop  was deleted\n"


def test_lines_of_the_kind_that_may_be_listed(piped, server):
    server.put(at_gate())
    server.put(held())
    server.denied.add("list AppRollout")
    process = piped("-A")
    assert process.stdout.readline() == "default/web  rolloutSucceed\n"
    for state in ("rolloutFailed", "rolloutSucceed", "rolloutFailed"):
        server.put(follower("t", rollingState=state))
        assert process.stdout.readline() == f"default/web  {state}\n"
    assert process.stderr.readline().startswith("AppRollouts are left out: GET ")


def test_lines_of_none_yet(piped, server):
    process = piped()
    assert process.stderr.readline() == "there are no rollouts in namespace default\n"
    server.put(at_gate())
    assert process.stdout.readline() == "shop  batchReady, batch 2 of 3  ●●●○·\n"


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_dumb_terminal_gets_lines(watch, server, kind):
    server.put(at_gate())
    terminal = watch("shop", TERM=kind)
    terminal.shows("batchReady, batch 2 of 3  ●●●○·\n")
    terminal.type("\x03")
    assert terminal.ended() == -signal.SIGINT


def test_called_wrongly(sluice):
    ran = sluice("watch", "shop", "-A")
    assert ran.status == 2 and "a name and --all-namespaces exclude each other" in ran.err
