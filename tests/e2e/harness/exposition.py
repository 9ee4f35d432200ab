# SPDX-License-Identifier: Apache-2.0
"""What a controller tells Prometheus, read as strictly as the format is written."""

import re
import socket
import urllib.request

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^{}]+)\})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.read().decode()


class Exposition:
    """Families with their types, and samples: (name, labels as sorted pairs) -> value."""

    def __init__(self, text: str):
        self.types, self.samples = {}, {}
        assert text.endswith("\n")
        family, told = None, None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                told = line.split(" ", 3)[2]
                assert told not in self.types, f"{told} comes twice"
            elif line.startswith("# TYPE "):
                _, _, family, kind = line.split(" ")
                assert family == told, f"{family} has no help"
                self.types[family] = kind
            else:
                self._add(family, line)
        self._check_histograms()

    def _add(self, family: str, line: str) -> None:
        found = SAMPLE.fullmatch(line)
        assert found, f"no sample: {line}"
        name, labels, value = found.groups()
        kind = self.types[family]
        assert name in [family + part for part in PARTS.get(kind, ("",))], f"{name} in {family}"
        assert kind != "counter" or name.endswith("_total"), name
        pairs = LABEL.findall(labels or "")
        assert ",".join(f'{key}="{text}"' for key, text in pairs) == (labels or ""), line
        key = (name, tuple(sorted(pairs)))
        assert key not in self.samples, f"twice: {line}"
        self.samples[key] = float(value)

    def _check_histograms(self) -> None:
        for family in [name for name, kind in self.types.items() if kind == "histogram"]:
            for (name, labels), count in list(self.samples.items()):
                if name == f"{family}_count":
                    buckets = self._buckets(f"{family}_bucket", labels)
                    assert buckets == sorted(buckets) and buckets[-1] == count, (family, labels)

    def _buckets(self, name: str, labels: tuple) -> list:
        """By their bounds, without other labels than these."""
        bounds = {float(dict(pairs)["le"]): value for (other, pairs), value in self.samples.items()
                  if other == name and set(labels) < set(pairs)}
        assert float("inf") in bounds
        return [bounds[bound] for bound in sorted(bounds)]

    def value(self, name: str, /, **labels: str) -> float:
        return self.samples[name, tuple(sorted(labels.items()))]

    def series(self) -> set:
        """All but requests, which are told only for what has come of them."""
        return {key for key in self.samples if key[0] != "sluice_api_requests_total"}
