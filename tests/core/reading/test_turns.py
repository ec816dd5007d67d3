"""`turn-metrics.jsonl`: lines become requests, and requests find the one run they belong to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.metrics.model import ApiRequest
from buddy_core.runs.folding.turnfile import TurnFile
from buddy_core.runs.folding.turns import FOREVER, JOIN_MARGIN_MS, RunSpan, TurnBook, iso_ms, turn_requests
from buddy_core.runs.records.payloads import UNNAMED, TurnLine

T0 = 1_767_890_000_000
AT = "2026-01-08T16:33:20Z"  # T0

LINE = (
    '{"version":1,"at":"2026-01-08T16:33:20.125Z","provider":"anthropic","model":"opus",'
    '"ttftMs":1862,"totalMs":4654,"inputTokens":40448,"outputTokens":3,"totalTokens":40451}\n'
)


def turn(at: int, model: str = "opus") -> ApiRequest:
    return ApiRequest(provider="anthropic", model=model, at_ms=at)


def owners(book: TurnBook, turns: list[ApiRequest], spans: list[RunSpan]) -> list[str | None]:
    return [joined.run_id for joined in book.enter(turns, spans)]


def test_a_line_is_a_request_with_its_own_time_and_no_cost(tmp_path: Path) -> None:
    (tmp_path / "turn-metrics.jsonl").write_text(LINE)
    (request,), more = TurnFile(tmp_path / "turn-metrics.jsonl").read()

    assert (request.provider, request.model, request.at_ms) == ("anthropic", "opus", T0 + 125)
    assert (request.latency_ms, request.ttft_ms) == (4654.0, 1862.0)
    assert (request.prompt_tokens, request.completion_tokens, request.total_tokens) == (40448, 3, 40451)
    assert (request.cost, request.success, request.run_id, more) == (None, True, None, False)


def test_a_turn_lies_in_a_run_from_five_seconds_before_to_five_seconds_after() -> None:
    span = RunSpan("a", T0, T0 + 1000)
    edges = [
        T0 - JOIN_MARGIN_MS - 1,
        T0 - JOIN_MARGIN_MS,
        T0 + 1000 + JOIN_MARGIN_MS,
        T0 + 1001 + JOIN_MARGIN_MS,
    ]

    assert owners(TurnBook(), [turn(at) for at in edges], [span]) == [None, "a", "a", None]


def test_a_turn_of_two_runs_belongs_to_neither_and_is_called_ambiguous() -> None:
    book = TurnBook()
    spans = [RunSpan("a", T0, T0 + 60_000), RunSpan("b", T0 + 30_000, FOREVER)]

    assert owners(book, [turn(T0), turn(T0 + 40_000), turn(T0 + 90_000)], spans) == ["a", None, "b"]
    assert (book.ambiguous, len(book)) == (1, 3)


def test_an_ambiguous_turn_still_overlaps_both_runs() -> None:
    book = TurnBook()
    a, b, c = RunSpan("a", T0, T0 + 100), RunSpan("b", T0, T0 + 100), RunSpan("c", T0 + 60_000, T0 + 70_000)
    book.enter([turn(T0 + 50)], [a, b, c])

    assert [book.overlaps(span) for span in (a, b, c)] == [True, True, False]


def test_the_model_of_a_run_is_known_when_all_its_turns_agree() -> None:
    book = TurnBook()
    spans = [RunSpan("a", T0, T0 + 10), RunSpan("b", T0 + 50_000, T0 + 50_010)]
    book.enter([turn(T0), turn(T0 + 1), turn(T0 + 50_000), turn(T0 + 50_001, "haiku")], spans)

    assert (book.model_of("a"), book.model_of("b"), book.model_of("c")) == ("opus", None, None)


@given(
    st.lists(st.integers(0, 60_000), max_size=12),
    st.lists(st.tuples(st.integers(0, 60_000), st.integers(0, 30_000)), max_size=6),
)
def test_the_join_is_what_comparing_every_turn_with_every_run_gives(
    times: list[int], runs: list[tuple[int, int]]
) -> None:
    spans = [RunSpan(str(n), T0 + start, T0 + start + length) for n, (start, length) in enumerate(runs)]
    holders = [
        [s.run_id for s in spans if s.started_at - JOIN_MARGIN_MS <= T0 + at <= s.ended_at + JOIN_MARGIN_MS]
        for at in times
    ]
    book = TurnBook()

    assert owners(book, [turn(T0 + at) for at in times], spans) == [
        h[0] if len(h) == 1 else None for h in holders
    ]
    assert book.ambiguous == sum(len(h) > 1 for h in holders)
    for span in spans:
        assert book.overlaps(span) == any(span.run_id in h for h in holders)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (AT, T0),
        ("2026-01-08T17:33:20+01:00", T0),
        ("2026-01-08T16:33:20", T0),
        ("2026-01-08T16:33:20.999999Z", T0 + 999),
        (str(T0), T0),
        ("1e400", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00+14:00", 0),
        ("9999-12-31T23:59:59-14:00", 253402351199000),
    ],
)
def test_times_are_understood_or_unknown_and_never_an_exception(
    text: str | None, expected: int | None
) -> None:
    """Case 40."""
    assert iso_ms(text) == expected


@given(st.text(max_size=50))
def test_any_text_for_a_time_is_harmless(text: str) -> None:
    """Case 40."""
    at = iso_ms(text)
    assert at is None or at >= 0


def test_a_turn_without_a_usable_time_gets_its_predecessors() -> None:
    requests = turn_requests([TurnLine(at=AT, model="a"), TurnLine(at="?", model="b")])

    assert [request.at_ms for request in requests] == [T0, T0]
    assert turn_requests([TurnLine(model="c")], after=T0)[0].at_ms == T0


def test_fields_of_another_type_are_taken_as_far_as_they_go(tmp_path: Path) -> None:
    """Case 46."""
    file = tmp_path / "turn-metrics.jsonl"
    file.write_text(
        '{"version":1,"at":1767890000000,"provider":null,"model":5,"totalMs":"900","inputTokens":"12","outputTokens":-4}\n'
        "{}\nnot json\n[1]\n" + LINE
    )
    source = TurnFile(file)
    requests, _ = source.read()

    assert [(r.provider, r.model, r.prompt_tokens, r.completion_tokens, r.latency_ms) for r in requests] == [
        (UNNAMED, "5", 12, 0, 900.0),
        ("anthropic", "opus", 40448, 3, 4654.0),
    ]
    assert source.accounting.skipped_lines == 2
    assert source.accounting.balanced


def test_a_turn_is_handed_out_once_however_often_the_file_is_replaced(tmp_path: Path) -> None:
    """Cases 24 and 26."""
    file = tmp_path / "turn-metrics.jsonl"
    source = TurnFile(file)
    second = LINE.replace("opus", "haiku")
    handed_out = []
    for content in (LINE, LINE + second, second, LINE + second, "", LINE + LINE + second):
        file.unlink(missing_ok=True)
        file.write_text(content)
        more = True
        while more:
            requests, more = source.read()
            handed_out += [request.model for request in requests]

    assert handed_out == ["opus", "haiku", "opus"]


def test_a_missing_file_has_no_turns_and_may_come_later(tmp_path: Path) -> None:
    source = TurnFile(tmp_path / "turn-metrics.jsonl")
    assert (source.present, source.read()) == (False, ([], False))
    (tmp_path / "turn-metrics.jsonl").write_text(LINE[:40])
    assert (source.present, source.read()) == (True, ([], False))
    with (tmp_path / "turn-metrics.jsonl").open("a") as file:
        file.write(LINE[40:])

    assert len(source.read()[0]) == 1
