"""Secrets leave nothing but a mask: the one place where observed text is cleared before it goes anywhere.

By value: tokens of known shape, private keys, passwords in addresses, credentials of headers and of command
lines, whatever stands beside a name that promises a secret. By name: values under such keys. What cannot be
found: a secret without shape, name or place (a password alone on its line), and one cut in two, part in one
event and part in another, unless its value is known (`Redactor`). Nothing here raises or changes its input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from buddy_core.safety.redaction.looks import MASK
from buddy_core.safety.redaction.names import Promise, is_secret_name, promise
from buddy_core.safety.redaction.scan import mask_secrets
from buddy_core.safety.redaction.shapes import ends_cut_off, may_end_cut_off
from buddy_core.safety.redaction.tree import TreeMasker

__all__ = [
    "MASK",
    "Redactor",
    "hold_no_secret",
    "is_secret_name",
    "redact",
    "redact_environment",
    "redact_value",
]


def redact(text: str) -> str:
    """`text` with every secret found in it replaced by `MASK`; linear in its length, and idempotent."""
    return mask_secrets(text)


def hold_no_secret(texts: Sequence[str]) -> bool:
    """True when `redact` would change none of them; of many short texts twice as fast as asking for each.

    False may also mean that they look like a secret only when they stand one below another.
    """
    joined = "\n".join(texts)
    if may_end_cut_off(joined) and any(map(ends_cut_off, texts)):
        return False
    return mask_secrets(joined) == joined


def redact_value(value: object, *, name: str | None = None) -> object:
    """A masked likeness of a value of any depth; `name` is the key it stands under.

    Dicts, lists, tuples, sets, texts and bytes are rebuilt, everything else is passed on. Below a secret name every
    text is masked. A container that holds itself ends in `…`.
    """
    return TreeMasker(redact).masked(value, _promised(name))


def redact_environment(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with the values of secret-named variables masked, and with secrets in the others masked too."""
    return {name: MASK if value and is_secret_name(name) else redact(value) for name, value in env.items()}


class Redactor:
    """Masks what `redact` masks, and besides the values it is told, however they are written down.

    Args:
        known_values: Secrets by value; those shorter than six characters are left out, they would be
            found in every other word.
    """

    def __init__(self, known_values: Iterable[str]) -> None:
        from buddy_core.safety.redaction.known import KnownValues

        self._known = KnownValues(known_values)

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Redactor:
        """One that knows the values of the secret-named variables of `env`."""
        return cls(value for name, value in env.items() if is_secret_name(name))

    def redact(self, text: str) -> str:
        """`text` with known and found secrets masked."""
        return mask_secrets(self._known.masked(text))

    def redact_value(self, value: object, *, name: str | None = None) -> object:
        """As the function of that name, with the known values masked too."""
        return TreeMasker(self.redact).masked(value, _promised(name))


def _promised(name: str | None) -> Promise:
    return Promise.NONE if name is None else promise(name)
