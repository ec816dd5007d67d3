"""A filter held against runs, one by one: what an index must answer the same way."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, tzinfo

from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.candidate import Candidate, fold, words_of
from buddy_core.runs.query.glob import name_test
from buddy_core.runs.query.model import (
    Ago,
    Compare,
    Condition,
    DaysBack,
    Moment,
    NameField,
    NameIs,
    NumberField,
    Query,
    Sign,
    Started,
    StatusIs,
    Term,
    TimeOfDay,
    Word,
)

FindContent = Callable[[str, str], bool]
"""Does the run of this id hold the text in one event, or in one line of an artifact?"""

_SIGNS: dict[Sign, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}
_NUMBERS: dict[NumberField, Callable[[RunFacts], float | None]] = {
    "cost": lambda run: run.total_cost,
    "tokens": lambda run: run.total_tokens,
    "took": lambda run: run.duration_ms,
    "errors": lambda run: run.errors + run.tool_failures,
    "failed": lambda run: run.tool_failures,
    "calls": lambda run: run.tool_calls,
    "events": lambda run: run.event_count,
}
_Test = Callable[[Candidate, str], bool]


class Matcher:
    """One filter at one moment.

    Args:
        query: The filter.
        now_ms: Wall time that `2h`, `today` and `14:02` are counted from.
        content: Searches a run's files; asked last, and only about runs that everything else fits.
        tz: The zone of dates and times of day; None is the machine's.
    """

    def __init__(self, query: Query, *, now_ms: int, content: FindContent, tz: tzinfo | None = None) -> None:
        self._content = content
        self._cheap: list[tuple[_Test, bool]] = []
        self._contents: list[tuple[str, bool]] = []
        self._words = any(isinstance(term.condition, Word) for term in query.terms)
        for term in query.terms:
            self._add(term, now_ms, tz)

    def fits(self, candidate: Candidate) -> bool:
        """True when every condition holds; secrets are no words to find a run by, so pass what `masked` gives."""
        words = words_of(candidate) if self._words else ""
        if not all(test(candidate, words) != negated for test, negated in self._cheap):
            return False
        run_id = candidate.facts.run_id
        return all(self._content(run_id, text) != negated for text, negated in self._contents)

    def _add(self, term: Term, now_ms: int, tz: tzinfo | None) -> None:
        test = _test(term.condition, now_ms, tz)
        if test is None:
            self._contents.append((getattr(term.condition, "text", ""), term.negated))
        else:
            self._cheap.append((test, term.negated))


def _test(condition: Condition, now_ms: int, tz: tzinfo | None) -> _Test | None:
    """What a condition asks; None for `content:`, which cannot be told from the facts."""
    if isinstance(condition, Word):
        wanted = fold(condition.text)
        return lambda run, words: wanted in words or wanted in run.facts.status
    if isinstance(condition, StatusIs):
        statuses = frozenset(condition.words)
        return lambda run, _: run.facts.status in statuses
    if isinstance(condition, NameIs):
        return _name_is(condition)
    if isinstance(condition, Compare):
        return _compare(condition)
    return _started(condition, now_ms, tz) if isinstance(condition, Started) else None


def _name_is(condition: NameIs) -> _Test:
    tests = [name_test(condition.field, pattern) for pattern in condition.patterns]
    return lambda run, _: any(test(fold(name)) for name in names_of(run, condition.field) for test in tests)


def names_of(run: Candidate, field: NameField) -> Sequence[str]:
    """The names a run has in a field, as found."""
    if field == "tool":
        return run.tools
    if field == "model":
        return (run.facts.model,) if run.facts.model else ()
    if field == "id":
        return (run.facts.run_id,)
    return run.facts.tags if field == "tag" else run.facts.artifacts


def _compare(condition: Compare) -> _Test:
    fits, number, wanted = _SIGNS[condition.sign], _NUMBERS[condition.field], condition.value

    def test(run: Candidate, _words: str) -> bool:
        value = number(run.facts)
        return value is not None and fits(value, wanted)

    return test


def _started(condition: Started, now_ms: int, tz: tzinfo | None) -> _Test:
    at = moment_ms(condition.moment, now_ms, tz)
    if condition.field == "since":
        return lambda run, _: run.facts.started_at >= max(at, 1)
    return lambda run, _: 0 < run.facts.started_at < at


def moment_ms(moment: Moment, now_ms: int, tz: tzinfo | None = None) -> int:
    """A moment as wall time in milliseconds; 0 where no calendar holds it."""
    if isinstance(moment, Ago):
        return max(0, now_ms - moment.ms)
    try:
        return max(0, int(_local(moment, now_ms, tz).timestamp() * 1000))
    except (OverflowError, ValueError, OSError):
        return 0


def _local(moment: Moment, now_ms: int, tz: tzinfo | None) -> datetime:
    now = datetime.fromtimestamp(now_ms / 1000, tz)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if isinstance(moment, DaysBack):
        return midnight - timedelta(days=moment.days)
    if isinstance(moment, TimeOfDay):
        hour, rest = divmod(moment.second, 3600)
        at = midnight.replace(hour=hour, minute=rest // 60, second=rest % 60)
        return at if at <= now else at - timedelta(days=1)
    return datetime.fromisoformat(getattr(moment, "iso", "")).replace(tzinfo=tz)
