# SPDX-License-Identifier: Apache-2.0
"""The image: the same bytes each time, small, and nothing in it but what the controller needs."""

import gzip
import io
import json
import os
import subprocess
import tarfile

import pytest

from harness.delivery import DEPLOY

# One worker has all of it, for what is built here takes a minute.
pytestmark = [pytest.mark.real("it is built for a cluster"), pytest.mark.xdist_group("image")]


def build(folder, *options):
    """As somebody else would, elsewhere: its archive, and what it says."""
    (folder / "tmp").mkdir(parents=True)
    archive = folder / "image.tar"
    environment = {**os.environ, "TMPDIR": str(folder / "tmp"),
                   "PATH": f"{os.environ.get('PATH', '')}:/usr/local/go/bin"}
    done = subprocess.run([str(DEPLOY / "image" / "build"), "--output", str(archive), *options],
                          env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return archive, done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("one"))


def blob(archive, described):
    with tarfile.open(archive) as files:
        return files.extractfile(f"blobs/{described['digest'].replace(':', '/')}").read()


def manifest_of(archive):
    with tarfile.open(archive) as files:
        (top,) = json.load(files.extractfile("index.json"))["manifests"]
    return json.loads(blob(archive, top))


def files_of(archive):
    (layer,) = manifest_of(archive)["layers"]
    content = gzip.decompress(blob(archive, layer))
    with tarfile.open(fileobj=io.BytesIO(content)) as files:
        return {it.name: it for it in files.getmembers() if it.isfile()}


def test_the_same_bytes_each_time(built, tmp_path):
    archive, said = built
    print(said)
    again, repeated = build(tmp_path / "somewhere" / "else")
    assert said == repeated and said.startswith("sha256:")
    assert archive.read_bytes() == again.read_bytes()
    one, other = (it.with_name("image.tar.spdx.json").read_bytes() for it in (archive, again))
    assert one == other


def test_nothing_but_what_is_needed(built):
    archive, _ = built
    found = files_of(archive)
    programs = {name for name in found if name.startswith(("usr/bin/", "usr/libexec/"))}
    assert programs == {"usr/bin/sluice", "usr/libexec/sluice/sluice-adapter-host",
                        "usr/libexec/sluice/sluice-cue"}
    for name, file in found.items():
        known = name in programs or ".so" in name or name.startswith(("etc/", "usr/share/doc/"))
        assert known and not file.mode & 0o6022 and (file.uid, file.gid) == (0, 0), name
    config = json.loads(blob(archive, manifest_of(archive)["config"]))
    assert config["config"]["User"] == "65532:65532"


def test_the_sbom_has_every_library(built):
    archive, _ = built
    sbom = json.loads(archive.with_name("image.tar.spdx.json").read_text())
    assert sbom["spdxVersion"] == "SPDX-2.3"
    locators = [it["externalRefs"][0]["referenceLocator"] for it in sbom["packages"]]
    assert len(set(locators)) == len(locators)
    debian = {it.split("/")[2].split("@")[0] for it in locators if it.startswith("pkg:deb/")}
    found = files_of(archive)
    assert debian == {name.split("/")[3] for name in found if name.endswith("/copyright")}
    assert {"libc6", "libcurl4", "libssl3", "libjansson4", "ca-certificates"} <= debian
    assert any(it.startswith("pkg:golang/cuelang.org/go@") for it in locators)
