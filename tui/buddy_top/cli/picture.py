"""`buddy-top --once`, and the question whether anything more than lines can be shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from buddy_core.clock import Clock
from buddy_core.metrics.window import Window
from buddy_core.runs.lookup import check_runs_dir
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width
from buddy_top.config.load import Choices, limits_of


def screen_is_possible(environ: dict[str, str] | None = None) -> bool:
    """True when standard input and output are a terminal that can do more than print lines."""
    term = (os.environ if environ is None else environ).get("TERM", "")
    ends = (sys.stdin, sys.stdout)
    return term not in ("", "dumb", "unknown") and all(end is not None and end.isatty() for end in ends)


def print_once(
    runs_dir: Path, choices: Choices, as_json: bool, clock: Clock, *, remembers: bool = True
) -> int:
    """Everything is read, and what is remembered of runs that are gone; one picture or JSON object is printed.

    The alerts in it are those that hold at this moment.
    """
    from buddy_core.alerts.watch import alerts_now
    from buddy_core.history.keeper import reading_history
    from buddy_core.metrics.collector import MetricsCollector
    from buddy_core.observing.observer import Observer
    from buddy_top.cli.once_lines import picture
    from buddy_top.config.prices import chosen_prices, price_table
    from buddy_top.export.documents import monitor_entry, once_document, to_text
    from buddy_top.metering.use import own_use

    check_runs_dir(runs_dir)
    collector = MetricsCollector(clock=clock, prices=price_table(chosen_prices(choices)))
    history = reading_history(choices.history, clock) if remembers else None
    observer = Observer(runs_dir, collector, clock=clock, watch_runs=choices.watch_runs, history=history)
    observer.load()
    observer.close()
    window, now_ms = Window(choices.value("window", str) or "all"), clock.now_ms()
    alerts = alerts_now(observer, collector, limits_of(choices), now_ms)
    if as_json:
        began = clock.monotonic_ms()
        document = once_document(collector, observer, window, now_ms=now_ms, alerts=alerts)
        took = clock.monotonic_ms() - began
        use = own_use(queue_depth=observer.waiting, dropped_events=collector.refused, picture_ms=took)
        print_text(to_text({**document, "monitor": monitor_entry(use)}))
    else:
        width = terminal_width()
        print_lines(picture(collector, observer, window, now_ms=now_ms, width=width, alerts=alerts))
    return DONE
