"""Enter on a row of the timeline: the whole event, readable or as it stands in its file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tui.monitor import COMFORTABLE, NOW, Monitor, command, monitor, samples, ways

from buddy_core.runs.timeline.timeline import load_timeline
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.drawing.cells import text_of
from buddy_top.run_view.timeline.event_text import MOST_LINES, Record, raw, read_event, readable
from buddy_top.screens.event import EventScreen


def one_run(root: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(root, started_at=NOW - 600_000, objective="Fix it")
    run.tool(
        "bash", {"command": "pytest -q\nruff check", "env": {}}, took_ms=812, error="line one\n  line two"
    )
    return run


async def opened(seen: Monitor, *keys: str) -> EventScreen:
    await seen.press(*keys)
    await seen.app.workers.wait_for_complete()
    await seen.settle()
    assert isinstance(seen.app.screen, EventScreen)
    return seen.app.screen


async def test_enter_shows_the_call_with_its_result(tmp_path: Path) -> None:
    one_run(tmp_path).end("failed").write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        await opened(seen, "g", "down", "enter")
        for words in (
            "✗ bash",
            "call",
            "│ pytest -q",
            "│ ruff check",
            "result",
            "success  false",
            "│ line one",
        ):
            assert words in seen.text.replace("\xa0", " "), words
        await seen.press("escape")
        assert seen.app.place == "run"


async def test_right_and_left_go_through_the_rows(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        await seen.go("run")
        screen = await opened(seen, "g", "enter")
        assert screen.row.kind == "run_start"
        await opened(seen, "left")
        assert screen.row.kind == "run_start", "there is nothing before the first"
        await opened(seen, "right")
        assert screen.row.index == 1


async def test_leaving_the_card_leaves_the_cursor_on_the_row_that_was_read_last(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        await seen.go("run")
        await opened(seen, "g", "enter")
        screen = await opened(seen, "right", "right", "right")
        await seen.press("escape")
        assert seen.cursor == str(screen.row.index) == "3"


async def test_leaving_the_card_where_it_was_opened_goes_on_following(tmp_path: Path) -> None:
    async with monitor(samples(tmp_path), size=COMFORTABLE) as seen:
        await seen.go("run")
        seen.table.follow = True
        await opened(seen, "enter")
        await opened(seen, "left", "right")
        await seen.press("escape")
        assert seen.table.follow


async def test_capital_j_shows_the_record_as_it_stands(tmp_path: Path) -> None:
    one_run(tmp_path).write()
    assert {place for place, _ in ways("raw")} == {"run"}
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        await opened(seen, "g", "down", command("raw").keys)
        assert '"type":"tool_call"' in seen.text.replace(" ", "")
        await seen.press("J")
        assert "│ pytest -q" in seen.text


async def test_a_run_that_is_removed_meanwhile_is_told(tmp_path: Path) -> None:
    """Case 27."""
    run = one_run(tmp_path)
    run.write()
    async with monitor(tmp_path, size=COMFORTABLE) as seen:
        await seen.go("run")
        run.events_file.unlink()
        await opened(seen, "enter")
        assert "the event cannot be read" in seen.text


def words_of(run: RunDirectoryBuilder, index: int = -1) -> list[str]:
    row = load_timeline(run.run_dir).rows[index]
    return [text_of(cell) for cell in readable(read_event(run.run_dir, row), row)]


def test_a_call_without_a_result_says_so(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000)
    run.call("bash", {"command": "sleep 9"})
    run.write()
    assert words_of(run)[-1] == "  no result yet"


def test_a_record_recovered_from_a_damaged_line_is_flagged(tmp_path: Path) -> None:
    """Case 30."""
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000)
    record = json.dumps({"ts": NOW, "runId": run.run_id, "type": "decision", "data": {"description": "go"}})
    run.raw(f'{{"ts":{NOW},"runId":"{run.run_id}","ty{record}\n{record}\n'.encode()).write()
    assert words_of(run, -2)[0] == "event   recovered from a damaged line: shown, never run again"
    assert words_of(run, -1)[0] == "event"


def test_a_list_says_how_many_items_it_has(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000)
    run.event("odd", {"tags": ["one"], "files": ["a", "b"]}).write()
    told = words_of(run)
    assert "    tags  1 item" in told
    assert "    files  2 items" in told


def test_hostile_records_are_shown_harmless(tmp_path: Path) -> None:
    """Cases 43, 55 and 60."""
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000)
    run.event(
        "\x1b[2J[@click=app.quit]x[/]",
        {"a\x1b]0;t\x07": "\x9b31m\u202e", "deep": json.loads("[" * 200 + "]" * 200)},
    )
    run.write()
    row = load_timeline(run.run_dir).rows[-1]
    records = read_event(run.run_dir, row)
    for cell in (*readable(records, row), *raw(records)):
        text = text_of(cell)
        assert not any(sign in text for sign in "\x1b\x9b\u202e\x07")
    assert any("(too deep)" in text_of(cell) for cell in readable(records, row))


def test_a_record_of_endless_lines_is_cut_and_says_so(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000)
    run.event("odd", {"items": list(range(MOST_LINES * 2))}).write()
    shown = words_of(run)
    assert len(shown) < MOST_LINES + 10
    assert "cut here" in shown[-1]


def test_what_is_no_json_is_shown_as_it_stands(tmp_path: Path) -> None:
    run = RunDirectoryBuilder(tmp_path, started_at=NOW - 1_000)
    run.event("odd", {"x": 1}).write()
    row = load_timeline(run.run_dir).rows[-1]
    shown = [text_of(cell) for cell in readable([Record(b'{"ts":1,"broken')], row)]
    assert shown == ["event", "  not readable as JSON; as it stands:", '  {"ts":1,"broken']
