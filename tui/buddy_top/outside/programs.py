"""Which pager and which editor the environment names. Nothing goes through a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from buddy_core.safety.text import Plain, plain

Kind = Literal["pager", "editor"]

_VARIABLES: dict[Kind, tuple[str, ...]] = {"pager": ("PAGER",), "editor": ("VISUAL", "EDITOR")}
_PAGERS = ("less", "more")


@dataclass(frozen=True, slots=True)
class Program:
    """A program as the user named it, taken apart as a shell would, without one."""

    argv: tuple[str, ...]

    @property
    def called(self) -> Plain:
        """What people call it."""
        return plain(PurePath(self.argv[0]).name, limit=40)


def find_program(kind: Kind, env: Mapping[str, str]) -> Program | Plain:
    """`$PAGER`, else less or more; `$VISUAL`, else `$EDITOR`. Words that say why there is none, where there is none."""
    for name in _VARIABLES[kind]:
        if env.get(name, "").strip():
            return _taken_apart(name, env[name])
    if kind == "editor":
        return Plain("no editor: set $EDITOR to the one you like")
    from shutil import which

    found = next((one for one in _PAGERS if which(one, path=env.get("PATH"))), None)
    return Plain("no pager: set $PAGER, or install less") if found is None else Program((found,))


def _taken_apart(name: str, value: str) -> Program | Plain:
    try:
        argv = shlex.split(value)
    except ValueError:
        return Plain(f"${name} has a quotation mark without its other half")
    return (
        Program(tuple(argv)) if argv and argv[0] and "\0" not in value else Plain(f"${name} names no program")
    )
