"""An exception in words, whatever its methods do."""

from __future__ import annotations


def describe(error: BaseException) -> str:
    """Type and message of an exception; only the type of one without a message, or that cannot be printed."""
    name = type(error).__name__
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - a hostile __str__ must not replace the exception that is on its way
        return name
    return f"{name}: {words}" if words else name
