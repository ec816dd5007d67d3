"""What of a Sentry event may leave: names, places in the code and counts; of everything else a masked likeness.

Sentry's own defaults send the messages, local variables, source lines, breadcrumbs, the command line and the
host's name. Here an event is built anew from fields that are known to be harmless, and a text a person or a program
wrote leaves as a pattern (words stay, numbers, quoted parts, paths and ids do not) unless the user asked for
content; then it leaves whole, with its secrets masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from buddy_core.telemetry.sending.masking import Masker

MOST_TEXT = 2_000
"""Characters of one text that leave."""

MOST_FRAMES = 100
"""Frames of one stack trace that leave: the innermost."""

_KEPT = (
    "event_id",
    "timestamp",
    "start_timestamp",
    "level",
    "platform",
    "type",
    "release",
    "environment",
    "sdk",
    "transaction",
    "transaction_info",
    "logger",
)
"""Fields of an event that are kept, masked; the others below are built anew, and what is left is left out."""

_FRAME = ("function", "module", "lineno", "in_app", "filename")

_CONTEXTS = {
    "trace": ("trace_id", "span_id", "parent_span_id", "op", "status"),
    "runtime": ("name", "version", "build"),
}
"""Contexts that are kept, and of each the fields."""

OWN_TAGS = ("run_id",)
"""Tags that this library sets; their values are ids it made."""

_VARIABLE = re.compile(
    r"""
      "[^"]{0,4000}"? | '[^']{0,4000}' | `[^`]{0,4000}`?   # quoted
    | [^\s"'`]*[0-9@/\\=_][^\s"'`]*                         # numbers, addresses, paths, assignments, ids
    | [^\s"'`]{25,}                                         # too long for a word
    """,
    re.VERBOSE,
)


class Scrubber:
    """Makes events fit to leave; `content` lets texts leave whole, masked."""

    def __init__(self, masker: Masker, *, content: bool) -> None:
        self._masker = masker
        self._content = content

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An event built from what of `event` may leave; raises nothing that `before_send` would not catch."""
        kept: dict[str, Any] = {name: self._masked(event[name], name) for name in _KEPT if name in event}
        if event.get("fingerprint"):
            kept["fingerprint"] = [self.text(str(part)) for part in _listed(event["fingerprint"])[:10]]
        kept["tags"] = self._tags(event.get("tags"))
        kept["contexts"] = self._masked(_contexts(event.get("contexts")))
        if exception := self._exceptions(event.get("exception")):
            kept["exception"] = exception
        if message := self._message(event):
            kept["logentry"] = {"message": message}
        if crumbs := self._breadcrumbs(event.get("breadcrumbs")):
            kept["breadcrumbs"] = {"values": crumbs}
        if event.get("type") == "transaction":
            kept["spans"] = [self._span(span) for span in _mappings(event.get("spans"))]
        if self._content and isinstance(event.get("extra"), Mapping):
            kept["extra"] = self._masked(event["extra"], "extra")
        return kept

    def breadcrumb(self, crumb: Mapping[str, Any]) -> dict[str, Any]:
        """A breadcrumb without its data, its message as a pattern."""
        kept = {name: crumb[name] for name in ("timestamp", "type", "level") if name in crumb}
        kept["category"] = self._masked(str(crumb.get("category") or "default"), "category")
        if crumb.get("message"):
            kept["message"] = self.text(str(crumb["message"]))
        if self._content and isinstance(crumb.get("data"), Mapping):
            kept["data"] = self._masked(crumb["data"], "data")
        return kept

    def text(self, text: str) -> str:
        """A text somebody wrote: masked, and a pattern unless content may leave."""
        masked = self._masker.text(text[: 2 * MOST_TEXT])[:MOST_TEXT]
        return masked if self._content else pattern_of(masked)

    def _masked(self, value: Any, name: str | None = None, depth: int = 0) -> Any:  # noqa: ANN401 - JSON of any shape
        if isinstance(value, str):
            return self._masker.text(value, name)[:MOST_TEXT]
        if depth > 8:
            return None
        if isinstance(value, Mapping):
            return {str(k): self._masked(item, str(k), depth + 1) for k, item in list(value.items())[:200]}
        if isinstance(value, list | tuple):
            return [self._masked(item, name, depth + 1) for item in value[:200]]
        return value

    def _tags(self, tags: object) -> dict[str, str]:
        pairs = list(tags.items()) if isinstance(tags, Mapping) else []
        return {str(name): self._tag(str(name), str(value)) for name, value in pairs[:50]}

    def _tag(self, name: str, value: str) -> str:
        masked = self._masker.text(value, name)[:200]
        return masked if self._content or name in OWN_TAGS else pattern_of(masked)

    def _message(self, event: Mapping[str, Any]) -> str | None:
        entry = event.get("logentry")
        template = entry.get("message") if isinstance(entry, Mapping) else None
        message = template or event.get("message")
        return self.text(str(message)) if message else None

    def _exceptions(self, exception: object) -> dict[str, Any] | None:
        values = exception.get("values") if isinstance(exception, Mapping) else exception
        found = [self._exception(value) for value in _mappings(values)[-10:]]
        return {"values": found} if found else None

    def _exception(self, value: Mapping[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {name: self._masked(value.get(name), name) for name in ("type", "module")}
        kept["value"] = self.text(str(value.get("value") or ""))
        mechanism = value.get("mechanism")
        if isinstance(mechanism, Mapping):
            numbers = ("type", "handled", "exception_id", "parent_id", "is_exception_group")
            kept["mechanism"] = {name: mechanism[name] for name in numbers if name in mechanism}
        trace = value.get("stacktrace")
        if isinstance(trace, Mapping):
            kept["stacktrace"] = {
                "frames": [_frame(f) for f in _mappings(trace.get("frames"))[-MOST_FRAMES:]]
            }
        return kept

    def _breadcrumbs(self, crumbs: object) -> list[dict[str, Any]]:
        values = crumbs.get("values") if isinstance(crumbs, Mapping) else crumbs
        return [self.breadcrumb(crumb) for crumb in _mappings(values)[-50:]]

    def _span(self, span: Mapping[str, Any]) -> dict[str, Any]:
        names = (
            "trace_id",
            "span_id",
            "parent_span_id",
            "start_timestamp",
            "timestamp",
            "status",
            "op",
            "same_process_as_parent",
        )
        kept = {name: span[name] for name in names if name in span}
        return {**kept, "description": self.text(str(span.get("description") or ""))}


def pattern_of(text: str) -> str:
    """`text` with everything that is no plain word replaced by `‹…›`, so that only its wording is left."""
    return _VARIABLE.sub("‹…›", text)


def _contexts(contexts: object) -> dict[str, Any]:
    found = contexts if isinstance(contexts, Mapping) else {}
    return {
        name: {key: found[name][key] for key in keys if key in found[name]}
        for name, keys in _CONTEXTS.items()
        if isinstance(found.get(name), Mapping)
    }


def _frame(frame: Mapping[str, Any]) -> dict[str, Any]:
    """Where in the code, without its source, its variables, and the directory it is installed in."""
    kept = {name: frame[name] for name in _FRAME if name in frame}
    if str(kept.get("filename", "")).startswith(("/", "\\")) or ":" in str(kept.get("filename", ""))[:3]:
        kept["filename"] = re.split(r"[/\\]", str(kept["filename"]))[-1]
    return kept


def _listed(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in _listed(value) if isinstance(item, Mapping)]
