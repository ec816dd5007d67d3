"""The live feed tells of alerts in its pictures, by the limits it was given."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import NOW
from tests.tui.running.test_feed import all_loaded, running

from buddy_core.alerts.limits import Limits
from buddy_core.clock import ManualClock
from buddy_core.testing import RunDirectoryBuilder
from buddy_top.feed import Feed
from buddy_top.options import Options


def test_an_alert_comes_with_the_picture_of_what_caused_it_and_goes_with_what_ends_it(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000)
    for _ in range(3):
        made.tool("bash", {"command": "npm test"})
    made.write()
    with running(tmp_path) as (_, published):
        assert published.until(all_loaded).alerts == ()
        made.tool("bash", {"command": "npm test"}).write()
        told = published.until(lambda snapshot: bool(snapshot.alerts))
        assert [(alert.rule, alert.run_id) for alert in told.alerts] == [("repeating", made.run_id)]
        assert told.view.total_tool_calls == 4
        made.end().write()
        published.until(lambda snapshot: not snapshot.alerts)


def test_the_limits_of_the_options_are_those_of_the_feed(tmp_path: Path) -> None:
    made = RunDirectoryBuilder(tmp_path, started_at=NOW - 60_000).request(cost=2.0)
    made.write()
    options = Options(runs_dir=tmp_path, limits=Limits(cost_per_day=1.5), clock=ManualClock(NOW))
    feed = Feed(options)
    assert isinstance(feed, Feed)
    with running(tmp_path, feed=feed) as (_, published):
        told = published.until(lambda snapshot: bool(snapshot.alerts))
        assert [(alert.rule, alert.since_ms) for alert in told.alerts] == [("cost_per_day", NOW - 60_000)]
        assert [(use.limit, use.spent) for use in told.budgets] == [(1.5, 2.0)]
