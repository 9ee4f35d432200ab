# SPDX-License-Identifier: Apache-2.0
"""What every verb says to bad input: a wrong file, no cluster, no rights, somebody else at the same
time. The cluster is a sandbox, behind a door that can be shut (doorman.py)."""

import json
import subprocess
import sys
from typing import NamedTuple, Optional

import pytest
from conftest import BUILD, ROOT
from doorman import Doorman
from test_frame import verbs
from test_status import at_gate, ended

sys.path.insert(0, str(ROOT / "tests" / "cluster"))

from cluster.cluster import wait_for  # noqa: E402
from cluster.in_memory import SandboxCluster  # noqa: E402

ROLLOUTS = "/apis/core.oam.dev/v1beta1/namespaces/default/approllouts"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


# ── what there is to roll ──

def gate(**plan) -> dict:
    made = at_gate()
    made["spec"]["rolloutPlan"].update(plan)
    return made


def follower() -> dict:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
            "metadata": {"name": "shop"},
            "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
                     "rolloutPlan": {"rolloutBatches": [{"replicas": 1}, {"replicas": "100%"}]}},
            "status": {"rollingState": "rolloutSucceed", "rolloutTargetSize": 5}}


class Edit(NamedTuple):
    """Somebody's, between our look and our patch, and how it is told."""
    path: str
    spec: dict
    told: str


PARTITION = Edit(f"{ROLLOUTS}/shop", {"rolloutPlan": {"batchPartition": 0}},
                 "AppRollout shop at the same time: kubectl-edit has put 0 in "
                 "spec.rolloutPlan.batchPartition, where 1 stood")
REPLICAS = Edit(f"{DEPLOYMENTS}/shop", {"replicas": 7},
                "Deployment shop at the same time: kubectl-edit has put 7 in spec.replicas, where 5 "
                "stood")
NO_CONFIG = 'cm.yaml:1:1: unknown key "apiVersion"; known keys here: adapters'
NO_ROLLOUT = ("cm.yaml: expected {}AppRollout (core.oam.dev/v1beta1) or Rollout "
              "(sluice.dev/v1alpha1), found ConfigMap (v1)\n")


class Row(NamedTuple):
    """How a verb is given what it can be given; words in capitals are filled in."""
    file: Optional[list] = None
    not_that_kind: str = ""  # what it says to a file with a ConfigMap
    cluster: Optional[list] = None
    named: bool = False  # takes the name of a rollout
    tells: bool = False  # what it can't read, and goes on
    choice: str = ""  # a slip in a word of which there are some
    thing: Optional[dict] = None  # what it can change
    other: Optional[Edit] = None


READS = Row(cluster=["NAME"], named=True)
ROWS = {
    "plan": Row(file=["FILE"], not_that_kind=NO_ROLLOUT.format(""), cluster=["PLAN", "--against"]),
    "simulate": Row(file=["FILE"], not_that_kind=NO_ROLLOUT.format("")),
    "lint": Row(file=["FILE"],
                not_that_kind=NO_ROLLOUT.format("Application (core.oam.dev/v1beta1), ")),
    "status": READS, "watch": READS, "explain": READS, "history": READS,
    "approve": READS._replace(thing=gate(), other=PARTITION),
    "promote": READS._replace(thing=gate(), other=PARTITION),
    "pause": READS._replace(thing=gate(), other=PARTITION),
    "resume": READS._replace(thing=gate(paused=True), other=PARTITION),
    "abort": READS._replace(thing=gate(), other=PARTITION),
    "retry": READS._replace(thing={**ended("rolloutFailed"), "spec": gate()["spec"]},
                            other=PARTITION),
    "rollback": READS._replace(thing=gate(), other=PARTITION),
    "restart": READS._replace(thing=follower(), other=REPLICAS),
    "controller": Row(file=["--config", "FILE"], not_that_kind=NO_CONFIG,
                      cluster=["--config", "CONFIG"]),
    "adapters": Row(file=["--config", "FILE"], not_that_kind=NO_CONFIG),
    "role": Row(file=["--config", "FILE"], not_that_kind=NO_CONFIG),
    "debug": READS._replace(file=["dump", "--config", "FILE"], not_that_kind=NO_CONFIG,
                            cluster=["dump", "NAME"], tells=True),
    "states": Row(choice="rolout"),
    "completion": Row(choice="bsh"),
    "help": Row(choice="statsu"),
    "version": Row(),
}


