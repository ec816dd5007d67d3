"""What is said when the monitor itself breaks: words, a place in the code, and never a variable's value.

Textual's own report prints every frame with its local variables, which here are other people's text and
secrets. This one says what happened in one line; the traceback comes only when asked for, without
locals, and all of it is made printable, since an exception's message may quote what was observed.
"""

from __future__ import annotations

import traceback
from pathlib import PurePath

import msgspec

from buddy_core.safety.text import Plain, plain, plain_lines

_OURS = ("buddy_top", "buddy_core")


class CrashReport(msgspec.Struct, frozen=True):
    """One failure, in words that are safe to print."""

    headline: Plain
    """Kind, message and place, on one line."""
    traceback: tuple[Plain, ...] = ()
    """The calls that led there, with source lines and without values."""


def report_of(error: BaseException) -> CrashReport:
    """The report for `error`; a worker's failure is reported as the error that made it fail."""
    cause = getattr(error, "error", None)
    if isinstance(cause, BaseException):
        error = cause
    told = traceback.TracebackException.from_exception(error, capture_locals=False, max_group_depth=3)
    text = "".join(told.format())
    words = plain(f"{type(error).__name__}: {_message(error)}".rstrip(": "), limit=300)
    return CrashReport(
        headline=Plain(words + _place(told.stack)),
        traceback=tuple(plain_lines(text, limit_lines=300, limit_width=400)),
    )


def crash_lines(reports: list[CrashReport], *, debug: bool) -> list[Plain]:
    """The lines for stderr: what happened and what to do, then the tracebacks if `debug`."""
    if not reports:
        return []
    lines = [line for report in reports for line in report.traceback] if debug else []
    more = f" (and {len(reports) - 1} more after it)" if len(reports) > 1 else ""
    advice = "" if debug else "; run it again with --debug for the traceback"
    return [*lines, Plain(f"buddy-top: stopped by an error of its own: {reports[0].headline}{more}{advice}")]


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception whose text fails must not hide the first failure
        return "its message cannot be shown"


def _place(stack: traceback.StackSummary) -> str:
    """Where in our own code it happened, else where at all."""
    ours = [frame for frame in stack if any(name in PurePath(frame.filename).parts for name in _OURS)]
    frames = ours or list(stack)
    return f" in {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
