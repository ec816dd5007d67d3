"""What the lines around the panes say: pure functions of a snapshot."""

from __future__ import annotations

import dataclasses
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.tui.monitor import NOW, PLACES, samples

from buddy_core.clock import ManualClock
from buddy_core.metrics.collector import MetricsCollector
from buddy_core.metrics.window import Window
from buddy_core.observing.observer import Observer
from buddy_core.runs.watching.census import NOT_THERE_YET
from buddy_top.commands import COMMANDS, Place, commands_at
from buddy_top.feeding.snapshots import take_snapshot
from buddy_top.frame.footer import action_is_at, footer_keys
from buddy_top.frame.header import header_fields, tab_labels
from buddy_top.frame.stage import slices_for
from buddy_top.frame.workspace import any_activity
from buddy_top.state import Snapshot, Tab, Wants


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """The sample runs at one moment."""
    clock = ManualClock(NOW)
    collector = MetricsCollector(clock=clock)
    observer = Observer(samples(tmp_path), collector, clock=clock)
    observer.load()
    observer.close()
    return take_snapshot(collector, observer, Wants(), now_ms=NOW)


def with_sources(snapshot: Snapshot, **changes: Any) -> Snapshot:
    return replace(snapshot, sources=dataclasses.replace(snapshot.sources, **changes))


def test_the_header_says_where_it_reads_and_what_it_counts(snapshot: Snapshot) -> None:
    fields = header_fields(snapshot, Window.H24, home=None, tz=UTC)
    assert fields.path == str(snapshot.sources.runs_dir)
    assert (fields.running, fields.stalled) == (2, 1)
    assert (fields.state, fields.state_words) == ("live", "live")
    assert fields.clock == "12:31"
    assert [name for name, chosen in fields.windows if chosen] == ["24h"]
    assert fields.cost == "$0.52"
    assert fields.cost_rate.endswith("/h")


def test_paths_under_home_are_shortened_and_others_are_not(snapshot: Snapshot) -> None:
    home = snapshot.sources.runs_dir.parent
    assert header_fields(snapshot, Window.ALL, home=home).path == "~/runs"
    elsewhere = header_fields(snapshot, Window.ALL, home=Path("/home/nobody")).path
    assert elsewhere == str(snapshot.sources.runs_dir)


def test_a_path_with_control_characters_is_shown_escaped(snapshot: Snapshot) -> None:
    odd = with_sources(snapshot, runs_dir=Path("/tmp/\x1b]0;x\x07/runs"))
    assert header_fields(odd, Window.ALL, home=None).path == "/tmp/␛]0;x␇/runs"


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, "live", "live"),
        ({"mode": "polling"}, "live", "live, polling"),
        ({"unreadable": 1}, "trouble", "live, 1 run unreadable"),
        ({"mode": "polling", "unreadable": 20}, "trouble", "live, polling, 20 runs unreadable"),
        ({"loaded": 3, "total": 30}, "busy", "reading 3 of 30 runs"),
        ({"problem": NOT_THERE_YET}, "busy", "waiting for the first run"),
        ({"problem": "no such directory", "loaded": 3, "total": 30}, "trouble", "no such directory"),
        ({"problem": "\x1b[31m" + "x" * 500}, "trouble", "␛[31m" + "x" * 54 + "…"),
    ],
)
def test_the_state_is_the_most_urgent_thing_there_is_to_say(
    changes: dict[str, Any], state: str, words: str, snapshot: Snapshot
) -> None:
    fields = header_fields(with_sources(snapshot, **changes), Window.ALL, home=None)
    assert (fields.state, fields.state_words) == (state, words)


def test_a_demonstration_is_called_one(snapshot: Snapshot) -> None:
    """Its directory is gone at the end, and its name tells nobody anything."""
    fields = header_fields(snapshot, Window.ALL, home=None, demo=True)
    assert (fields.path, fields.demo) == ("", True)


@pytest.mark.parametrize(
    ("behind", "words"), [(0, "paused"), (1, "paused, 1 change behind"), (214, "paused, 214 changes behind")]
)
def test_a_paused_picture_says_how_much_waits(behind: int, words: str, snapshot: Snapshot) -> None:
    fields = header_fields(replace(snapshot, paused=True, behind=behind), Window.ALL, home=None)
    assert (fields.state, fields.state_words) == ("paused", words)


@pytest.mark.parametrize("rate", [None, 0.0])
def test_an_unknown_cost_is_a_dash_without_a_rate(snapshot: Snapshot, rate: float | None) -> None:
    unknown = replace(
        snapshot,
        view=dataclasses.replace(snapshot.view, total_cost=None),
        state=dataclasses.replace(snapshot.state, cost_per_hour=rate),
    )
    fields = header_fields(unknown, Window.ALL, home=None)
    assert (fields.cost, fields.cost_rate) == ("–", "")


def test_tabs_carry_what_they_hold_and_nothing_when_they_are_empty(snapshot: Snapshot) -> None:
    assert {label.key: label.count for label in tab_labels(snapshot)} == {
        "overview": None,
        "providers": "3",
        "tools": "7",
        "errors": "7",
        "runs": "12",
    }
    assert [label.count for label in tab_labels(None)] == [None] * 5
    assert [label.number for label in tab_labels(None)] == ["1", "2", "3", "4", "5"]
    assert [tab.number for tab in Tab] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("place", PLACES)
def test_an_action_is_allowed_exactly_where_one_of_its_commands_is(place: Place) -> None:
    here = {command.action.split("(")[0] for command in commands_at(place)}
    for command in COMMANDS:
        name = command.action.split("(")[0]
        assert action_is_at(name, place) is (name in here)
    assert action_is_at("copy_text", place), "what is none of our commands is none of our business"


@pytest.mark.parametrize(("width", "slices"), [(1, 20), (80, 70), (120, 110), (400, 240)])
def test_a_chart_gets_as_many_slices_as_it_has_columns_within_reason(width: int, slices: int) -> None:
    assert slices_for(width) == slices


def test_activity_is_anything_at_all_within_the_window(snapshot: Snapshot) -> None:
    nothing = dataclasses.replace(
        snapshot.view, total_requests=0, total_tool_calls=0, total_errors=0, unattributed_tokens=0
    )
    assert any_activity(snapshot)
    assert not any_activity(replace(snapshot, view=nothing))
    for field in ("total_requests", "total_tool_calls", "total_errors", "unattributed_tokens"):
        assert any_activity(replace(snapshot, view=dataclasses.replace(nothing, **{field: 1})))


def test_an_empty_directory_has_a_footer_of_its_own() -> None:
    assert [word for _, word, _ in footer_keys("overview", empty=True)] == [
        "demonstration",
        "help",
        "quit",
    ]
