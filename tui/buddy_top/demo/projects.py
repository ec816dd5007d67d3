"""The code bases the demonstration agent works on, read from `projects.toml` beside this file."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import msgspec


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code base. Paths are relative to `cwd`."""

    cwd: str
    language: str
    models: tuple[str, ...]
    """The models its people use; one that is named twice is used twice as often."""
    bugs: tuple[str, ...]
    features: tuple[str, ...]
    chores: tuple[str, ...]
    """Objectives of each kind."""
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    symbols: tuple[str, ...]
    """What it greps for."""
    test_command: str
    """With `{test}` for one of `tests`."""
    check_command: str
    install_command: str
    test_failures: tuple[str, ...]
    """What a failed test run prints, with `{test}`."""
    check_failures: tuple[str, ...]


def load_projects() -> tuple[Project, ...]:
    """Every project, in the order of the file."""
    text = files("buddy_top.demo").joinpath("projects.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["project"], tuple[Project, ...])
