"""Which tool calls are the same call: the same tool, and arguments that mean the same in both runs.

Paths count from the run's working directory, temporary names and (beyond paths) numbers and ids count as equal, and
so does the white space between words. What is kept of an argument is a digest: runs of any size can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import NamedTuple, TypeAlias

import msgspec

from buddy_core.metrics.counting.fingerprint import without_ids
from buddy_core.runs.toolargs import arguments_of, compact_json

LOOKED_AT = 4_000
"""Characters of an argument that are made comparable; whatever follows counts as it stands."""

CallKey: TypeAlias = tuple[str, tuple[tuple[str, bytes], ...]]
"""The tool, and of each argument its name and a digest of its comparable form; equal for the same call."""

_MAX_ARGUMENTS = 64
_REST = "…"
_PATHS = frozenset(
    {"path", "file_path", "filePath", "filename", "file", "notebook_path", "target_file", "directory", "cwd"}
)
_COMMANDS = frozenset({"command", "cmd", "script", "code"})
_COMMENTS = frozenset({"description", "explanation"})
"""What a model says of a command beside it does not make it another command."""

_TEMPORARY = re.compile(
    r"(?:/private)? (?: /tmp | /var/tmp | /dev/shm | /var/folders/\w{1,8}/\w{1,64}/T ) / [^\s/'\"`:;,)\]}]{1,255}"
    r" | \b tmp [._]? [a-z0-9_]{8} \b | \b tmp\.[A-Za-z0-9]{6,10} \b",
    re.VERBOSE,
)


class Identity(NamedTuple):
    """One call, for comparing."""

    key: CallKey
    literal: bytes
    """Digest of the arguments as they stand; equal keys with other digests differ in numbers, ids or places."""


def identity(tool: str, args: object, *, base: str | None = None) -> Identity:
    """What makes a call of `tool` with `args` (an object, JSON in a string, anything) that call.

    `base` is the working directory of the run; None where it is not known.
    """
    args = arguments_of(args)
    if not isinstance(args, Mapping):
        args = {} if args in (None, "", []) else {"": args}
    if not _COMMANDS.isdisjoint(args):
        args = {name: value for name, value in args.items() if name not in _COMMENTS}
    texts = {str(name): _text(value) for name, value in args.items()}
    return Identity((tool, _arguments(texts, base)), _digest(repr(sorted(texts.items()))))


def other_arguments(one: CallKey, other: CallKey) -> tuple[str, ...]:
    """Names of the arguments in which two calls differ, or that only one of them has. Observed text."""
    first, second = dict(one[1]), dict(other[1])
    return tuple(sorted(name for name in {*first, *second} if first.get(name) != second.get(name)))


def _arguments(texts: Mapping[str, str], base: str | None) -> tuple[tuple[str, bytes], ...]:
    names = sorted(texts)
    told = [(name, _digest(comparable(texts[name], base=base, path=name in _PATHS))) for name in names]
    if len(told) <= _MAX_ARGUMENTS:
        return tuple(told)
    return (*told[:_MAX_ARGUMENTS], (_REST, _digest(repr(told[_MAX_ARGUMENTS:]))))


def comparable(text: str, *, base: str | None, path: bool = False) -> str:
    """`text` without what differs from run to run; in a `path` numbers stay, they are part of its name."""
    head, rest = text[:LOOKED_AT], text[LOOKED_AT:]
    if base:
        head = _beneath(base)(head)
    head = _TEMPORARY.sub("<temp>", head)
    return (_tidy_path(head) if path else " ".join(without_ids(head).split())) + rest


def _tidy_path(path: str) -> str:
    return path.removeprefix("./").rstrip("/") or path


@lru_cache(maxsize=8)
def _beneath(base: str) -> Callable[[str], str]:
    """Makes paths beneath `base` begin there, and `base` itself a dot."""
    base = base.rstrip("/")
    if len(base) < 2:
        return lambda text: text
    here = re.compile(re.escape(base) + r"(?![\w.-])")
    inside = re.compile(re.escape(base) + r"/(?=[\w.@-])")
    return lambda text: here.sub(".", inside.sub("", text))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return _encoder().encode(value).decode()
    except (ValueError, TypeError, RecursionError):  # half a surrogate pair, or nested too deep
        return compact_json(value, LOOKED_AT)


@cache
def _encoder() -> msgspec.json.Encoder:
    return msgspec.json.Encoder(order="sorted")


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).digest()
