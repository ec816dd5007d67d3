"""The programs we are measured against: how each is had, which version it is, and how it starts on comparable work.

What comes from the package index is installed once, each into an environment of its own, in `$BUDDY_TOP_BENCH_CACHE`
or `~/.cache/buddy-top-bench`; remove a directory there to have its newest version next time. What is a program of the
system is measured where it is there. `ready` says why when a program is not to be had.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from workload import finished_runs

RUNS, EVENTS = 30, 200


class Work(NamedTuple):
    """The same 30 runs in the shape that each program reads, and a home directory that only they use."""

    runs: Path
    log: Path
    """The events of all runs in one file."""
    collection: Path
    """Thirty requests for posting, one for each run."""
    home: Path


@dataclass(frozen=True)
class Peer:
    """One program; `arguments` name what they need of the `Work`."""

    name: str
    words: str
    """On its screen as soon as there is more than a frame."""
    shows: str
    arguments: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """What pip installs; nothing for a program of the system."""
    program: str = ""
    """What it is called, where that is not its name."""


PEERS = (
    Peer("toolong", '"ts"', "the same 6,000 events as one file", ("{log}",), ("toolong",), "tl"),
    Peer(
        "posting",
        "run_29",
        "30 stored requests",
        ("default", "--collection", "{collection}"),
        # tree-sitter 0.26.1 crashes posting 2.11.1 (SIGSEGV) before it draws anything
        ("posting", "tree-sitter<0.26"),
    ),
    Peer("harlequin", "memory", "an empty database in memory", ("--locale", "C"), ("harlequin",)),
    Peer("glances", "LOAD", "this machine", (), ("glances",)),
    Peer("claude-monitor", "tokens/min", "6,000 requests logged in 15 hours", (), ("claude-monitor",)),
    Peer("lnav", '"ts"', "the same 6,000 events as one file", ("-N", "{log}")),
    Peer("btop", "LAV", "this machine", ("--utf-force",)),
    Peer("htop", "Load average", "this machine"),
    Peer("top", "load average", "this machine"),
    Peer("k9s", "Context", "a cluster, where there is one"),
)
"""All that came to mind as like ours in making (Textual), in purpose (monitors), or in what they read (events)."""


class Ready(NamedTuple):
    """A program that can be started."""

    peer: Peer
    program: str
    version: str

    @property
    def called(self) -> str:
        """Name and version."""
        return f"{self.peer.name} {self.version}"

    def on(self, work: Work) -> list[str]:
        """Its command line, with nothing of our Python and of the caller's home in its environment."""
        arguments = [argument.format(**work._asdict()) for argument in self.peer.arguments]
        return self.in_home(work.home, *arguments)

    def in_home(self, home: Path, *arguments: str) -> list[str]:
        """The same with arguments of one's own."""
        return ["env", "-u", "PYTHONPATH", f"HOME={home}", self.program, *arguments]


def peer(name: str) -> Peer:
    """The one of this name."""
    return next(one for one in PEERS if one.name == name)


def ready(peer: Peer) -> Ready | str:
    """The program, installed if it has to be; or why it cannot be had."""
    if not peer.requires:
        found = shutil.which(peer.program or peer.name)
        return Ready(peer, found, _told_version(found)) if found else "no such program on this machine"
    environment = cache() / peer.name
    if why := _install(environment, peer.requires):
        return f"could not be installed: {why}"
    return Ready(
        peer, str(environment / "bin" / (peer.program or peer.name)), _pip_version(environment, peer.name)
    )


def cache() -> Path:
    """Where installed programs are kept between two measurements."""
    named = os.environ.get("BUDDY_TOP_BENCH_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "buddy-top-bench"


def _install(environment: Path, requires: tuple[str, ...]) -> str:
    """Once; the last word of what failed, or nothing."""
    done, wanted = environment / "installed", " ".join(requires)
    if done.exists() and done.read_text() == wanted:
        return ""
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    for step in ([sys.executable, "-m", "venv", "--clear", str(environment)], [*pip, *requires]):
        ended = subprocess.run(step, capture_output=True, text=True, check=False)
        if ended.returncode:
            return next(iter(ended.stderr.strip().splitlines()[-1:]), f"exit code {ended.returncode}")
    done.write_text(wanted)
    return ""


def _pip_version(environment: Path, name: str) -> str:
    asked = f"from importlib.metadata import version; print(version({name!r}))"
    command = [str(environment / "bin" / "python"), "-c", asked]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _told_version(program: str) -> str:
    told = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, timeout=10
    ).stdout
    found = re.search(r"\d+(\.\d+)+", told)
    return found[0] if found else "of unknown version"


def comparable_work(scratch: Path) -> Work:
    """Write the thirty runs for everybody."""
    work = Work(*(scratch / name for name in ("runs", "events.jsonl", "collection", "home")))
    finished_runs(work.runs, runs=RUNS, events=EVENTS)
    files = sorted(work.runs.glob("run_*/events.jsonl"))
    work.log.write_bytes(b"".join(file.read_bytes() for file in files))
    work.collection.mkdir()
    for number in range(RUNS):
        request = f"name: run_{number:02d}\nmethod: GET\nurl: http://127.0.0.1/runs/{number}\n"
        (work.collection / f"run_{number:02d}.posting.yaml").write_text(request)
    log = work.home / ".claude" / "projects" / "bench" / "session.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("".join(_requests(RUNS * EVENTS)))
    return work


def _requests(count: int) -> Iterator[str]:
    """Requests as Claude Code logs them, nine seconds apart, the last one now."""
    now = time.time()
    for number in range(count):
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now - (count - number) * 9))
        usage = {"input_tokens": 2_000 + number % 700, "output_tokens": 300}
        usage |= {"cache_creation_input_tokens": 100, "cache_read_input_tokens": 5_000}
        message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-sonnet-4-5", "usage": usage}
        entry = {"type": "assistant", "timestamp": at, "sessionId": "bench", "requestId": f"req_{number}"}
        yield json.dumps(entry | {"message": message}) + "\n"
