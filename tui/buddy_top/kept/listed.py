"""The kept runs as a list, filtered and ordered like the others. Reads the archive: not for the feed's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from buddy_core.errors import BuddyError
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.names import started_at_of
from buddy_top.drawing import format as fmt
from buddy_top.listing.memory import arranged
from buddy_top.listing.model import Listing, ListWants

if TYPE_CHECKING:
    from buddy_core.runs.keeping.archive import Archive
    from buddy_core.runs.keeping.kept import KeptRun


def list_kept(archive: Archive, wants: ListWants, now_ms: int) -> Listing:
    """The kept runs that fit; damaged ones say so in place of their objective, and fit no filter."""
    every, unread = archive.kept(), set[str]()
    fitting = _fitting(archive, every, wants, now_ms, unread)
    damaged = [] if wants.query is not None else [_damaged(run) for run in every if run.manifest is None]
    ids, depths = arranged([*fitting, *damaged], wants, now_ms)
    return Listing(
        wants,
        ids,
        len(every),
        depths,
        facts={run.run_id: run for run in (*fitting, *damaged)},
        partial=frozenset(run.run_id for run in damaged),
        problem=f"{fmt.plural(len(unread), 'copy', 'copies')} could not be searched" if unread else "",
    )


def _fitting(
    archive: Archive, every: list[KeptRun], wants: ListWants, now_ms: int, unread: set[str]
) -> list[RunFacts]:
    """Those that fit; whose files cannot be searched is put into `unread`, and holds no text."""
    manifests = [run.manifest for run in every if run.manifest is not None]
    if wants.query is None:
        return [manifest.facts for manifest in manifests]
    from buddy_core.runs.query.evaluate import Matcher

    def holds(run_id: str, text: str) -> bool:
        try:
            return archive.holds_text(run_id, text)
        except (OSError, BuddyError):
            unread.add(run_id)
            return False

    matcher = Matcher(wants.query, now_ms=now_ms, content=holds)
    return [manifest.facts for manifest in manifests if matcher.fits(manifest.candidate)]


def _damaged(run: KeptRun) -> RunFacts:
    """A line for a copy of which nobody can say more than that it is no good."""
    return RunFacts(
        run_id=run.run_id,
        objective=run.problem or "damaged",
        status="interrupted",
        recorded_status=None,
        started_at=started_at_of(run.run_id) or 0,
        ended_at=None,
        last_event_at=None,
        duration_ms=None,
        event_count=0,
        tool_calls=0,
        tool_failures=0,
        errors=0,
    )
