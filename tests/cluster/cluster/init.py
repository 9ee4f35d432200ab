# SPDX-License-Identifier: Apache-2.0
"""The first process of a cluster: it makes the namespaces, starts every part, reaps, and waits.

All parts of a cluster live in one PID and one mount namespace. When this process ends, the kernel
ends every other one in there, pods included, and takes their mounts along: nothing can be left
behind, however a cluster died. Paths that kubelet and containerd have compiled in (/run,
/var/lib/kubelet, ...) are covered by empty file systems, so that several nodes don't meet there
and the machine's own Docker is never touched.

Run as `python3 init.py FOLDER KEEP...`; it returns when the namespaces stand and requests are
served on FOLDER/init.sock. The folders in KEEP stay visible even below what is covered.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000

COVERED = ("/run", "/var/lib", "/var/log")

# The kubelet insists on these, machine-wide. It gets to read them as it wants them, and the
# machine keeps its own.
SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

# The machine's own /proc, where a process finds the PID by which the outside knows it.
OUTSIDE_PROC = "/run/outside-proc"


def main() -> None:
    folder, keep = Path(sys.argv[1]), sys.argv[2:]
    os.chdir(folder)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | CLONE_NEWPID):
        sys.exit(f"no new namespaces: {os.strerror(ctypes.get_errno())}; are you root?")
    ready, announce = os.pipe()
    if os.fork():
        os.close(announce)
        sys.exit(0 if os.read(ready, 1) else 1)
    os.close(ready)
    os.setsid()
    cover(keep)
    server = listen()
    record_pid("init")
    os.write(announce, b"1")
    os.close(announce)
    serve(server)


def cover(keep) -> None:
    mount("--make-rslave", "/")
    kept = [(path, os.open(path, os.O_PATH)) for path in keep]
    for path in COVERED:
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", path)
    for path, handle in kept:
        if any(path.startswith(covered + "/") for covered in COVERED):
            os.makedirs(path)
            mount("--bind", f"/proc/self/fd/{handle}", path, pass_fds=[handle])
        os.close(handle)
    os.mkdir(OUTSIDE_PROC)
    mount("--rbind", "/proc", OUTSIDE_PROC)
    mount("-t", "proc", "proc", "/proc")
    cover_sysctls()
    mount("--make-rshared", "/")


def cover_sysctls() -> None:
    for name, value in SYSCTLS.items():
        if os.path.exists(f"/proc/sys/{name}"):
            file = Path("/run/sysctl", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(value + "\n")
            mount("--bind", str(file), f"/proc/sys/{name}")


def mount(*arguments: str, **options) -> None:
    subprocess.run(["mount", *arguments], check=True, **options)


def listen() -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind("init.sock")
    server.listen()
    return server


def serve(server: socket.socket) -> None:
    """One request is one line: {"name", "command", "environment"}; the answer is the PID or why
    it could not be started."""
    names = {}
    signal.signal(signal.SIGCHLD, lambda *_: reap(names))
    while True:
        connection, _ = server.accept()
        with connection, connection.makefile("rw") as stream:
            request = json.loads(stream.readline())
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
            try:
                names[start(request)] = request["name"]
                stream.write(Path("pids", request["name"]).read_text())
            except OSError as error:
                stream.write(str(error))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])


def start(request) -> int:
    name = request["name"]
    Path("exits", name).unlink(missing_ok=True)
    with open(Path("logs", f"{name}.log"), "a", encoding="utf-8") as log:
        process = subprocess.Popen(
            request["command"], env=request["environment"], cwd=".", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=lambda: begin(name))
    process.returncode = 0  # reap() waits for it
    return process.pid


def begin(name: str) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    record_pid(name)


def record_pid(name: str) -> None:
    """Writes the outside's PID of this process, and when it began: PIDs come round again."""
    pid = os.readlink(f"{OUTSIDE_PROC}/self")
    fields = Path(OUTSIDE_PROC, pid, "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    Path("pids", name).write_text(f"{pid} {fields[19]}")


def reap(names) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        if pid in names:
            Path("exits", names.pop(pid)).write_text(describe(os.waitstatus_to_exitcode(status)))


def describe(code: int) -> str:
    return f"exited with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"


if __name__ == "__main__":
    main()
