# SPDX-License-Identifier: Apache-2.0
"""A stage: a namespace of a real cluster with a history, for one test and its controllers."""

import json
import re
import subprocess
from pathlib import Path

from cluster import audit
from cluster.api import ApiError

from .controller import SLUICE, Controller, config_text
from .history import History
from .objects import RESOURCES, application, component, is_current, rollout, state

SEED = Path(__file__).parents[3] / "examples" / "seed"
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/sluice"  # put together of others
USER = "system:serviceaccount:sluice-system:sluice"


class Stage:
    """`account` is the kubeconfig of the controller's service account."""

    def __init__(self, cluster, namespace: str, account: Path, folder: Path):
        self.cluster = cluster
        self.api = cluster.api
        self.namespace = namespace
        self.account = account
        self.folder = folder
        self.controllers = []
        self.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                               "metadata": {"name": namespace}})
        self.history = History(self.api, namespace)
        self.history.check = lambda: [controller.check() for controller in self.controllers]

    # Controllers

    def controller(self, everywhere=False, adapters=None, **settings) -> Controller:
        """One that is running, for this namespace or for all. See config_text for the settings."""
        if not everywhere:
            settings.setdefault("namespace", self.namespace)
        return self.controller_with(config_text(adapters, **settings)).start()

    def controller_with(self, config: str, *arguments: str) -> Controller:
        """Not started."""
        folder = self.folder / f"controller-{len(self.controllers)}"
        folder.mkdir()
        self.controllers.append(Controller(folder, self.account, config, *arguments))
        return self.controllers[-1]

    def grant(self, config: Path, crd: str) -> None:
        """Gives the controller the rights that `sluice role` says for a config, in a role of their own, and
        waits until what this definition is of is among them."""
        role = subprocess.run([SLUICE, "role", "--config", config], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        name = "name: sluice-controller"
        assert name in role
        self.cluster.kubectl("apply", "-f", "-", stdin=role.replace(name, f"name: sluice-{crd}"))
        resource, group = crd.split(".", 1)
        self.wait(f"the controller may patch {resource}", lambda: any(
            group in rule["apiGroups"] and resource in rule["resources"]
            for rule in self.api.get(ROLE)["rules"] or []), 30)

    def close(self) -> None:
        """Ends and removes all of it; the namespace goes by and by."""
        try:
            for controller in self.controllers:
                controller.close()
        finally:
            self.history.close()
            self._empty()

    def _empty(self) -> None:
        """Nobody is there any more to remove the finalizers."""
        for kind in ("AppRollout", "Rollout"):
            for name in self.names(kind):
                self.api.patch(self.path(kind, name), {"metadata": {"finalizers": []}})
        for kind in ("AppRollout", "Rollout", "CloneSet"):
            for name in self.names(kind):
                self.delete(kind, name, missing_is_fine=True)
        self.api.delete(f"/api/v1/namespaces/{self.namespace}")

    # Objects

    def path(self, kind: str, name: str = "") -> str:
        return RESOURCES[kind].format(self.namespace) + (f"/{name}" if name else "")

    def names(self, kind: str) -> list:
        try:
            return [item["metadata"]["name"] for item in self.api.get(self.path(kind))["items"]]
        except ApiError as error:
            if error.code == 404:
                return []
            raise

    def get(self, kind: str, name: str) -> dict:
        return self.api.get(self.path(kind, name))

    def put(self, thing: dict) -> dict:
        """Server-side apply, as a user who owns all that he writes."""
        path = self.path(thing["kind"], thing["metadata"]["name"])
        return self._known(self.api.patch(f"{path}?fieldManager=user&force=true", thing, "apply"))

    def _known(self, thing: dict) -> dict:
        """Once the history has it: what is asked after a change mustn't be answered from before."""
        self.history.wait_for(thing)
        return thing

    def patch(self, kind: str, name: str, change) -> dict:
        """A merge patch, or a JSON patch if it is a list."""
        how = "json" if isinstance(change, list) else "merge"
        return self._known(self.api.patch(self.path(kind, name), change, how))

    def plan(self, name: str = "roll", **fields) -> dict:
        """Changes fields of a rollout's plan."""
        return self.patch("AppRollout", name, {"spec": {"rolloutPlan": fields}})

    def delete(self, kind: str, name: str, missing_is_fine=False) -> None:
        try:
            self.api.delete(self.path(kind, name))
        except ApiError as error:
            if not (missing_is_fine and error.code == 404):
                raise

    def apply_seed(self, file: str) -> None:
        """As a person would: the file as it is."""
        for thing in self.cluster.apply_files(SEED / file, self.namespace):
            self._known(thing)

    def refused(self, thing: dict) -> str:
        """What the API server says to an object that it must not accept."""
        try:
            self.put(thing)
        except ApiError as error:
            assert error.code == 422, error
            return str(error)
        raise AssertionError(f"it was accepted: {json.dumps(thing)}")

    # Waiting

    def rollout(self, name: str = "roll"):
        return self.history.now("AppRollout", name)

    def wait(self, what: str, condition, seconds: float = 60):
        """`condition` is asked with the stage's history after every change."""
        return self.history.wait(what, condition, seconds)

    def wait_revision(self, name: str) -> dict:
        return self.wait(f"revision {name}", lambda: self.history.now("ApplicationRevision", name))

    def wait_state(self, wanted: str, name: str = "roll", seconds: float = 90) -> dict:
        """Of a rollout whose present spec has been seen. All that happened before it is known then: the
        other kinds' watches may be behind the rollout's."""
        def reached():
            found = self.rollout(name)
            return found if is_current(found) and state(found) == wanted else None

        found = self.wait(f"{name} is in {wanted}", reached, seconds)
        self.history.catch_up()
        return found

    def wait_status(self, name: str = "roll", seconds: float = 60, **wanted) -> dict:
        """Until these members of the status have these values."""
        def reached():
            found = self.rollout(name)
            status = (found or {}).get("status", {})
            fits = all(status.get(key) == value for key, value in wanted.items())
            return found if is_current(found) and fits else None

        return self.wait(f"{name} with {wanted}", reached, seconds)

    def wait_reason(self, code: str, name: str = "roll", seconds: float = 60) -> dict:
        """The reason why a rollout stands still, once it is this one."""
        def reached():
            found = self.rollout(name)
            why = (found or {}).get("status", {}).get("reason", {})
            return why if is_current(found) and why.get("code") == code else None

        return self.wait(f"{name} stands still because of {code}", reached, seconds)

    def event(self, reason: str, text: str = "", seconds: float = 20) -> dict:
        """An Event of this reason whose message holds a text."""
        return self.wait(f"Event {reason} with {text!r}", lambda: next(
            (event for event in self.history.objects("Event").values()
             if event["reason"] == reason and re.search(text, event["message"])), None), seconds)

    # Common beginnings

    def record(self, number: int, *components, **options) -> str:
        """Applies the Application, and waits for its revision."""
        self.put(application(*components, **options))
        name = f"{options.get('name', 'shop')}-v{number}"
        self.wait_revision(name)
        return name

    def deploy(self, size: int = 5, version: str = "4.0.6", **properties) -> None:
        """shop-v1, rolled out in one batch."""
        self.record(1, component(version=version, replicas=size, **properties))
        self.put(rollout("shop-v1", numBatches=1))
        self.wait_state("rolloutSucceed")

    # The audit log

    def writes(self, *resources: str, since: str = "") -> list:
        """What the controller has written in this namespace after a time, in order."""
        found = [event for event in audit.writes(self.cluster.audit_log, user=USER)
                 if event["objectRef"].get("namespace") == self.namespace
                 and event["requestReceivedTimestamp"] > since
                 and (not resources or event["objectRef"]["resource"] in resources)]
        return sorted(found, key=lambda event: event["requestReceivedTimestamp"])


def describe_write(event) -> str:
    """A line of the audit log, short."""
    about = event["objectRef"]
    resource = "/".join(filter(None, [about["resource"], about.get("subresource")]))
    return (f"{event['requestReceivedTimestamp'][11:23]} {event['verb']} {resource} "
            f"{about.get('name', '')} {event['responseStatus']['code']}")
