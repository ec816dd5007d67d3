"""What the widgets see: one frozen `Snapshot` at a time, and the `Wants` that decide what it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Literal

import msgspec

from buddy_core.metrics.window import Window

if TYPE_CHECKING:  # the first frame is drawn before the library is loaded
    from pathlib import Path

    from buddy_core.alerts.model import Alert, BudgetUse
    from buddy_core.metrics.looking.model import (
        Activity,
        DashboardState,
        ErrorGroup,
        HistogramBin,
        SeriesPoint,
        ToolDepth,
        Trend,
        WindowView,
    )
    from buddy_core.metrics.model import ErrorRecord
    from buddy_core.observing.observer import SourceStatus
    from buddy_core.past.moment import PastMoment
    from buddy_core.prices.rates import Price
    from buddy_core.runs.artifacts.files import ArtifactInfo
    from buddy_core.runs.facts import RunFacts
    from buddy_core.runs.folding.uses import ModelUse
    from buddy_core.runs.lineage.model import Family
    from buddy_core.runs.numbers.runnumbers import RunNumbers
    from buddy_core.runs.reading.accounting import Accounting
    from buddy_core.runs.reading.rawfile import RawLine, RawName
    from buddy_core.runs.timeline.around import Moment, Surroundings
    from buddy_core.runs.timeline.index.eventindex import EventIndex
    from buddy_core.runs.timeline.timeline import TimelineRow
    from buddy_top.listing.model import Listing, ListWants
    from buddy_top.past.view import PastView

SeriesKind = Literal["provider", "tool", "error"]
RunView = Literal["timeline", "metrics", "artifacts", "family", "raw"]


class Tab(Enum):
    """The five tabs, in their order on the screen."""

    OVERVIEW = "overview"
    PROVIDERS = "providers"
    TOOLS = "tools"
    ERRORS = "errors"
    RUNS = "runs"

    @property
    def number(self) -> int:
        """The digit key that opens it, from 1."""
        return list(Tab).index(self) + 1


class RawSearch(msgspec.Struct, frozen=True):
    """A search for the next line that has some words; another `number` is another search."""

    number: int
    words: str
    first: int
    step: int


class RawWants(msgspec.Struct, frozen=True):
    """Which lines of which file of a run."""

    name: RawName = "events.jsonl"
    first: int = 0
    last: int = 100
    line: int = 0
    """The line under the cursor."""
    search: RawSearch | None = None


class Wants(msgspec.Struct, frozen=True):
    """What the screen shows right now, and so what a snapshot has to hold; nothing else is computed."""

    tab: Tab = Tab.OVERVIEW
    window: Window = Window.H24
    slices: int = 96
    """Into how many columns of time charts are cut."""
    series: tuple[SeriesKind, str] | None = None
    """The provider, tool or error group whose detail is on the screen."""
    trends: SeriesKind | None = None
    """What is listed with a trend in each row."""
    run_id: str | None = None
    """The run whose detail is on the screen."""
    rows: tuple[int, ...] = ()
    """The rows of that run's timeline that are on the screen or near it, by their numbers."""
    row_filter: str = ""
    """What the rows of its timeline are filtered by."""
    family: bool = False
    """The forks around that run are on the screen."""
    numbers: bool = False
    """The numbers of that run over its time are on the screen."""
    raw: RawWants | None = None
    """Lines of one of that run's files are on the screen."""
    around: Moment | None = None
    """The error whose neighbours in its run are on the screen."""
    listing: ListWants | None = None
    """What of the list of runs is on the screen, or needed to step through it."""
    names: bool = False
    """A filter of runs is being typed, and completed with the names that are there."""
    past: PastMoment | None = None
    """The moment that everything is shown as of; None: now."""


class FilterNames(msgspec.Struct, frozen=True):
    """The names that runs have, the commonest first, as far as there are not too many; without secrets."""

    tags: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()


class RawPage(msgspec.Struct, frozen=True):
    """Lines of one file of a run as they stand, and where a search ended."""

    run_id: str
    wants: RawWants
    sizes: tuple[tuple[RawName, int], ...] = ()
    """The files there are, with their sizes."""
    lines: int = 0
    """How many were found so far."""
    read_bytes: int = 0
    reading: bool = False
    """The end of the file has not been reached yet."""
    page: tuple[RawLine, ...] = ()
    """Those that were asked for."""
    chosen: RawLine | None = None
    """The one under the cursor, with more of its text."""
    found: int | None = None
    """The line that the search came to; None while it goes on, and where there is none."""
    searching: bool = False
    problem: str | None = None


