"""JSON as people read it: indented, names and values in their inks, the values under secret names masked."""

from __future__ import annotations

import json
from typing import Any

from buddy_core.safety.redact import redact_value
from buddy_core.safety.text import Plain
from buddy_top.artifacts.code import code_lines
from buddy_top.artifacts.layout import safe_lines, wrapped
from buddy_top.artifacts.page import Body
from buddy_top.drawing import format as fmt


def json_body(text: str, width: int) -> Body | None:
    """The document laid out for `width`; None for what is not JSON, or too deep to be looked at."""
    try:
        value: Any = json.loads(text.lstrip("\ufeff"))
        pretty = json.dumps(redact_value(value), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    lines = code_lines(safe_lines(pretty), "json")
    return Body([piece for line in lines for piece in wrapped(line, width)], _summary(value))


def _summary(value: object) -> Plain:
    if isinstance(value, dict):
        return Plain(f"object, {fmt.plural(len(value), 'name')}")
    return Plain(f"list, {fmt.plural(len(value), 'item')}" if isinstance(value, list) else "one value")
