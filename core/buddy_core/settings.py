"""The environment, read once at the edge and passed inwards as one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

RUNS_DIR_VARIABLE = "CODEBUDDY_RUNS_DIR"
"""Environment variable that names the runs directory (the original Code Buddy reads the same)."""

NOWHERE = Path("/dev/null/.codebuddy/runs")
"""The runs directory of somebody without a home: below what is no directory, so that nothing is ever made there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides."""

    runs_dir: Path
    """Where run directories live: `$CODEBUDDY_RUNS_DIR`, else `~/.codebuddy/runs`."""

    home: Path | None
    """The user's home, or None where the environment names none that is absolute."""

    @property
    def codebuddy_home(self) -> Path:
        """The directory beside the runs that holds `turn-metrics.jsonl`."""
        return self.runs_dir.parent

    @property
    def homeless(self) -> bool:
        """True when nothing says where runs live: neither a home nor a directory of its own was named."""
        return self.runs_dir == NOWHERE

    @classmethod
    def from_env(
        cls, env: Mapping[str, str] | None = None, *, runs_dir: Path | str | None = None
    ) -> Settings:
        """Read `env` (the process environment by default); an explicit `runs_dir` wins over it.

        A relative HOME is ignored: files must never appear in whatever directory one happens to be in.
        """
        env = os.environ if env is None else env
        home_text = env.get("HOME") or env.get("USERPROFILE") or ""
        home = Path(home_text) if home_text and Path(home_text).is_absolute() else None
        chosen = runs_dir if runs_dir is not None else env.get(RUNS_DIR_VARIABLE) or None
        if chosen is not None:
            return cls(runs_dir=Path(os.path.abspath(_expand(str(chosen), home))), home=home)  # noqa: PTH100
        return cls(runs_dir=home / ".codebuddy" / "runs" if home else NOWHERE, home=home)


def _expand(path: str, home: Path | None) -> str:
    if home is not None and (path == "~" or path.startswith("~/")):
        return str(home) + path[1:]
    return path
