"""The names artifacts may have; one that is to be written is checked before any system call.

What may be written: one plain file name of at most 200 bytes that means the same on every system and nothing
to a shell. Letters, marks, digits and symbols of any language, single spaces, and of ASCII punctuation
`. _ - + , = @ # ^ ~ ( ) [ ] { }`; not beginning with one of those (but `_`, `(` or `[`) nor with a mark, not
ending in a dot or a space; in composed form (NFC); without invisible characters and what looks like a
separator; and no name of a Windows device, whatever its extension. The same must hold for what the name
becomes in compatibility form (NFKC), in which `COM¹` is COM1 and `．．` is two dots. What may be read is any
single path component: other writers are freer.
"""

from __future__ import annotations

import unicodedata

from buddy_core.errors import BadArtifactName
from buddy_core.safety.paths import BadName, check_name

_MAX_NAME_BYTES = 200
_MAX_MARKS = 8
_SHELL = frozenset("/\\:*?\"<>|%$`;&!'")
_SEPARATORS = frozenset("∕⁄⧸⧹⟋⟍╱╲﹨∖")
_FRACTION = "\N{FRACTION SLASH}"  # what ½ becomes; by itself it is refused
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_FORBIDDEN = _SHELL | _SEPARATORS | _BLANK
_NOT_FIRST = frozenset(".-+,=@#^~{ ")
_NOT_LAST = frozenset(". ")
_SELECTORS = ((0x180B, 0x180F), (0xFE00, 0xFE0E), (0xE0000, 0xE0FFF))
_RESERVED = frozenset(
    [
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "CONIN$",
        "CONOUT$",
        "CLOCK$",
        *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
    ]
)


def check_artifact_name(name: str) -> str:
    """Return `name` when it is one plain file name, on every system and in every shell.

    Raises:
        BadArtifactName: It breaks the rule at the head of this module.
    """
    reason = _objection(name) if isinstance(name, str) else "is no text"
    if reason is not None:
        raise BadArtifactName(
            f"artifact name {str(name)[:60]!r} {reason}; use one plain name such as plan.md"
        )
    return name


def check_component(name: str) -> str:
    """Return `name` when it is one path component, however odd: what may be read.

    Raises:
        BadArtifactName: It leads to another directory, or is no text.
    """
    try:
        return check_name(name)
    except (BadName, TypeError, AttributeError) as error:
        raise BadArtifactName(f"artifact name {str(name)[:60]!r} is not one plain file name") from error


def _objection(name: str) -> str | None:
    if len(name) > _MAX_NAME_BYTES or len(name.encode("utf-8", "replace")) > _MAX_NAME_BYTES:
        return "is too long"
    if objection := _objection_as_written(name):
        return objection
    if name.isascii():
        return None
    if not unicodedata.is_normalized("NFC", name):
        return "is not in composed form (NFC)"
    if _piles_marks(name):
        return "piles up combining marks"
    return _objection_as_written(unicodedata.normalize("NFKC", name).replace(_FRACTION, "1"))


def _objection_as_written(name: str) -> str | None:
    if not name:
        return "is empty"
    if not name.isprintable() or not _FORBIDDEN.isdisjoint(name) or _selects_variants(name):
        return "has a character that file names must not have"
    if name[0] in _NOT_FIRST or name[-1] in _NOT_LAST or unicodedata.category(name[0]).startswith("M"):
        return "begins or ends with a character that means something to a shell or a system"
    if "  " in name:
        return "has two spaces in a row"
    return "is reserved" if name.split(".")[0].strip().upper() in _RESERVED else None


def _selects_variants(name: str) -> bool:
    """True for characters that are not seen, and of which two names could differ."""
    return not name.isascii() and any(low <= ord(sign) <= high for sign in name for low, high in _SELECTORS)


def _piles_marks(name: str) -> bool:
    piled = 0
    for sign in name:
        piled = piled + 1 if unicodedata.category(sign).startswith("M") else 0
        if piled > _MAX_MARKS:
            return True
    return False
