"""Where the numbers of one kind of errors come from."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core import format as fmt
from buddy_core.metrics.counting.series import RUNS_NAMED
from buddy_core.metrics.looking.model import WindowView
from buddy_core.observing.observer import SourceStatus
from buddy_core.origins import files
from buddy_core.origins.model import Figure, Origin, chart


def origin_of_errors(
    title: str,
    count: int,
    first_at: int,
    last_at: int,
    runs: int,
    view: WindowView,
    sources: SourceStatus,
    *,
    grouped: bool,
    slice_ms: int = 0,
) -> Origin:
    """Of a group of like errors, or of a single one (not `grouped`); a column of the chart is `slice_ms`."""
    figures = _of_group(count, first_at, last_at, runs, view) if grouped else _of_one(last_at, view)
    return Origin(
        title=title,
        about="one kind of error" if grouped else "one error",
        span=files.span_of(view),
        figures=(*figures, *chart(slice_ms)),
        files=tuple(files.files_of(sources, turns=False)),
        missing=tuple(files.missing_of(sources, turns=False)),
    )


def _of_group(count: int, first_at: int, last_at: int, runs: int, view: WindowView) -> Iterator[Figure]:
    said = "error events and failed calls with a reason, alike but for numbers, paths and ids"
    yield Figure("count", "count", fmt.count(count), "measured", said)
    yield _age("last", last_at, view)
    yield _age("first", first_at, view)
    most = f"; no more than {RUNS_NAMED} are remembered" if runs >= RUNS_NAMED else ""
    yield Figure("runs", "runs", fmt.count(runs), "measured", f"runs it was seen in{most}")


def _of_one(at_ms: int, view: WindowView) -> Iterator[Figure]:
    yield Figure(
        "count", "count", fmt.count(1), "measured", "an error event, or a failed tool call with its reason"
    )
    yield _age("last", at_ms, view)


def _age(key: str, at_ms: int, view: WindowView) -> Figure:
    at = fmt.local(at_ms)
    told = "no believable time" if at is None else f"{at:%Y-%m-%d %H:%M:%S}, by the event's own clock"
    return Figure(key, key, fmt.age(view.taken_at - at_ms), "measured", told)
