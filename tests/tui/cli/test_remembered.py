"""How the screen is left is how it is opened again, and nobody depends on it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tui.monitor import monitor, samples

from buddy_top.config.remembered import MAX_BYTES, Remembered, load, save


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return samples(tmp_path)


LEFT = Remembered({"tab": "tools", "window": "7d"}, {"tools": ("p95", True), "runs": ("cost", False)})


def test_what_is_saved_is_what_is_loaded_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "screen.json"
    assert save(path, LEFT)
    assert load(path) == LEFT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["screen.json"]


def test_a_place_that_cannot_be_written_harms_nobody() -> None:
    """Case 9."""
    assert not save(Path("/dev/null/state/screen.json"), LEFT)
    assert load(Path("/dev/null/state/screen.json")) == Remembered()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1]",
        b"[" * 100_000,
        b'{"tab": "' + b"x" * MAX_BYTES + b'"}',
        b'{"tab": 7, "window": "2h", "orders": 3, "theme": null}',
        b'{"orders": {"tools": ["p95"], "nowhere": ["x", true], "runs": ["x", 1]}}',
        b"\xff\xfe",
    ],
    ids=lambda data: repr(data[:12]),
)
def test_a_damaged_file_says_nothing(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "screen.json").write_bytes(data)
    assert load(tmp_path / "screen.json") == Remembered()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["tab", "orders", "tools"]), inner),
    )
)
def test_no_file_can_do_harm(tmp_path_factory: pytest.TempPathFactory, tree: object) -> None:
    path = tmp_path_factory.mktemp("state") / "screen.json"
    path.write_text(json.dumps(tree))
    assert set(load(path).values) <= {"tab", "window", "theme", "meter"}


async def test_tab_window_and_order_come_back(runs: Path) -> None:
    async with monitor(runs, left=Remembered()) as seen:
        await seen.press("3", "w", ">", "r")
        order = seen.app.panes[seen.app.tab].chosen_order()
        left = seen.app.left_at()
    assert left.values == {"tab": "tools", "window": "7d"}
    assert left.orders == {"tools": order}
    assert order is not None
    async with monitor(runs, left=left, tab="tools") as seen:
        assert seen.app.panes[seen.app.tab].chosen_order() == order
        assert seen.app.left_at() == left


async def test_what_was_merely_found_or_said_by_a_flag_is_not_remembered(runs: Path) -> None:
    async with monitor(runs, left=Remembered(), tab="errors", theme="nord") as seen:
        await seen.press("p")
        assert seen.app.left_at() == Remembered()


async def test_a_column_that_is_gone_is_ignored(runs: Path) -> None:
    left = Remembered({}, {"tools": ("no such column", True), "overview": ("x", True)})
    async with monitor(runs, left=left, tab="tools") as seen:
        assert seen.app.panes[seen.app.tab].chosen_order() is None
