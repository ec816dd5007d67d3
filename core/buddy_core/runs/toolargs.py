"""The one argument of a tool call that tells a person what it does: its command, its path, its pattern."""

from __future__ import annotations

import json
from collections.abc import Mapping

from buddy_core.runs.records.json_values import printable_utf8

MAX_ARGUMENT = 300
"""Characters kept of it."""

_TELLING = (
    "command",
    "cmd",
    "script",
    "code",
    "pattern",
    "query",
    "regex",
    "url",
    "path",
    "file_path",
    "filePath",
    "filename",
    "file",
    "notebook_path",
    "target_file",
    "directory",
    "description",
    "prompt",
    "task",
    "objective",
    "message",
    "question",
    "name",
    "skill",
    "id",
)
"""Names of arguments, the most telling first."""

_RANK = {name: rank for rank, name in enumerate(_TELLING)}

_PREFERRED = {
    "spawn_subagent": ("description", "prompt"),
    "task": ("description", "prompt"),
    "search": ("pattern", "query", "path"),
    "multi_edit": ("path", "file_path"),
}
"""Tools whose most telling argument is not the usual one."""


def key_argument(tool: str, args: object) -> str:
    """The most telling argument of a call to `tool`, as observed text of at most 300 characters.

    `args` is whatever the record holds: an object, JSON in a string, a list, nothing. Without a name that is
    known the first text wins and is told with its name, which says whether it is a secret; else compact JSON
    of all of it. Without arguments it is empty.
    """
    args = arguments_of(args)
    if not isinstance(args, Mapping):
        return _cut(args)
    known = sorted(args.keys() & _RANK.keys(), key=_RANK.__getitem__)
    for name in (*_PREFERRED.get(tool, ()), *known):
        value = args.get(name)
        if value not in (None, "", [], {}):
            return _cut(value)
    texts = (f"{name}: {value}" for name, value in args.items() if isinstance(value, str) and value)
    return _cut(next(texts, dict(args)))


def arguments_of(args: object) -> object:
    """The arguments as the record holds them, read where it holds them as JSON in a string."""
    if not isinstance(args, str) or not args.lstrip().startswith("{"):
        return args
    try:
        return json.loads(args)
    except (ValueError, RecursionError):
        return args


def compact_json(value: object, limit: int = MAX_ARGUMENT) -> str:
    """A JSON value on one line, cut to `limit` characters; what cannot be encoded is described."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)
    except (ValueError, TypeError, RecursionError):
        text = "…"
    return _shorten(text, limit)


def _cut(value: object) -> str:
    if value in (None, "", [], {}):
        return ""
    return _shorten(value, MAX_ARGUMENT) if isinstance(value, str) else compact_json(value)


def _shorten(text: str, limit: int) -> str:
    return printable_utf8(text if len(text) <= limit else text[: limit - 1] + "…")
