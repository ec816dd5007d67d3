"""Telling of new alerts beyond the screen: which are new, and what is sent to the terminal for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from buddy_core.safety.shown import shown

if TYPE_CHECKING:
    from buddy_core.alerts.model import Alert, AlertKey
    from buddy_top.state import Snapshot

QUIET_MS = 10 * 60_000
"""An alert that comes and goes is told once in so long."""

_BELL = "\a"


class Announcer:
    """Remembers what was told. What holds when the monitor starts is on the screen, and no news.

    `notify` is `none`, `bell` or `desktop` (OSC 9, which terminals show as a notification of the desktop).
    """

    def __init__(self, notify: str) -> None:
        self._notify = notify
        self._told: dict[AlertKey, int] | None = None
        self._held: frozenset[AlertKey] = frozenset()

    def words_for(self, snapshot: Snapshot) -> str:
        """What to write to the terminal for the alerts that are new in `snapshot`; empty where there is none."""
        if self._notify == "none" or snapshot.past is not None or not snapshot.sources.complete:
            return ""
        news = self._news(snapshot.alerts, snapshot.taken_at)
        if not news:
            return ""
        return _BELL if self._notify == "bell" else desktop_words(news)

    def _news(self, alerts: Sequence[Alert], now_ms: int) -> list[Alert]:
        held, self._held = self._held, frozenset(alert.key for alert in alerts)
        if self._told is None:
            self._told = {}
            return []
        told = self._told = {key: at for key, at in self._told.items() if now_ms - at < QUIET_MS}
        news = [alert for alert in alerts if alert.key not in held and alert.key not in told]
        told.update((alert.key, now_ms) for alert in news)
        return news


def desktop_words(alerts: Sequence[Alert]) -> str:
    """The notification: OSC 9. It begins with a name, for digits at its beginning mean a progress bar to some."""
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return f"\x1b]9;buddy-top: {shown(alerts[0].why, limit=200)}{more}{_BELL}"
