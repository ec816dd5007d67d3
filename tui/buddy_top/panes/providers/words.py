"""A provider and model in words: what the overview says of one too."""

from __future__ import annotations

from buddy_core.metrics.looking.model import ProviderMetrics as P
from buddy_core.safety.text import Plain
from buddy_top.drawing import format as fmt


def provider_key(row: P) -> str:
    """The collector's key of a provider and model."""
    return f"{row.provider}/{row.model}"


def cost_text(row: P) -> Plain:
    """What it cost; `≥` first where the costs of some answered requests are not known."""
    known = fmt.cost_of(row)
    return Plain(f"≥{known}") if row.cost_is_partial else known
