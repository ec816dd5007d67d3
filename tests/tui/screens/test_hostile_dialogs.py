"""Promises C5 and C6 in what opens over the panes: cards, comparison, replay, the past. The last filter is off."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pty.hostile import ESCAPES, MARKUP, PAYLOADS
from tests.tui.monitor import NOW, Monitor, Staying, monitor
from tests.tui.screens.test_hostile_screens import Unguarded, is_harmless

from buddy_core.alerts.limits import Limits
from buddy_core.testing import RunDirectoryBuilder

SIZE = (160, 60)
CHOSEN = {**MARKUP, **{name: ESCAPES[name] for name in ("title", "c1", "bidi", "lines")}}
OPENED: dict[str, tuple[str, ...]] = {
    "timeline": (),
    "event": ("G", "k", "enter"),
    "raw event": ("G", "k", "enter", "J"),
    "metrics": ("v",),
    "artifacts": ("v", "v"),
    "family": ("v", "v", "v"),
    "raw": ("v", "v", "v", "v"),
    "comparison": ("D",),
    "replay": ("R",),
    "origin": ("i",),
    "alerts": ("a",),
    "help": ("question_mark",),
    "export": ("x",),
    "the past": ("left", "left"),
    "palette": ("ctrl+p", "open"),
    "filter": ("slash", "x", "colon"),
}


class Left(Staying, Unguarded):
    """Neither a last filter, nor a way out for a click."""


def write(root: Path, payloads: dict[str, str]) -> Path:
    """A run with every payload in every kind of event, a fork of it, and a call that repeats itself."""
    parent = None
    for suffix, ago in (("aaaaaa", 3_600_000), ("bbbbbb", 60_000)):
        first = next(iter(payloads.values()))
        metadata = {"tags": list(payloads.values()), "cwd": first}
        metadata |= {"parentRolloutId": parent, "forkReason": first} if parent else {}
        run = RunDirectoryBuilder(
            root, started_at=NOW - ago, suffix=suffix, objective=f"{first} {suffix}", metadata=metadata
        )
        for text in payloads.values():
            run.step(text, text).tool(text, {"command": f"{text}{suffix}", text: text}, error=text)
            run.tool("bash", {"command": f"pytest {text}"}, error=text).step_end(text)
            run.request(text, text, cost=0.1, latency_ms=10).error(text).event(text, {text: text})
        run.artifact("plan.md", "\n\n".join(f"# {one}\n[{one}]({one}) `{one}`" for one in payloads.values()))
        for _ in range(5):
            run.tool(first, {"command": first})
        run.tool("bash", {one: one for one in payloads.values()})
        parent = run.run_id
        run.write() if suffix == "bbbbbb" else run.end("failed").write()
    return root


async def opened(seen: Monitor, view: str) -> None:
    await seen.go("run")
    await seen.press(*OPENED[view])
    await seen.app.workers.wait_for_complete()
    await seen.settle()


@pytest.mark.parametrize(
    "view",
    [pytest.param(view, marks=() if view == "event" else pytest.mark.slow) for view in OPENED],
)
async def test_whatever_opens_over_a_run_is_text(view: str, tmp_path: Path) -> None:
    """Cases 55 to 58 and 60: no control character, no link, no action."""
    runs = write(tmp_path / "runs", CHOSEN)
    async with monitor(runs, size=SIZE, kind=Unguarded, limits=Limits()) as seen:
        await opened(seen, view)
        is_harmless(seen)
        await seen.press("pagedown")
        is_harmless(seen)
        if view in ("timeline", "event", "comparison", "replay", "family"):
            assert any(text[:9] in seen.text for text in MARKUP.values()), "no payload is in sight"


@pytest.mark.slow
@pytest.mark.parametrize(
    "view", [view for view in OPENED if view not in ("help", "export", "palette", "filter")]
)
@pytest.mark.parametrize("name", MARKUP)
async def test_a_click_on_markup_runs_nothing(view: str, name: str, tmp_path: Path) -> None:
    """Case 60: on every line of every view where it stands."""
    runs = write(tmp_path / "runs", {name: MARKUP[name]})
    async with monitor(runs, size=SIZE, kind=Left, limits=Limits()) as seen:
        await opened(seen, view)
        for y, line in enumerate(seen.lines):
            at = line.find(MARKUP[name][:9])
            if at >= 0:
                await seen.pilot.click(offset=(min(at + 3, SIZE[0] - 1), y))
                await seen.settle()
        assert isinstance(seen.app, Left)
        assert seen.app.exits == 0
        is_harmless(seen)


@pytest.mark.slow
async def test_every_payload_is_text_in_whatever_opens(tmp_path: Path) -> None:
    """Cases 55 to 58 and 60, with all payloads in one run."""
    runs = write(tmp_path / "runs", PAYLOADS)
    async with monitor(runs, size=SIZE, kind=Unguarded, limits=Limits()) as seen:
        for view in OPENED:
            await opened(seen, view)
            for _ in range(6):
                is_harmless(seen)
                await seen.press("pagedown")
            while seen.app.place != "run" or len(seen.app.screen_stack) > 1:
                await seen.press("escape")
            await seen.press("escape")
