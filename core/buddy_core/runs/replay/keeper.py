"""The process between this one and a replayed command: it starts it, keeps its limits and ends all it started.

Run as a file by `python -I -S`, with nothing but the standard library, so that the host needs neither to fork a
process full of threads nor to become the parent of strangers. It reads one approved document from standard input,
checks that its SHA-256 is the one it was started with, and executes exactly that. When standard input closes,
because the host cancels or is gone, everything ends. Case 95.

Arguments: the digest, and the descriptor on which it reports. Standard output is where the command prints.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Any

GRACE_S = 0.7
"""Between the polite signal and the one that cannot be ignored."""

SWEEP_S = 1.5
"""How long processes that keep coming are hunted."""

MAX_FILE_BYTES = 4 * 1024**3
"""Longest file the command may write."""

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_TICK_S = 1.0


def main(digest: str, report_fd: int) -> None:
    """Read, check, execute, watch, clean up, report."""
    os.set_inheritable(report_fd, False)
    raw = _read_document()
    if hashlib.sha256(raw).hexdigest() != digest:
        _report(report_fd, problem="what arrived is not what was approved")
        return
    document = json.loads(raw)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        place = _open_directory(document)
        _check_program(document)
        child = _start(document, place)
    except OSError as error:
        _report(report_fd, problem=error.strerror or str(error))
        return
    _let_go_of_output()
    _report(report_fd, **_watch(child, float(document["timeout_s"])))


def _read_document() -> bytes:
    size = int.from_bytes(_read_exactly(8), "big")
    return _read_exactly(size)


def _read_exactly(size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(0, size - len(data))
        if not part:
            os._exit(1)  # the host has gone before it said what to do
        data += part
    return data


def _open_directory(document: dict[str, Any]) -> int:
    fd = os.open(document["cwd"], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    found = os.fstat(fd)
    if [found.st_dev, found.st_ino] != document["cwd_identity"]:
        raise OSError(0, "another directory stands in the place of the approved one")
    return fd


def _check_program(document: dict[str, Any]) -> None:
    found = os.stat(os.path.realpath(document["program"], strict=True))  # noqa: PTH116 - pathlib takes long to import
    if [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns] != document["program_identity"]:
        raise OSError(0, "another program stands in the place of the approved one")


def _start(document: dict[str, Any], place: int) -> int:
    """Fork and execute; returns the process, or raises what made it impossible."""
    read_end, write_end = os.pipe()  # closed by a successful exec
    child = os.fork()
    if child == 0:
        try:
            _become(document, place)
        except BaseException as error:  # noqa: BLE001 - nothing but the reason may leave this process
            os.write(write_end, str(getattr(error, "strerror", None) or error)[:200].encode())
        os._exit(127)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as file:
        problem = file.read().decode()
    if problem:
        os.waitpid(child, 0)
        raise OSError(0, problem)
    return child


def _become(document: dict[str, Any], place: int) -> None:
    """In the child: a session of its own, no terminal, no input, limits, nothing inherited; then the command."""
    parent = os.getppid()
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.fchdir(place)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(1, 2)
    for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    cpu_s = int(float(document["timeout_s"]) * (os.cpu_count() or 1)) + 5
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
    ):
        hard = resource.getrlimit(what)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(what, (limit, limit))
    os.execve(document["program"], document["argv"], document["environment"])


def _watch(child: int, timeout_s: float) -> dict[str, Any]:
    """Wait for the end, the deadline or the host's word; afterwards nothing of the command is left."""
    begun = time.monotonic()
    ended, why = _wait(child, begun + timeout_s), None
    if ended is None:
        why = "timed out" if time.monotonic() >= begun + timeout_s else "cancelled"
        _signal_group(child, signal.SIGTERM)
        ended = _wait(child, time.monotonic() + GRACE_S, heed_host=False)
    if ended is None:
        _signal_group(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)[1]
    took_ms = (time.monotonic() - begun) * 1000
    left = _sweep()
    _signal_group(child, signal.SIGKILL)  # where nobody tells who descends from whom
    return {"status": os.waitstatus_to_exitcode(ended), "why": why, "took_ms": took_ms, "left_behind": left}


def _wait(child: int, deadline: float, *, heed_host: bool = True) -> int | None:
    """The child's wait status; None when the deadline or the host's end came first."""
    watched = _pidfd(child)
    sources = [fd for fd in (watched, 0 if heed_host else -1) if fd >= 0]
    try:
        while True:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return status
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            ready = select.select(sources, [], [], min(left, _TICK_S if watched >= 0 else 0.02))[0]
            if 0 in ready and heed_host:  # the host writes nothing more: readable means closed
                return None
            _reap_orphans(child)
    finally:
        if watched >= 0:
            os.close(watched)


def _reap_orphans(child: int) -> None:
    """Collect processes the command left to us and that have ended, without taking the command's own end."""
    for orphan in _children():
        if orphan != child:
            with suppress(OSError):
                os.waitpid(orphan, os.WNOHANG)


def _sweep() -> int:
    """Kill whatever descends from the command, also what has made itself a session; returns how many."""
    killed: set[int] = set()
    end = time.monotonic() + SWEEP_S
    while (left := _children()) and time.monotonic() < end:
        for process in left:
            with suppress(OSError):
                if not os.waitpid(process, os.WNOHANG)[0]:
                    killed.add(process)
                    os.kill(process, signal.SIGKILL)
        time.sleep(0.002)
    return len(killed)


def _children() -> list[int]:
    """Processes whose parent this one is; none where the system does not tell (outside Linux)."""
    found: list[int] = []
    with suppress(OSError):
        for name in os.listdir("/proc"):  # noqa: PTH208
            if name.isdigit() and _parent_of(name) == os.getpid():
                found.append(int(name))
    return found


def _parent_of(process: str) -> int:
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
        return int(file.read(1024).rpartition(b")")[2].split()[1])
    return 0


def _signal_group(leader: int, number: int) -> None:
    with suppress(OSError):
        os.killpg(leader, number)


def _pidfd(process: int) -> int:
    opener = getattr(os, "pidfd_open", None)
    if opener is not None:
        with suppress(OSError):
            return int(opener(process))
    return -1


def _let_go_of_output() -> None:
    """The output ends when the command and its children have ended, not when this process does."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _report(fd: int, **fields: Any) -> None:  # noqa: ANN401 - JSON values
    with suppress(OSError):
        os.write(fd, json.dumps(fields).encode())


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    main(sys.argv[1], int(sys.argv[2]))
