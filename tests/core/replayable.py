"""A run whose test command is a script of the test's own, in a directory and on a PATH that belong to this user."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from buddy_core.runs.replay.model import Command, RecordedTest, ReplayReport
from buddy_core.runs.replay.session import Approve, replay_run
from buddy_core.testing import RunDirectoryBuilder


class Replayable:
    """A project directory, a PATH with a `pytest` in it, and a run to record commands into."""

    def __init__(self, tmp_path: Path, *, script: str = "echo '1 passed in 0.01s'") -> None:
        self.root = tmp_path
        self.project = tmp_path / "project"
        self.bin = tmp_path / "bin"
        self.project.mkdir(mode=0o755)
        self.bin.mkdir(mode=0o755)
        self.program(script)
        self.env: dict[str, str] = {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(tmp_path)}
        self.run = RunDirectoryBuilder(
            tmp_path / "runs", started_at=time.time_ns() // 1_000_000, metadata={"cwd": str(self.project)}
        )
        self.run.wait(60_000)  # the files of the project are older than the end of the run
        self.said: list[str] = []

    @property
    def text(self) -> str:
        return "\n".join(self.said)

    def program(self, script: str, name: str = "pytest") -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def record(
        self, command: str | Sequence[str] = "pytest -q", *, error: str | None = None, **args: Any
    ) -> Replayable:
        given = command if isinstance(command, str) else list(command)
        self.run.tool("bash", {"command": given, **args}, took_ms=1_500, error=error)
        return self

    def replay(
        self,
        approve: Approve | None = None,
        *,
        rerun: bool = False,
        timeout_s: float = 20,
        cwd: Path | None = None,
    ) -> ReplayReport:
        """Write what was recorded since the last time, and replay; with an `approve`, for real."""
        self.run.write()
        return replay_run(
            self.run.run_id,
            rerun=rerun or approve is not None,
            approve=approve,
            store=self.run.root,
            out=self.said.append,
            env=self.env,
            timeout_s=timeout_s,
            cwd=cwd,
        )

    def only(self) -> RecordedTest:
        """The one test command that was recorded."""
        (item,) = self.replay().items
        return item.test

    def command(self) -> Command:
        """That one, ready to be approved."""
        command = self.only().command
        assert command is not None, self.only().obstacle
        return command


def yes(_command: Command) -> bool:
    return True


def canary_environment(env: Mapping[str, str], canary: str) -> dict[str, str]:
    """`env` with a secret under every kind of name that secrets have."""
    names = (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "DATABASE_URL",
        "LD_PRELOAD",
    )
    more = (
        "PYTHONPATH",
        "PYTHONSTARTUP",
        "NODE_OPTIONS",
        "BASH_ENV",
        "SSH_AUTH_SOCK",
        "PYTEST_ADDOPTS",
        "MAKEFLAGS",
    )
    return {**env, **dict.fromkeys((*names, *more), canary)}
