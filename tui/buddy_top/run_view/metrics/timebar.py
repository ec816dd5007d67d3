"""Where the time of a run went, as one bar and a line for each part."""

from __future__ import annotations

from collections.abc import Iterator

from buddy_core.runs.numbers.runnumbers import RunNumbers
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span

_LOOKS = {
    "model": ("█", "accent"),
    "tools": ("▓", "info"),
    "waiting": ("▒", "warn"),
    "idle": ("░", "dim"),
    "unknown": ("·", "dim"),
}
"""The sign and the ink of each part: the signs differ where there are no colours."""

_NAME, _DURATION, _PERCENT = 9, 8, 7


def time_lines(numbers: RunNumbers, width: int) -> Iterator[Cell]:
    """A heading, the bar over the whole width, and the parts in words."""
    spent = numbers.spent
    yield (
        Span(Plain("where the time went  "), "label"),
        Span(fmt.duration(spent.total_ms), "strong"),
        Span(Plain("  as far as it has been read" if numbers.reading else ""), "dim"),
    )
    if not spent.total_ms:
        return
    yield time_bar([(name, value) for name, value in spent.parts if value > 0], width)
    known = numbers.timed_requests > 0
    for name, value in spent.parts:
        if value or (known and name != "unknown"):
            yield _part(name, value, spent.total_ms, _remark(name, numbers))


def time_bar(parts: list[tuple[str, int]], width: int) -> Cell:
    """Parts of a whole side by side in `width` cells, each at least one; nothing of them is lost by rounding."""
    total = sum(value for _, value in parts)
    cells = [max(1, value * width // total) for _, value in parts]
    order = sorted(range(len(parts)), key=lambda at: -(parts[at][1] * width % total))
    for at in order[: max(0, width - sum(cells))]:
        cells[at] += 1
    while sum(cells) > width and max(cells) > 1:
        cells[cells.index(max(cells))] -= 1
    return tuple(
        Span(Plain(_LOOKS[name][0] * size), _LOOKS[name][1])
        for (name, _), size in zip(parts, cells, strict=True)
    )


def _part(name: str, value: int, total: int, remark: str) -> Cell:
    sign, ink = _LOOKS[name]
    return (
        Span(Plain(f"{sign} "), ink),
        Span(Plain(name.ljust(_NAME)), "label"),
        Span(Plain(f"{fmt.duration(value):>{_DURATION}}"), "value" if value else "dim"),
        Span(Plain(f"{fmt.share(value, total):>{_PERCENT}}"), "value" if value else "dim"),
        Span(Plain(f"  {remark}" if remark else ""), "dim"),
    )


def _remark(name: str, numbers: RunNumbers) -> str:
    if name == "model":
        whose = ", from the file of turns" if numbers.from_turns else ""
        told = fmt.plural(numbers.requests, "request")
        silent = numbers.requests - numbers.timed_requests
        return f"{told}{f', {silent:,} without a time' if silent else ''}{whose}"
    if name == "tools":
        calls = sum(use.calls for use in numbers.tools)
        open_calls = sum(use.open for use in numbers.tools)
        return f"{fmt.plural(calls, 'call')}{f', {open_calls:,} without a result' if open_calls else ''}"
    if name == "waiting":
        return "questions to a person, silences of a minute"
    return "the model or nobody: no request says how long it took" if name == "unknown" else ""
