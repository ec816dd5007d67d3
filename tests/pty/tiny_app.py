"""A small app on the same base as the monitor, which breaks in the way its argument names."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import sys
import threading
import warnings
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from buddy_core.safety.ascii import speaks_utf8
from buddy_top.options import Options
from buddy_top.terminal.safe_app import SafeApp

PAYLOAD = (
    "\x1b]0;owned\x07 \x9b31m \x1b]52;c;ZXZpbA==\x07 \x1bPq\x1b\\ \u202e\u200d\U000e0041 \r\b\x00\x7f pay"
)


class Raw(Widget):
    """Draws text without looking at it, as a careless widget would."""

    text = "hello ─│╭ ▁▅█ ⣿ ● ✓ 日本"
    count = 0

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[int, str] = {}

    def render_line(self, y: int) -> Strip:
        line = self.rows.get(y) or (self.text if y == 0 else "")
        style = Style(color="red", bgcolor="blue", link="file:///etc/passwd" if y == 0 else None)
        return Strip([Segment(line, style)]).adjust_cell_length(self.size.width, style)


class Behaviour:
    """The bad habits, by name."""

    flooding: Timer

    def compose(self) -> ComposeResult:
        yield Raw()

    def on_mount(self) -> None:
        habit = getattr(self, f"habit_{sys.argv[1].replace('-', '_')}", None)
        if habit is not None:
            self.call_after_refresh(habit)  # type: ignore[attr-defined]

    def on_key(self, event: object) -> None:
        if getattr(event, "character", None) == "q":
            self.exit()  # type: ignore[attr-defined]
        if getattr(event, "character", None) == "s":
            self.flooding.stop()
            Path(sys.argv[2]).with_suffix(".stopped").touch()

    def say(self, text: str) -> None:
        self.query_one(Raw).text = text  # type: ignore[attr-defined]
        self.query_one(Raw).refresh()  # type: ignore[attr-defined]

    def habit_payload(self) -> None:
        self.say(PAYLOAD)

    def habit_crash(self) -> None:
        canary = "SECRET-IN-A-LOCAL"
        raise ValueError(f"bad \x1b]0;owned\x07 word ({len(canary)})")

    async def habit_leave_early(self) -> None:
        self.exit()  # type: ignore[attr-defined]
        await self.mount(Raw())  # type: ignore[attr-defined]

    async def habit_leave_bare(self) -> None:
        self.exit()  # type: ignore[attr-defined]
        self.call_later(lambda: Raw().screen)  # type: ignore[attr-defined]

    def habit_worker_crash(self) -> None:
        async def fail() -> None:
            canary = "SECRET-IN-A-LOCAL"
            raise LookupError(f"gone \x9b31m ({len(canary)})")

        self.run_worker(fail())  # type: ignore[attr-defined]

    def habit_hang(self) -> None:
        self.say("hanging")

        def forever() -> None:
            if len(sys.argv) > 2:
                Path(sys.argv[2]).write_text("hung", encoding="utf-8")
            while True:
                with contextlib.suppress(BaseException):
                    threading.Event().wait()

        self.set_timer(0.1, forever)  # type: ignore[attr-defined]

    def habit_slow_exit(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, threading.Event().wait)
        self.say("a thread that never ends")

    def habit_stray(self) -> None:
        os.write(2, b"\x1b]0;stray\x07 stray on stderr\n")
        os.write(1, b"\x1b]0;stray\x07 stray on stdout\n")
        print("printed", file=sys.stderr)
        warnings.warn("a warning", stacklevel=1)
        faulthandler.dump_traceback(file=2)  # type: ignore[arg-type]
        self.say("still whole")

    def habit_flood(self) -> None:
        self.say("flood")
        self.flooding = self.set_interval(1 / 60, self.flood)  # type: ignore[attr-defined]

    def flood(self) -> None:
        """Change one line after the other, and have only that line drawn."""
        raw = self.query_one(Raw)  # type: ignore[attr-defined]
        raw.count += 1
        row = 1 + raw.count % (raw.size.height - 1)
        raw.rows[row] = f"{raw.count} " * 200
        raw.refresh(Region(0, row, raw.size.width, 1))
        if len(sys.argv) > 2:
            Path(sys.argv[2]).write_text(str(raw.count), encoding="utf-8")


class Guarded(Behaviour, SafeApp):
    """What the monitor is built on."""


class Careless(Behaviour, App[None]):
    """Textual alone: the negative control."""


def main() -> int:
    if "--careless" in sys.argv:
        app = Careless()
        app.run()
        return app.return_code or 0
    gone = Path(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[1] != "flood" else None
    return Guarded(
        Options(
            runs_dir=Path("/nonexistent"),
            debug="--debug" in sys.argv,
            ascii=not speaks_utf8(os.environ),
            on_forced_exit=None
            if gone is None
            else lambda: gone.write_text("bye", encoding="utf-8") and None,
        )
    ).run_screen()


if __name__ == "__main__":
    sys.exit(main())