def having(what: str) -> list:
    return [verb for verb, row in ROWS.items() if getattr(row, what)]


FILE_VERBS, CLUSTER_VERBS = having("file"), having("cluster")
ASKING = [verb for verb in CLUSTER_VERBS if verb != "controller" and not ROWS[verb].tells]


def test_every_verb_has_its_row(sluice):
    """A row says all that the verb takes, by the verb's own word."""
    assert set(ROWS) == set(verbs(sluice))
    for verb, row in ROWS.items():
        text = sluice(verb, "--help").out
        usage = text.partition("\n")[0]
        assert ("FILE" in usage or "--config FILE" in text) == bool(row.file), verb
        assert ("--kubeconfig" in text) == bool(row.cluster), verb
        assert ("NAME" in usage and "--kubeconfig" in text) == row.named, verb
        assert ("--dry-run" in text) == bool(row.other), verb
        assert ("|" in usage or "VERB" in usage) == bool(row.choice), verb


# ── files ──

@pytest.fixture
def files(tmp_path):
    """Files of each sort; the program runs in their folder."""
    (tmp_path / "bad.yaml").write_text("a: b\n c: d\n")
    (tmp_path / "cm.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "config.yaml").write_text('serve: {listen: ""}\n')
    (tmp_path / "plan.yaml").write_text(json.dumps(
        {key: value for key, value in at_gate().items() if key != "status"}))
    return tmp_path


def filled(words: list, **values) -> list:
    return [{"PLAN": "plan.yaml", "CONFIG": "config.yaml", "NAME": "shop", **values}.get(word, word)
            for word in words]


def complaint(ran) -> str:
    """The findings of lint are its output; all else is an error."""
    assert ran.status == 1
    assert "Traceback" not in ran.err and ran.out + ran.err
    return ran.out + ran.err


@pytest.mark.parametrize("verb", FILE_VERBS)
@pytest.mark.parametrize("file, told", [
    ("nowhere.yaml", "nowhere.yaml: No such file or directory\n"),
    ("folder", "folder: expected a regular file\n"),
    ("bad.yaml", "bad.yaml:2:3: mapping values are not allowed in this context\n")])
def test_a_wrong_file(sluice, files, verb, file, told):
    assert complaint(sluice(verb, *filled(ROWS[verb].file, FILE=file))).endswith(told)


@pytest.mark.parametrize("verb", FILE_VERBS)
def test_a_file_of_another_kind(sluice, files, verb):
    said = complaint(sluice(verb, *filled(ROWS[verb].file, FILE="cm.yaml")))
    assert ROWS[verb].not_that_kind in said


@pytest.mark.parametrize("verb", CLUSTER_VERBS)
@pytest.mark.parametrize("file, told", [
    ("nowhere", "there is no kubeconfig at nowhere"),
    ("bad.yaml", "bad.yaml:2:3: mapping values are not allowed in this context"),
    ("cm.yaml", "cm.yaml is not a kubeconfig: expected kind Config, found ConfigMap")])
def test_a_wrong_kubeconfig(sluice, files, verb, file, told):
    ran = sluice(verb, *filled(ROWS[verb].cluster), "--kubeconfig", file)
    assert complaint(ran) == f"sluice {verb}: {told}\n"


@pytest.mark.parametrize("verb", CLUSTER_VERBS)
def test_no_kubeconfig_at_all(sluice, files, verb):
    said = complaint(sluice(verb, *filled(ROWS[verb].cluster)))
    assert said == (f"sluice {verb}: no way to the cluster: KUBECONFIG is not set, and there is "
                    "neither a service account in /var/run/secrets/kubernetes.io/serviceaccount nor "
                    f"{files}/.kube/config\n")


# ── a word of which there are some ──

@pytest.mark.parametrize("verb, meant", [("states", "rollout"), ("completion", "bash"),
                                         ("help", "status")])
def test_a_slip(sluice, verb, meant):
    ran = sluice(verb, ROWS[verb].choice)
    assert ran.status == 2 and f'did you mean "{meant}"' in ran.err, ran.err


def test_the_slips_are_all():
    assert having("choice") == ["states", "completion", "help"]


# ── clusters ──

def kubeconfig_for(folder, url: str) -> str:
    (folder / "kc").write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c"}}]}))
    return "kc"


@pytest.mark.parametrize("verb", ASKING)
def test_no_cluster(sluice, files, verb):
    """What was tried, and which kubeconfig has said so."""
    where = kubeconfig_for(files, "http://127.0.0.1:1")
    said = complaint(sluice(verb, *filled(ROWS[verb].cluster), "--kubeconfig", where))
    assert said.startswith(f"sluice {verb}: GET /apis/core.oam.dev/v1beta1/namespaces/default/appr")
    assert ": no answer from http://127.0.0.1:1: " in said
    assert said.endswith(" (kubeconfig kc, context prod)\n")


@pytest.mark.parametrize("verb", CLUSTER_VERBS)
def test_no_such_context(sluice, files, verb):
    where = kubeconfig_for(files, "http://127.0.0.1:1")
    ran = sluice(verb, *filled(ROWS[verb].cluster), "--kubeconfig", where, "--context", "prd")
    assert complaint(ran) == f'sluice {verb}: kc: there is no context "prd"; did you mean "prod"?\n'


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    made = SandboxCluster(BUILD / "sdk" / "sandbox" / "sluice-sandbox",
                          tmp_path_factory.mktemp("sandbox"))
    made.apply_files(ROOT / "deploy" / "crds")
    for path in (ROLLOUTS, ROLLOUTS.replace("core.oam.dev/v1beta1", "sluice.dev/v1alpha1").replace(
            "approllouts", "rollouts")):
        wait_for(path, lambda path=path: made.api.exists(path), 20)
    yield made
    made.down()


@pytest.fixture
def door(sandbox):
    made = Doorman(sandbox.api.port)
    yield made
    made.close()


@pytest.fixture
def ask(sluice, door, files):
    """Runs `sluice` as jo, through the door."""
    where = kubeconfig_for(files, door.url)
    return lambda *words, by="jo": sluice(*words, "--kubeconfig", where, USER=by)


def deployment() -> dict:
    labels = {"app": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"},
            "spec": {"replicas": 5, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}}


@pytest.fixture
def put(sandbox):
    """Puts a rollout there, with its status, and the Deployment that it may follow."""
    made = []

    def create(path: str, thing: dict) -> None:
        sandbox.api.create(path, thing)
        made.append(f"{path}/{thing['metadata']['name']}")

    def put_thing(thing: dict) -> str:
        path = ROLLOUTS
        if thing["kind"] == "Rollout":
            create(DEPLOYMENTS, deployment())
            path = "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts"
        bare = {key: thing[key] for key in ("apiVersion", "kind", "spec")}
        notes = thing["metadata"].get("annotations", {})
        create(path, {**bare, "metadata": {"name": "shop", "annotations": notes}})
        status = {**thing["status"], "observedGeneration": 1}
        sandbox.api.patch(f"{path}/shop/status", {"status": status})
        return f"{path}/shop"
    yield put_thing
    for path in made:
        sandbox.api.delete(path)


@pytest.mark.parametrize("verb", having("named"))
def test_no_such_rollout(ask, put, verb):
    put(gate())
    told = f"sluice {verb}: there is no rollout \"{{}}\" in namespace default{{}}\n"

    def said(name: str) -> str:
        return complaint(ask(verb, *filled(ROWS[verb].cluster, NAME=name)))
    assert said("shp") == told.format("shp", '; did you mean "shop"?')
    assert said("rollouts/shp") == told.format("shp", '; did you mean "shop"?')
    assert said("elephant") == told.format("elephant", "")
    assert said("deployment/shop") == (
        f'sluice {verb}: expected approllouts/NAME or rollouts/NAME, found "deployment/"\n')


@pytest.mark.parametrize("verb", ASKING)
def test_no_right_to_look(ask, put, door, verb):
    """The verb, the resource, its group and its namespace."""
    put(gate())
    door.denied = {"get", "list"}
    said = complaint(ask(verb, *filled(ROWS[verb].cluster)))
    assert said.startswith(f"sluice {verb}: GET {ROLLOUTS}")
    assert ('User "jo" cannot get resource "approllouts" in API group "core.oam.dev" in the '
            'namespace "default"\n') in said


@pytest.mark.parametrize("verb", ["status", "watch"])
def test_no_right_to_list(ask, door, verb):
    door.denied = {"list"}
    assert ('User "jo" cannot list resource "approllouts" in API group "core.oam.dev" in the '
            'namespace "default"\n') in complaint(ask(verb))


@pytest.mark.parametrize("verb", having("other"))
def test_no_right_to_change(ask, put, door, sandbox, verb):
    row = ROWS[verb]
    path = put(row.thing)
    door.denied = {"patch"}
    resource, group = (("deployments", "apps") if row.other is REPLICAS else
                       ("approllouts", "core.oam.dev"))
    assert (f'User "jo" cannot patch resource "{resource}" in API group "{group}" in the namespace '
            '"default"\n') in complaint(ask(verb, "shop"))
    assert "sluice.dev/asked" not in json.dumps(sandbox.api.get(path))


def test_a_right_to_one_kind_is_enough_for_it(ask, put, door):
    """Whoever uses Rollouts needs no right to AppRollouts."""
    put(follower())
    door.denied = {"get approllouts"}
    assert ask("status", "shop").out.startswith("Rollout default/shop\n")
    assert 'cannot get resource "approllouts"' in complaint(ask("status", "nothing"))


def test_of_all_those_are_told_that_may_be_listed(ask, put, door):
    put(follower())
    door.denied = {"list approllouts"}
    ran = ask("status")
    assert ran.status == 0 and [line.split()[0] for line in ran.out.splitlines()[1:]] == ["shop"]
    assert ran.err.startswith("AppRollouts are left out: GET ")
    assert 'cannot list resource "approllouts"' in ran.err


def edit(sandbox, change: Edit) -> None:
    sandbox.api.patch(f"{change.path}?fieldManager=kubectl-edit", {"spec": change.spec})


@pytest.mark.parametrize("verb", having("other"))
def test_two_at_once(ask, put, door, sandbox, verb):
    """Whoever is second is told of the first one and what he has done, and does nothing."""
    row = ROWS[verb]
    put(row.thing)
    door.before_patch = lambda: edit(sandbox, row.other)
    said = complaint(ask(verb, "shop"))
    assert said == (f"sluice {verb}: somebody else has changed {row.other.told}; nothing was done. "
                    "Look at it (sluice status shop) and ask again\n")
    found = json.dumps(sandbox.api.get(row.other.path))
    assert "sluice.dev/asked" not in found and "restartedAt" not in found


@pytest.mark.parametrize("first, told", [
    ("pause", "ann (sluice pause) has put true in spec.rolloutPlan.paused, where nothing stood"),
    ("abort", "ann (sluice abort) was first")])
def test_two_by_verbs(ask, put, door, first, told):
    put(gate())
    door.before_patch = lambda: ask(first, "shop", by="ann")
    said = complaint(ask("abort", "shop"))
    assert f" at the same time: {told}; nothing was done. " in said


# ── the controller, which goes on trying ──

@pytest.fixture
def controller(files):
    """Begins `sluice controller`, and waits until its log has a text."""
    begun = []

    def run(url: str, wanted: str) -> str:
        where = kubeconfig_for(files, url)
        begun.append(subprocess.Popen(
            [BUILD / "core" / "sluice", "controller", "--config", "config.yaml", "--kubeconfig",
             where], cwd=files, text=True, stderr=subprocess.PIPE))
        lines = []
        for line in begun[-1].stderr:
            lines.append(line)
            if wanted in json.loads(line)["message"]:
                return "".join(lines)
        raise AssertionError("".join(lines))
    yield run
    for process in begun:
        process.terminate()
        process.communicate(timeout=20)


def test_a_controller_without_a_cluster(controller):
    log = controller("http://127.0.0.1:1", "no answer from http://127.0.0.1:1")
    assert "is working, by kubeconfig kc, context prod" in log


def test_a_controller_without_rights(controller, door):
    door.denied = {"list", "watch"}
    controller(door.url, 'User "jo" cannot list resource "approllouts" in API group "core.oam.dev" '
                         'at the cluster scope')


# ── adapters asks a controller ──

def test_adapters_without_a_controller(sluice):
    said = complaint(sluice("adapters", "--server", "127.0.0.1:1"))
    assert "no controller answers: GET http://127.0.0.1:1/adapters: " in said
    assert "--server ADDRESS asks one elsewhere" in said
