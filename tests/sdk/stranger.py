# SPDX-License-Identifier: Apache-2.0
"""A machine on which nothing of Sluice is but its installed SDK: an own root with the distribution's
programs (a compiler among them), seen through read-only mounts, and an empty /usr/local."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build")).resolve()

# Of the distribution; where these are links (/bin to usr/bin), they are links in the new root too.
SYSTEM = ["usr", "bin", "sbin", "lib", "lib64", "etc", "proc"]
DEVICES = ["null", "zero", "urandom"]

SETUP = """
set -eu
root=$1; shift
for folder in $FOLDERS; do
    mount --rbind "/$folder" "$root/$folder"
done
for device in $DEVICES; do
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o bind,remount,ro "$root/usr"
mount --bind "$SDK$PREFIX" "$root$PREFIX"
exec /usr/sbin/chroot "$root" /usr/bin/env -i HOME=/home/author PATH=$PREFIX/bin:/usr/bin:/bin \\
    LC_ALL=C.UTF-8 sh -c "cd /home/author && $*"
"""


def prefix() -> str:
    options = json.loads(subprocess.run(
        ["meson", "introspect", "--buildoptions", BUILD], check=True, text=True,
        stdout=subprocess.PIPE).stdout)
    return next(option["value"] for option in options if option["name"] == "prefix")


class Stranger:
    """`root` is a folder that doesn't exist yet; it isn't mounted anywhere outside the commands."""

    def __init__(self, root: Path):
        self.root = root
        self.sdk = root.with_name(root.name + "-sdk")
        self.prefix = prefix()
        self.home = root / "home" / "author"
        self.home.mkdir(parents=True)
        (root / "tmp").mkdir()
        (root / "dev").mkdir()
        self.install("sdk")
        self.folders = [name for name in SYSTEM if self._place(name)]
        for name in DEVICES:
            (root / "dev" / name).touch()

    def install(self, *tags: str) -> None:
        """As a packager would."""
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--tags",
                        ",".join(tags), "--destdir", self.sdk], check=True)

    def installed(self) -> list:
        """The files of the SDK, below the prefix."""
        top = self.sdk / self.prefix.lstrip("/")
        return sorted(str(path.relative_to(top)) for path in top.rglob("*") if path.is_file())

    def file(self, path: str) -> Path:
        """Where a file of the stranger's machine stands on ours."""
        inside = Path(path)
        if inside.is_relative_to(self.prefix):
            return self.sdk / path.lstrip("/")
        return self.root / path.lstrip("/")

    def run(self, command: str, status: int = 0) -> str:
        """A shell command there, in the author's home. Returns what it printed."""
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        done = subprocess.run(
            ["unshare", *user, "--mount", "sh", "-c", SETUP, "sh", self.root, command],
            env={**os.environ, "FOLDERS": " ".join(self.folders), "DEVICES": " ".join(DEVICES),
                 "SDK": str(self.sdk), "PREFIX": self.prefix},
            text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == status, \
            f"{command}: ended with {done.returncode}, expected {status}:\n{done.stdout}"
        return done.stdout

    def _place(self, name: str) -> bool:
        """Makes the place for a folder of the system; true if it has to be mounted there."""
        origin, place = Path("/", name), self.root / name
        if origin.is_symlink():
            place.symlink_to(os.readlink(origin))
            return False
        if origin.is_dir():
            place.mkdir()
        return origin.is_dir()