class SeriesDetail(msgspec.Struct, frozen=True):
    """One provider, tool or error group in depth."""

    kind: SeriesKind
    key: str
    points: tuple[SeriesPoint, ...]
    bucket_ms: int
    bins: tuple[HistogramBin, ...]
    records: tuple[ErrorRecord, ...]
    """The errors that concern it, newest first."""
    kinds: tuple[ErrorGroup, ...] = ()
    """Of a provider: the kinds of errors that concern it, latest first."""
    uses: tuple[ModelUse, ...] = ()
    """Of a provider: the runs that used the model in the window, the latest first, at most `MOST_USES`."""
    uses_total: int = 0
    """How many there are."""
    depth: ToolDepth | None = None
    """Of a tool: its slowest and latest calls, and what its failures said."""


class Found(msgspec.Struct, frozen=True):
    """The rows of a timeline that a filter means, as far as they have been looked for."""

    text: str
    matches: Sequence[int]
    """Numbers of rows, in order; there may be more of them by now than `count`."""
    count: int
    searched: int
    """Rows that were looked at."""


class RunDetail(msgspec.Struct, frozen=True):
    """One run in depth."""

    run_id: str
    run_dir: Path
    index: EventIndex
    """Of its events, as far as they have been read; it goes on growing behind the picture."""
    events: int
    """How many events the picture knows of."""
    rows: int
    """How many lines they make."""
    page: Mapping[int, TimelineRow]
    """The rows that were asked for, by their numbers."""
    artifacts: tuple[ArtifactInfo, ...]
    accounting: Accounting | None
    newest: tuple[TimelineRow, ...] = ()
    """While a long file is being read: its last rows, ahead of the others."""
    size: int = 0
    """Bytes of the event file."""
    found: Found | None = None
    """What the filter that was asked for has found."""
    problem: str | None = None
    """Why the run's files could not be read, in words."""
    reading: bool = False
    """Not read to its end yet: `accounting` says how far it is."""


class Snapshot(msgspec.Struct, frozen=True):
    """Everything on the screen, taken at one moment."""

    taken_at: int
    wants: Wants
    view: WindowView
    activity: Activity
    state: DashboardState
    runs: tuple[RunFacts, ...]
    sources: SourceStatus
    recent_errors: tuple[ErrorRecord, ...] = ()
    """The latest errors one by one, newest first, within the window."""
    series: SeriesDetail | None = None
    trends: Mapping[str, Trend] = msgspec.field(default_factory=dict)
    """How each row of what `wants.trends` names went, by the key of its series."""
    run: RunDetail | None = None
    family: Family | None = None
    """The tree of forks of the run on the screen."""
    numbers: RunNumbers | None = None
    """What that run spent when, and where its time went."""
    raw: RawPage | None = None
    """Lines of that run's file."""
    around: tuple[Moment, Surroundings | None] | None = None
    """An error and what stands around it in its run; None there while that is about to be read."""
    alerts: tuple[Alert, ...] = ()
    """What somebody should look at now, worst and newest first."""
    budgets: tuple[BudgetUse, ...] = ()
    """The budgets that are set, and what was spent of them."""
    listing: Listing | None = None
    """The list of runs, where it is asked for."""
    prices: Mapping[str, Price] = msgspec.field(default_factory=dict)
    """What anything in the picture was priced by: by provider and model, or by the id of the run on the screen."""
    names: FilterNames | None = None
    """What a filter can be completed with; None while nobody types one, or while it is not known yet."""
    kept: frozenset[str] = frozenset()
    """The ids of runs in the archive, as far as they were looked for."""
    place: Path | None = None
    """Of a run that is only in the archive: the private directory of runs in which it lies unpacked."""
    leaving: frozenset[str] = frozenset()
    """The ids of runs that the agent will remove when its next one starts."""
    past: PastView | None = None
    """Which moment of the past this is; None: it is the present."""
    behind: int = 0
    """Changes that wait while the picture is paused."""
    paused: bool = False
    by_id: Mapping[str, RunFacts] = msgspec.field(default_factory=dict)
    """The same runs as `runs`, by id, and what was read of others for the list or the run on the screen; shared with
    other pictures."""
    at_work: tuple[RunFacts, ...] = ()
    """Those of `runs` that are running or stalled, newest first."""

    @property
    def runs_place(self) -> Path:
        """The directory of runs that holds the run on the screen."""
        return self.place or self.sources.runs_dir

    @property
    def is_empty(self) -> bool:
        """True when there is nothing at all to show, and nothing being read."""
        sources = self.sources
        known = self.runs or sources.turn_requests or sources.history_runs
        return not known and sources.complete

    @property
    def running(self) -> int:
        """How many runs are at work."""
        return sum(run.status == "running" for run in self.at_work)

    @property
    def stalled(self) -> int:
        """How many runs have been silent for too long."""
        return sum(run.status == "stalled" for run in self.at_work)
