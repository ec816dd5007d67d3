"""`turn-metrics.jsonl`: the model requests of the original writer, and the runs they belong to.

The lines carry no run id. A turn belongs to a run when it lies between five seconds before the run's start
and five seconds after its end; where two runs claim it, it belongs to neither and is called ambiguous.
Whoever asks whether a run's tokens are already counted must also count the ambiguous ones: `overlaps`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.records.json_values import count_of, decode_object, number_of
from buddy_core.runs.records.payloads import MAX_NAME, UNNAMED, TurnLine, coerced
from buddy_core.runs.records.wire import Mend

TURN_METRICS = "turn-metrics.jsonl"
"""The file's name; it lies in the directory that holds the runs directory."""

JOIN_MARGIN_MS = 5_000
"""How long before a run's start and after its end a turn still belongs to it."""

FOREVER = 2**62
"""End of the span of a run that has not ended."""

_LATEST_MS = 253_402_300_800_000  # the year 10000, where datetime ends


class TurnDialect:
    """Lines of `turn-metrics.jsonl` for a `FileTail`; any JSON object is taken as far as it can be."""

    shape = re.compile(r'\{"(?:version|at)":')
    bulk = strict = staticmethod(msgspec.json.Decoder(TurnLine).decode)

    def loose(self, text: bytes, previous: TurnLine | None, mend: Mend) -> TurnLine | None:
        """Take what fits, field by field; None for what is no object."""
        fields = decode_object(text)
        if fields is None:
            return None
        mend("fields")
        return coerced(TurnLine, fields)


class RunSpan(NamedTuple):
    """When a run was at work, margins not included."""

    run_id: str
    started_at: int
    ended_at: int
    """`FOREVER` while it lives."""


def span_of(run: RunFacts) -> RunSpan:
    """From a run's start to its end; to its last event where nobody recorded an end."""
    end = run.ended_at or run.last_event_at or run.started_at
    return RunSpan(run.run_id, run.started_at, FOREVER if run.live else max(run.started_at, end))


def spans_around(runs: Iterable[RunFacts], turns: Sequence[ApiRequest]) -> Iterator[RunSpan]:
    """The spans of those of very many runs that can have made any of `turns`, and perhaps of some others."""
    times = [turn.at_ms for turn in turns]
    first, last = min(times, default=0) - JOIN_MARGIN_MS, max(times, default=0) + JOIN_MARGIN_MS
    for run in runs:
        end = run.ended_at or run.last_event_at or 0
        if run.started_at <= last and (run.live or end >= first or run.started_at >= first):
            yield span_of(run)


def turn_requests(lines: Iterable[TurnLine], *, after: int = 0) -> list[ApiRequest]:
    """One request a turn, in file order; a turn without a usable time gets its predecessor's (`after`).

    The cost is unknown, tokens that are not stated count as 0, and an object that names neither a time
    nor a model is no turn.
    """
    requests = []
    for line in lines:
        if line.at is not None or line.model != UNNAMED:
            requests.append(_request(line, after))
            after = requests[-1].at_ms
    return requests


def _request(line: TurnLine, before: int) -> ApiRequest:
    at = iso_ms(line.at)
    return ApiRequest(
        provider=line.provider[:MAX_NAME] or UNNAMED,
        model=line.model[:MAX_NAME] or UNNAMED,
        prompt_tokens=count_of(line.input_tokens) or 0,
        completion_tokens=count_of(line.output_tokens) or 0,
        latency_ms=number_of(line.total_ms),
        ttft_ms=number_of(line.ttft_ms),
        at_ms=before if at is None else at,
    )


class TurnBook:
    """Every turn that was ever read, by time, and the runs they were joined to."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._models: dict[str, set[str]] = {}
        self.ambiguous = 0
        """Turns that more than one run could have made."""

    def __len__(self) -> int:
        return len(self._times)

    def enter(self, turns: Sequence[ApiRequest], spans: Iterable[RunSpan]) -> list[ApiRequest]:
        """The same turns in the same order, with `run_id` where exactly one of `spans` holds them."""
        holders = _holders([turn.at_ms for turn in turns], spans)
        joined = [self._joined(turn, runs) for turn, runs in zip(turns, holders, strict=True)]
        self._times.extend(turn.at_ms for turn in turns)
        self._times.sort()
        return joined

    def overlaps(self, span: RunSpan) -> bool:
        """True when any turn, whoever's it is, lies within the span and its margins."""
        first = bisect_left(self._times, span.started_at - JOIN_MARGIN_MS)
        return first < len(self._times) and self._times[first] <= span.ended_at + JOIN_MARGIN_MS

    def model_of(self, run_id: str) -> str | None:
        """The model of the run's turns when it is one and the same; else None."""
        models = self._models.get(run_id, ())
        return next(iter(models)) if len(models) == 1 else None

    def _joined(self, turn: ApiRequest, runs: Sequence[str]) -> ApiRequest:
        self.ambiguous += len(runs) > 1
        if len(runs) != 1:
            return turn
        self._models.setdefault(runs[0], set()).add(turn.model)
        return replace(turn, run_id=runs[0])


def iso_ms(value: str | None) -> int | None:
    """An ISO 8601 time (UTC unless it says otherwise), or milliseconds as digits, as milliseconds."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value[:40])
    except ValueError:
        number = number_of(value)
        return int(number) if number is not None and 0 < number < _LATEST_MS else None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return max(0, since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000)


def _holders(times: Sequence[int], spans: Iterable[RunSpan]) -> list[tuple[str, ...]]:
    """For each time the runs that hold it: a sweep over both in order, with the open runs in a heap."""
    waiting = sorted(spans, key=lambda span: span.started_at, reverse=True)
    current: list[tuple[int, str]] = []
    found: list[tuple[str, ...]] = [()] * len(times)
    for index in sorted(range(len(times)), key=times.__getitem__):
        at = times[index]
        while waiting and waiting[-1].started_at - JOIN_MARGIN_MS <= at:
            span = waiting.pop()
            heappush(current, (span.ended_at + JOIN_MARGIN_MS, span.run_id))
        while current and current[0][0] < at:
            heappop(current)
        found[index] = tuple(run_id for _, run_id in current[:2])
    return found
