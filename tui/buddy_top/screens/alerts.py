"""The alerts: what somebody should look at, each with its reason; enter goes there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from buddy_core.safety.shown import shown
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.messages import OpenRun, OpenTab
from buddy_top.screens.card import Card
from buddy_top.state import Snapshot, Tab
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.table import Column, Table
from buddy_top.widgets.text.view import TextView

if TYPE_CHECKING:
    from buddy_core.alerts.limits import Limits
    from buddy_core.alerts.model import Alert

_COLUMNS = (
    Column("rule", Plain("alert"), 17, sortable=False),
    Column("subject", Plain("about"), 18, sortable=False, priority=1),
    Column("why", Plain("why"), 36, grow=1, sortable=False),
    Column("since", Plain("since"), 12, align="right", sortable=False),
)
_LONGEST = 12
"""Rows shown without scrolling at most; the reason stands below them."""

_REASON, _QUIET = 5, 8
"""Lines for the reason of an alert, and for what is said where there is none."""


class AlertsScreen(Card["Alert | None"]):
    """Answers with the alert that was chosen, or None; follows the picture behind it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,a", "dismiss(None)", "back", show=False)]

    def __init__(self, snapshot: Snapshot, limits: Limits) -> None:
        super().__init__()
        self._snapshot = snapshot
        self._limits = limits
        self._alerts: Sequence[Alert] = ()
        self._now_ms = 0
        self._is_made = False

    def compose(self) -> ComposeResult:
        """A list, and below it the reason of the alert under the cursor."""
        with Panel(classes="card alerts") as self.panel:
            self.panel.set_title(Plain("Alerts"))
            self.table = Table(*_COLUMNS)
            yield self.table
            self.reason = TextView()
            yield self.reason

    def on_mount(self) -> None:
        """Fill it."""
        self._is_made = True
        self.show_snapshot(self._snapshot)
        self.call_after_refresh(self._explain)
        (self.table if self._alerts else self.reason).focus()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the alerts of a newer picture; the cursor stays on its alert."""
        self._snapshot = snapshot
        if not self._is_made:
            return
        self._alerts, self._now_ms = snapshot.alerts, snapshot.taken_at
        self.panel.set_summary(Plain("enter goes there · esc closes" if self._alerts else "esc closes"))
        self.table.display = bool(self._alerts)
        self.table.styles.height = min(len(self._alerts), _LONGEST) + 1
        self.reason.styles.height = _REASON if self._alerts else _QUIET
        self.table.set_source([_key(alert) for alert in self._alerts], self._cells)
        self._explain()

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another alert, another reason."""
        event.stop()
        self._explain()

    def on_table_opened(self, event: Table.Opened) -> None:
        """Go where it happens."""
        event.stop()
        self.dismiss(self._under_cursor())

    def _under_cursor(self) -> Alert | None:
        key = self.table.cursor_key
        return next((alert for alert in self._alerts if _key(alert) == key), None)

    def _cells(self, index: int) -> tuple[Cell, ...]:
        alert = self._alerts[index]
        ink = "bad" if alert.severity == "bad" else "warn"
        return (
            (Span(Plain(f"▲ {alert.rule.replace('_', ' ')}"), ink),),
            (Span(shown(alert.subject, limit=200)),),
            (Span(shown(alert.why), "label"),),
            (Span(fmt.date_time(alert.since_ms, self._now_ms), "dim"),),
        )

    def _explain(self) -> None:
        """Say why, once there is a width to wrap the words to."""
        if not self.reason.size.width:
            return
        alert = self._under_cursor()
        if alert is None:
            self.reason.set_lines(quiet_lines(self._limits))
            return
        for_ms = max(0, self._now_ms - alert.since_ms)
        began = f"since {fmt.date_time(alert.since_ms, self._now_ms)}, for {fmt.age(for_ms)}"
        since = Plain(f"{began} · {self._place(alert)}")
        self.reason.set_lines([(), (Span(shown(alert.why), "strong"),), (Span(since, "dim"),)])

    def _place(self, alert: Alert) -> Plain:
        """What enter opens."""
        if alert.run_id is None:
            return Plain("enter opens its tab")
        run = self._snapshot.by_id.get(alert.run_id)
        name = shown(run.objective, limit=80) if run is not None and run.objective else shown(alert.run_id)
        return Plain(f"enter opens the run “{name}”")


def way_to(alert: Alert) -> OpenRun | OpenTab:
    """What opens the place where an alert happens."""
    if alert.run_id is not None:
        return OpenRun(alert.run_id)
    if alert.rule == "tool_errors":
        return OpenTab(Tab.TOOLS, alert.subject)
    return OpenTab(Tab.PROVIDERS, alert.subject if alert.rule == "provider_errors" else None)


def quiet_lines(limits: Limits) -> list[Cell]:
    """What is said where there is no alert: that there is none, and what is looked at."""
    wait, share = fmt.duration(limits.wait_ms), fmt.percent(limits.error_percent)
    watched = (
        "a live run without an event for ten minutes",
        f"a call that waits over {wait}, and {limits.wait_factor:g} times its tool's longest",
        f"{limits.repeats} calls in a row with the same arguments and the same result",
        f"over {share} failures of {limits.error_calls} or more calls in 15 minutes",
        _budget_words(limits),
    )
    lines: list[Cell] = [(Span(Plain("Nothing needs attention."), "strong"),), ()]
    lines.append((Span(Plain("An alert would tell of"), "label"),))
    return lines + [(Span(Plain(f"· {words}"), "dim"),) for words in watched]


def _budget_words(limits: Limits) -> str:
    hour, day = limits.cost_per_hour, limits.cost_per_day
    told = [f"{fmt.cost(hour)} in an hour"] if hour is not None else []
    told += [f"{fmt.cost(day)} in a day"] if day is not None else []
    if told:
        return f"more than {' or '.join(told)} spent"
    return "a budget used up: none is set (cost_per_hour, cost_per_day)"


def _key(alert: Alert) -> str:
    return "\n".join((alert.rule, alert.subject, alert.run_id or ""))
