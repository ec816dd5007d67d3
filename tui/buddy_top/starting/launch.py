"""From arguments to a screen: the monitor on real runs, or on the demonstration agent."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import cast

from msgspec.structs import replace

from buddy_core.clock import Clock
from buddy_core.metrics.window import Window
from buddy_core.runs.lookup import check_runs_dir
from buddy_core.safety.ascii import speaks_utf8
from buddy_core.settings import Settings
from buddy_top.cli.parser import wrong_usage
from buddy_top.config.load import Choices, limits_of
from buddy_top.config.places import chosen_archive, own_state_dir, state_file
from buddy_top.config.remembered import save
from buddy_top.config.resolve import Effective
from buddy_top.options import TABS, Options, TabName
from buddy_top.starting.arenas import no_more_arenas
from buddy_top.starting.bareloop import load_without_tls

_TURN_S = 0.001
"""So long a thread that computes may keep others waiting: drawing a picture takes dozens of turns, and 5 ms each show."""

_LAST_RESORT_S = 1.0
"""After the screen is gone: how long threads that do not end may keep the process."""


def run_monitor(args: argparse.Namespace, choices: Choices, settings: Settings, clock: Clock) -> int:
    """Draw the monitor on `settings.runs_dir`, which need not exist yet; returns the exit code."""
    if os.path.lexists(settings.runs_dir):
        check_runs_dir(settings.runs_dir)
    with _signals_end():
        code, wants_demo = _draw(
            _options(args, choices, settings.runs_dir, clock, home=settings.home), choices
        )
    if wants_demo:
        return run_demo(args, choices, clock)
    return code


def run_demo(args: argparse.Namespace, choices: Choices, clock: Clock) -> int:
    """Draw the monitor on a demonstration agent, whose runs are removed at the end; returns the exit code."""
    from buddy_top.cli.picture import print_once, screen_is_possible
    from buddy_top.demo import Demonstration

    demonstration = Demonstration(seed=args.seed, speed=args.speed, clock=clock)
    with _signals_end(demonstration.abandon), demonstration:
        if args.once or args.json or not screen_is_possible():
            return print_once(demonstration.runs_dir, choices, args.json, clock, remembers=False)
        options = _options(
            args, choices, demonstration.runs_dir, clock, demo=True, remove=demonstration.close
        )
        return _draw(options, choices)[0]


def _options(
    args: argparse.Namespace,
    choices: Choices,
    runs_dir: Path,
    clock: Clock,
    *,
    home: Path | None = None,
    demo: bool = False,
    remove: Callable[[], None] | None = None,
) -> Options:
    window = choices.value("window", str)
    remembers = not demo and bool(choices.value("remember", bool))
    return Options(
        runs_dir=runs_dir,
        window=None if window is None else Window(window),
        tab=cast(TabName, choices.value("tab", str) or TABS[0]),
        refresh_s=choices.value("refresh", float) or 0.25,
        theme=choices.value("theme", str),
        read_only=bool(choices.value("read_only", bool)),
        debug=args.debug,
        config=args.config,
        limits=limits_of(choices),
        prices=choices.file.prices if choices.value("estimate", bool) else None,
        notify=choices.value("notify", str) or "none",
        export_dir=choices.value("export_dir", str),
        ascii=not speaks_utf8(os.environ),
        history=None if demo else choices.history,
        watch_runs=choices.watch_runs,
        state=None if demo else own_state_dir(),
        archive=None if demo else chosen_archive(choices.value("archive_dir", str)),
        meter=bool(choices.value("meter", bool)),
        demo=demo,
        left=choices.remembered if remembers else None,
        home=home,
        clock=clock,
        on_forced_exit=remove,
    )


def with_known_theme(options: Options, decided: Effective, names: Sequence[str]) -> Options:
    """`options` with a theme that there is; one that was left on the screen and is gone counts as none.

    Raises:
        SystemExit: Somebody asks for a theme that is none of `names`; what was said tells where, and which there are.
    """
    if options.theme is None or options.theme in names:
        return options
    if decided.origin != "remembered":
        wrong_usage(f"{decided.place}: {_no_such_theme(options.theme, names)}")
    return replace(options, theme=None)


def _no_such_theme(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, names, n=1)
    meant = f"did you mean {close[0]!r}? There" if close else "there"
    return f"there is no theme {name!r}; {meant} are {', '.join(names)}"


def _draw(options: Options, choices: Choices) -> tuple[int, bool]:
    """Run the app to its end: its exit code, and whether the user asked for the demonstration next."""
    sys.setswitchinterval(_TURN_S)
    no_more_arenas()
    load_without_tls()
    gc.disable()  # what is loaded now stays: a search for garbage among it would be a seventh of the start
    from textual.theme import BUILTIN_THEMES

    from buddy_top.app import monitor_class
    from buddy_top.drawing.themes import THEMES
    from buddy_top.terminal.teardown import end_process_within

    names = [*(theme.name for theme in THEMES), *BUILTIN_THEMES]
    options = with_known_theme(options, choices.settings["theme"], names)
    app = monitor_class(choices.file.keys)(options)
    code = app.run_screen()
    if options.left is not None and code == 0:
        save(state_file(), app.left_at())
    if options.on_forced_exit is not None:
        options.on_forced_exit()  # before there is a limit to the time that is left
    if not app.wants_demo:
        end_process_within(_LAST_RESORT_S, code)
    return code, app.wants_demo


@contextmanager
def _signals_end(last_duty: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Signals that would end the process at once, Ctrl-C among them, do so after a last duty; ignored ones stay ignored.

    They do not raise: an exception in the middle of a start, from inside a finalizer, an import lock or a class
    body that is being imported, is swallowed or becomes another one, and the monitor would go on.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        last_duty()
        os._exit(128 + number)

    from buddy_top.terminal.teardown import EXIT_SIGNALS

    ending = (signal.SIG_DFL, signal.default_int_handler)
    numbers = [number for number in EXIT_SIGNALS if signal.getsignal(number) in ending]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
