"""Providers: which model costs what, how fast it answers and how often it fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual.app import ComposeResult

from buddy_core.metrics.looking.model import ProviderMetrics
from buddy_core.metrics.looking.wilson import wilson_lower_bound
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt
from buddy_top.drawing.cells import Cell, Span
from buddy_top.panes.columns.cells import failure_share_cell, number_cell
from buddy_top.panes.columns.fields import Field, Order
from buddy_top.panes.columns.kinds import age_field, count_field, name_field, number_field, trend_field
from buddy_top.panes.providers.detail import ProviderDetail
from buddy_top.panes.providers.words import cost_text, provider_key
from buddy_top.panes.tablepane import TablePane
from buddy_top.panes.words import in_part, nothing_in
from buddy_top.state import Snapshot, Tab, Wants
from buddy_top.widgets.panel import Panel
from buddy_top.widgets.table.bars import share_bar
from buddy_top.widgets.table.table import Column, Table

if TYPE_CHECKING:
    from buddy_core.origins.model import Origin
    from buddy_top.export.documents import Document

P = ProviderMetrics


def _logged(row: P, tokens: int | None) -> int | None:
    """A count of tokens, where anybody wrote tokens down."""
    return tokens if row.tokens_logged else None


def _failure_rank(row: P) -> float:
    """What sorting by failures uses: one failure in one request must not outrank 40 in 100."""
    return wilson_lower_bound(row.error_count, row.total_requests)


class ProvidersPane(TablePane[ProviderMetrics]):
    """One row for each provider and model, with the selected one in depth below."""

    TAB = Tab.PROVIDERS
    ORDER = Order("requests", True)
    LIST_PART = 0.4
    FIELDS: ClassVar[Sequence[Field[P]]] = (
        name_field("provider", 10, lambda r: r.provider, grow=1),
        name_field("model", 20, lambda r: r.model, grow=3, ink="strong"),
        count_field("requests", 8, lambda r: r.total_requests),
        Field(
            Column("failed", Plain("failed"), 6, align="right", priority=1),
            lambda r, _: failure_share_cell(r.error_count, r.total_requests),
            _failure_rank,
        ),
        number_field("prompt", 7, lambda r: _logged(r, r.prompt_tokens), fmt.tokens, priority=4),
        number_field(
            "completion", 7, lambda r: _logged(r, r.completion_tokens), fmt.tokens, title="compl.", priority=5
        ),
        number_field("cache", 7, lambda r: _logged(r, r.cache_tokens), fmt.tokens, priority=6),
        number_field("tokens", 7, lambda r: _logged(r, r.total_tokens), fmt.tokens),
        Field(
            Column("cost", Plain("cost"), 8, align="right"),
            lambda r, _: number_cell(cost_text(r)),
            lambda r: r.total_cost,
        ),
        number_field("avg", 7, lambda r: r.avg_latency_ms, fmt.duration, priority=3),
        number_field("p95", 7, lambda r: r.p95_latency_ms, fmt.duration),
        number_field("ttft", 9, lambda r: r.avg_ttft_ms, fmt.duration, title="1st token", priority=7),
        age_field("last", 5, lambda r: r.last_request_at, priority=2),
    )

    def __init__(self) -> None:
        super().__init__()
        self._spent = 0.0
        share: Field[P] = Field(
            Column("share", Plain("of the cost"), 12, align="right", priority=8),
            lambda row, _: self._share_cell(row),
            lambda row: row.total_cost,
        )
        after = next(i for i, field in enumerate(self.FIELDS) if field.key == "cost") + 1
        trend = trend_field(self.trend_of, priority=2)
        self.fields = (*self.FIELDS[:after], share, *self.FIELDS[after:], trend)

    def _share_cell(self, row: P) -> Cell:
        """A bar and a percentage; nothing where the cost is not known."""
        if row.total_cost is None or self._spent <= 0:
            return number_cell(fmt.UNKNOWN)
        share = row.total_cost / self._spent
        return (*share_bar(share, 6), Span(Plain(f" {fmt.percent(100 * share):>5}"), "label"))

    def compose(self) -> ComposeResult:
        """The table above, the selected row in depth below."""
        with Panel(id="providers-list") as self.panel:
            yield self.table
        self.more = ProviderDetail()
        yield self.more

    def rows_of(self, snapshot: Snapshot) -> Sequence[P]:
        """Every provider and model with a request in the window."""
        self._spent = sum(row.total_cost or 0.0 for row in snapshot.view.providers)
        return snapshot.view.providers

    def key_of(self, row: P) -> str:
        """Provider and model."""
        return provider_key(row)

    def record_of(self, row: P) -> Document:
        """As `--once --json` writes it."""
        from buddy_top.export.documents import provider_entry

        return provider_entry(row)

    def wants(self, base: Wants) -> Wants:
        """The detail of the row under the cursor."""
        key = self.table.cursor_key
        return replace(base, series=("provider", key) if key is not None else None, trends="provider")

    def failing(self, row: P) -> bool:
        """Some of its requests failed."""
        return row.error_count > 0

    def origin_of(self, row: P, snapshot: Snapshot) -> Origin:
        """Where the numbers of a row come from."""
        from buddy_top.panes.origins import of_provider

        return of_provider(row, snapshot)

    def empty_words(self, snapshot: Snapshot) -> Plain:
        """Why there may be no requests."""
        return nothing_in(snapshot, "no model requests")

    def show_more(self, snapshot: Snapshot) -> None:
        """The panel's words and the selected row in depth."""
        view = snapshot.view
        self.panel.set_title(Plain("Providers"))
        failing = sum(1 for row in view.providers if row.error_count)
        words = str(fmt.plural(len(view.providers), "model")) + in_part(snapshot)
        if failing:
            words += f" · {failing} failing"
        if view.unattributed_cost:
            estimated = view.unattributed_estimated_cost is not None
            words += f" · {fmt.cost(view.unattributed_cost, estimated=estimated)} not logged by provider"
        self.panel.set_summary(Plain(words))
        self.more.show(snapshot, self.selected)

    def on_table_opened(self, event: Table.Opened) -> None:
        """Enter goes on into the lists below, whose rows lead into runs."""
        if event.table is self.table:
            self.more.focus_lists()
