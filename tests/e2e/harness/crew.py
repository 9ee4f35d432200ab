# SPDX-License-Identifier: Apache-2.0
"""Two controllers that share a Lease, in any weather. Each process has a gate of its own, so that every
write is known to be its, however late it arrives; one that has lost its Lease is started again, as
Kubernetes would."""

import signal

from .controller import BUILD, Controller, config_text
from .weather import Exposed, Weather

NAMESPACE = "sluice-system"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
TERMS = ("--leader-elect-lease-duration=5s", "--leader-elect-renew-deadline=3s",
         "--leader-elect-retry-period=1s")
NO_LEASE = 6  # what a controller ends with that doesn't hold it any more


class Candidate:
    """`agent` names the process that it is just now."""

    def __init__(self, crew, number: int):
        self.crew, self.number = crew, number
        self.gates, self.frozen = [], False
        folder = crew.stage.folder / f"candidate-{number}"
        folder.mkdir()
        self.controller = Controller(folder, crew.stage.account, crew.config, "--leader-elect",
                                     f"--leader-elect-resource-name={crew.lease}",
                                     f"--leader-elect-resource-namespace={NAMESPACE}", *TERMS)

    @property
    def agent(self) -> str:
        return self.gates[-1].agent

    def start(self) -> None:
        agent = f"candidate-{self.number}.{len(self.gates) + 1}"
        self.gates.append(Exposed(self.crew.stage, self.crew.weather, agent))
        self.controller.kubeconfig = self.gates[-1].kubeconfig
        self.controller.start()

    def check(self) -> None:
        """It goes on, whatever it has ended of that may happen to a leader."""
        if self.controller.process.poll() == NO_LEASE:
            self.crew.ends["lost the Lease"] += 1
            self.controller.process, self.frozen = None, False
            self.start()
        self.controller.check()

    def end(self, how: signal.Signals) -> None:
        """And another process begins. It may just have ended by itself, or not have got so far as to hear
        of it."""
        self.thaw()
        self.crew.ends[how.name] += 1
        self._end(how)
        self.start()

    def _end(self, how: signal.Signals) -> None:
        process, self.controller.process = self.controller.process, None
        process.send_signal(how)
        status = process.wait(15)
        assert status in (0, NO_LEASE, -how), self.controller.log_text()[-6000:]

    def freeze(self) -> None:
        self.check()
        if not self.frozen:
            self.crew.ends["freeze"] += 1
            self.controller.freeze()
        self.frozen = True

    def thaw(self) -> None:
        self.check()
        if self.frozen:
            self.controller.thaw()
        self.frozen = False

    def close(self) -> None:
        self.thaw()
        self._end(signal.SIGTERM)
        self.controller.close()
        for gate in self.gates:
            gate.close()


class Crew:
    """For the workload of a stage, of one kind. `ends` counts what has happened to its processes."""

    def __init__(self, stage, adapter: str, weather: Weather, ends):
        self.stage, self.weather, self.ends = stage, weather, ends
        self.lease = f"lease-{stage.namespace}"
        self.path = f"{LEASES}/{self.lease}"
        self.config = config_text(
            [{"name": adapter, "file": str(BUILD / "plugins" / adapter / f"{adapter}.so")}],
            namespace=stage.namespace, serve={"listen": ""})
        self._make_namespace()
        if stage.api.exists(self.path):
            stage.api.delete(self.path)
        self.candidates = [Candidate(self, number) for number in (1, 2)]
        for candidate in self.candidates:
            candidate.start()
        stage.history.check = self.check

    def _make_namespace(self) -> None:
        path = "/api/v1/namespaces"
        if not self.stage.api.exists(f"{path}/{NAMESPACE}"):
            self.stage.api.create(path, {"apiVersion": "v1", "kind": "Namespace",
                                         "metadata": {"name": NAMESPACE}})

    def check(self) -> None:
        for candidate in self.candidates:
            candidate.check()

    def who(self, role: str) -> Candidate:
        """The leader, as far as anybody knows, or the other."""
        first, second = self.candidates
        taken = [write for write in list(self.weather.writes)
                 if write.resource == "leases" and write.code < 300 and write.holder]
        leads = second if taken and taken[-1].agent == second.agent else first
        return leads if role == "leader" else next(each for each in self.candidates if each is not leads)

    def close(self) -> None:
        for candidate in self.candidates:
            candidate.close()
        if self.stage.api.exists(self.path):
            self.stage.api.delete(self.path)


