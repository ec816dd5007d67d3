"""The sign of each state of a run and of an event: the same on every screen and in every plain text.

Colour is never the only sign, so each state has a shape of its own, also after `buddy_core.safety.ascii`
has drawn it for a terminal without UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping

STATE_SIGNS: Mapping[str, str] = {
    "running": "●",
    "completed": "✓",
    "failed": "✗",
    "cancelled": "■",
    "stalled": "◐",
    "interrupted": "◌",
    "ok": "✓",
    "error": "✗",
    "refused": "⊘",
    "info": "·",
}
"""One column wide each; the word stands beside that of a run."""
