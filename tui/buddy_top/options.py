"""What the command line decided, as one frozen value that the app is handed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import msgspec

from buddy_core.alerts.limits import Limits
from buddy_core.clock import Clock, SystemClock
from buddy_core.metrics.window import Window

if TYPE_CHECKING:
    from buddy_core.prices.table import PriceEntry
    from buddy_top.config.remembered import Remembered

TabName = Literal["overview", "providers", "tools", "errors", "runs"]
"""The five tabs, in the order of their number keys."""

TABS: tuple[TabName, ...] = get_args(TabName)


class Options(msgspec.Struct, frozen=True):
    """How the monitor is to start."""

    runs_dir: Path
    """Absolute; it need not exist yet."""
    window: Window | None = None
    """None: the last 24 hours, or everything when nothing happened in them."""
    tab: TabName = "overview"
    refresh_s: float = 0.25
    """Seconds between two pictures while much happens; a first change after a quiet moment is drawn at once. Faster than
    four a second is unreadable and costs twice the CPU."""
    theme: str | None = None
    """A theme's name; None leaves the choice to the app."""
    read_only: bool = False
    """Offer nothing that writes outside the screen."""
    debug: bool = False
    """Show tracebacks (without local variables) when something breaks."""
    limits: Limits = msgspec.field(default_factory=Limits)
    """From where on something raises an alert."""
    prices: tuple[PriceEntry, ...] | None = None
    """Prices of the user's own, for what states no cost; None: nothing is estimated."""
    notify: str = "none"
    """How a new alert is told beyond the screen: none, bell or desktop."""
    config: str | None = None
    """The configuration file that was asked for; None: the usual one."""
    export_dir: str | None = None
    """Where exports are written; None: the user's downloads."""
    ascii: bool = False
    """The terminal does not speak UTF-8: draw with ASCII alone."""
    history: Path | None = None
    """The file that remembers runs after they are gone; None: nothing is remembered."""
    watch_runs: int = 0
    """Of so many runs the numbers are counted, the newest; 0: of all."""
    state: Path | None = None
    """The user's own directory, where the catalog of very many runs is kept; None: nowhere."""
    archive: Path | None = None
    """The directory of kept runs, which need not exist; None: nothing can be kept."""
    meter: bool = False
    """The header says what the monitor itself uses."""
    demo: bool = False
    """The runs are those of the demonstration agent."""
    left: Remembered | None = None
    """How the screen was left last time; None where nobody wants to know."""
    home: Path | None = None
    """The user's home, which paths on the screen are shortened by."""
    clock: Clock = msgspec.field(default_factory=SystemClock)
    on_forced_exit: Callable[[], None] | None = None
    """Called just before the process is ended by force, because leaving in an orderly way took too long."""
