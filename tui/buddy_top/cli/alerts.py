"""`buddy-top alerts`."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path

from buddy_core.clock import Clock
from buddy_top.cli.output import DONE, print_lines, print_text, terminal_width
from buddy_top.cli.parser import Commands, OneLineParser, add_history, typed
from buddy_top.config.schema import BY_NAME

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
    from buddy_top.config.load import gather, limits_of
    from buddy_top.config.prices import chosen_prices, price_table

    word, span_ms = args.since
    since_ms = 0 if span_ms is None else clock.now_ms() - span_ms
    choices = gather(args, os.environ)
    limits, prices = limits_of(choices), price_table(chosen_prices(choices))
    history = reading_history(choices.history, clock)
    found = replay_alerts(runs_dir, since_ms, limits, clock=clock, prices=prices, history=history)
    if args.json:
        from buddy_core.runs.viewing.entries import fields_of
        from buddy_top.export.documents import alert_entry, heading, to_text

        entries = [alert_entry(alert) for alert in found]
        span = {"since_ms": since_ms, "limits": fields_of(limits)}
        print_text(to_text({**heading(clock.now_ms()), **span, "alerts": entries}))
        return DONE
    past = "" if span_ms is None else f" in the last {word}"
    if not found:
        print_lines([f"no alert would have fired{past}"])
        return DONE
    from buddy_top.cli.alert_lines import alert_lines

    print_lines(alert_lines(found, clock.now_ms(), terminal_width()))
    return DONE
