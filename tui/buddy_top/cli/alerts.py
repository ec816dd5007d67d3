"""`buddy-top alerts`."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from buddy_core.clock import Clock
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width
from buddy_top.cli.parser import Commands, OneLineParser, add_history, typed
from buddy_top.config.schema import BY_NAME

if TYPE_CHECKING:
    from buddy_core.alerts.limits import Limits
    from buddy_core.alerts.model import Alert
    from buddy_top.config.load import Choices

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

_DESCRIPTION = (
    "Goes through the stored runs in time and says when somebody should have looked: a run that stalled, a call "
    "that waited far longer than its tool ever took, the same call with the same result again and again, a tool or "
    "model that failed too often, a budget that was used up. Exit code 0 whatever is found."
)


def add(commands: Commands, everywhere: OneLineParser) -> None:
    """Add `alerts` to the commands."""
    alerts = commands.add_parser(
        "alerts",
        parents=[everywhere],
        allow_abbrev=False,
        help="when somebody should have looked",
        description=_DESCRIPTION,
    )
    alerts.add_argument(
        "--since", type=_span, default="7d", metavar="SPAN", help="how far back: 90m, 12h, 7d (default), all"
    )
    for name in ("cost_per_hour", "cost_per_day"):
        setting = BY_NAME[name]
        alerts.add_argument(
            setting.flag,
            type=typed(setting.parse),
            default=argparse.SUPPRESS,
            metavar=setting.metavar,
            help=setting.help,
        )
    add_history(alerts)
    alerts.set_defaults(handler=_alerts)


def _span(text: str) -> tuple[str, int | None]:
    """A length of time as it was written, and in milliseconds; None for all there is."""
    word = text.strip().lower()
    found = _SPAN.fullmatch(word)
    if found is None and word != "all":
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time like 90m, 12h or 7d, and not “all”")
    return word, int(found[1]) * _UNIT_MS[found[2]] if found else None


def _alerts(args: argparse.Namespace, runs_dir: Path, clock: Clock) -> int:
    from buddy_core.alerts.replay import replay_alerts
    from buddy_core.history.keeper import reading_history
    from buddy_top.config.load import gather
    from buddy_top.config.prices import chosen_prices, price_table

    word, span_ms = args.since
    since_ms = 0 if span_ms is None else clock.now_ms() - span_ms
    choices = gather(args, os.environ)
    limits, prices = _limits(choices), price_table(chosen_prices(choices))
    history = reading_history(choices.history, clock)
    found = replay_alerts(runs_dir, since_ms, limits, clock=clock, prices=prices, history=history)
    if args.json:
        from buddy_core.runs.viewing.entries import fields_of
        from buddy_top.documents import heading, to_text

        entries = [fields_of(alert) for alert in found]
        span = {"since_ms": since_ms, "limits": fields_of(limits)}
        print_text(to_text({**heading(clock.now_ms()), **span, "alerts": entries}))
        return DONE
    past = "" if span_ms is None else f" in the last {word}"
    print_lines(_lines(found, clock.now_ms()) if found else [f"no alert would have fired{past}"])
    return DONE


def _limits(choices: Choices) -> Limits:
    """The limits that the arguments, the environment and the configuration file set."""
    from buddy_core.alerts.limits import Limits

    return Limits(
        cost_per_hour=choices.value("cost_per_hour", float),
        cost_per_day=choices.value("cost_per_day", float),
    )


def _lines(alerts: Sequence[Alert], now_ms: int) -> Iterator[str]:
    """When, which rule, in which run, and why; the sentence below the rest where a line has no room for it."""
    from buddy_core import format as fmt
    from buddy_core.safety.columns import Column, cells, lay_out
    from buddy_core.safety.text import plain

    columns = (Column("when"), Column("alert"), Column("run"), Column("why", limit=400))
    rows = [
        (
            fmt.date_time(alert.since_ms, now_ms),
            alert.rule.replace("_", " "),
            alert.run_id or "–",
            plain(alert.why),
        )
        for alert in alerts
    ]
    lines, width = lay_out(columns, rows), terminal_width()
    if width is None or all(cells(line) <= width for line in lines):
        yield from lines
        return
    heads = lay_out(columns[:3], [row[:3] for row in rows], heading=False)
    for head, row in zip(heads, rows, strict=True):
        yield head
        yield from wrap(row[3], max(20, width - 2), initial_indent="  ", subsequent_indent="  ")
