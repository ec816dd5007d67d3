"""The fields of the filter language, each declared once: for the parser, for completion, for help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from buddy_core.runs.model import Status

Kind = Literal["status", "names", "number", "duration", "time", "content"]
"""What may stand behind a field."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """One field: its name, what may follow it, and a few words with an example."""

    name: str
    kind: Kind
    hint: str
    example: str


FIELDS: tuple[FieldInfo, ...] = (
    FieldInfo("status", "status", "how the run stands", "status:failed,stalled"),
    FieldInfo("tag", "names", "one of its tags", "tag:bugfix"),
    FieldInfo("tool", "names", "a tool it called", "tool:bash"),
    FieldInfo("model", "names", "a part of its model's name", "model:sonnet"),
    FieldInfo("id", "names", "how its id begins", "id:mk3"),
    FieldInfo("has", "names", "an artifact it left", "has:patch.diff"),
    FieldInfo("since", "time", "started then or later", "since:2h"),
    FieldInfo("before", "time", "started earlier", "before:2026-01-08"),
    FieldInfo("cost", "number", "US dollars", "cost>0.5"),
    FieldInfo("tokens", "number", "tokens of all kinds", "tokens>100k"),
    FieldInfo("took", "duration", "from start to end", "took>5m"),
    FieldInfo("errors", "number", "errors and failed tool calls", "errors>0"),
    FieldInfo("failed", "number", "failed tool calls", "failed>0"),
    FieldInfo("calls", "number", "tool calls", "calls>=20"),
    FieldInfo("events", "number", "how many events", "events>1k"),
    FieldInfo("content", "content", "a text in its events and artifacts", 'content:"exit code"'),
)

BY_NAME = {field.name: field for field in FIELDS}

STATUS_WORDS: tuple[str, ...] = get_args(Status)
"""The words that may follow `status:`."""

COMPARED = ("number", "duration")
"""Kinds that take a sign such as `>`; the others take a colon."""


def language() -> tuple[tuple[str, str], ...]:
    """The whole language for people: what one writes, and what that finds."""
    return (
        ('login "exit code"', "words in objective, id, tags, tools, errors, artifacts"),
        *((field.example, field.hint) for field in FIELDS),
        ("-tag:wip -login", "- before any of them: it must not hold"),
        ("tool:view_*,bash", "one of several; * any text, ? one character"),
    )
