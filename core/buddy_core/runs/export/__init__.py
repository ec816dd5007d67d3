"""One run as a document to keep or to send: JSON, Markdown, or one HTML page that needs nothing else.

Everything is gathered once, masked once, and then written by the module of the format; a format never sees
an unmasked text unless the caller asked for that, and then the document says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from buddy_core.clock import Clock
    from buddy_core.prices.table import PriceTable
    from buddy_core.runs.export.gather import RunsPlace

Format = Literal["json", "md", "html"]
"""How `export_run` writes a run."""


def export_run(
    run_id: str,
    format: Format = "json",
    *,
    store: RunsPlace | Path | None = None,
    unmasked: bool = False,
    clock: Clock | None = None,
    prices: PriceTable | None = None,
) -> str:
    """The whole document as text that ends in a newline.

    `run_id` may be the beginning of an id, or `last`. Secrets are masked unless `unmasked`.
    `prices` are for a run that states no cost.

    Raises:
        RunNotFound: There is no such run.
        StoreUnavailable: The runs directory cannot be read.
        ValueError: There is no such format.
    """
    from buddy_core.runs.export.gather import gather

    if format not in ("json", "md", "html"):
        raise ValueError(f"there is no format {format!r}: use json, md or html")
    report = gather(run_id, store=store, unmasked=unmasked, clock=clock, prices=prices)
    if format == "json":
        from buddy_core.runs.export.json_ import to_json

        return to_json(report)
    if format == "md":
        from buddy_core.runs.export.markdown import to_markdown

        return to_markdown(report)
    from buddy_core.runs.export.html import to_html

    return to_html(report)
