"""Secrets in values of any depth, as JSON has them: by the name a value stands under, then by its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from buddy_core.safety.redaction.looks import MASK, looks_random
from buddy_core.safety.redaction.names import Promise, promise

_DEEPEST: Final = 200
_ELLIPSIS: Final = "…"
_NAME_FIELDS = ("name", "key", "header", "field", "variable")
_VALUE_FIELDS = ("value", "val", "content")


class TreeMasker:
    """Walks one value and builds its masked likeness; each container is walked once, a cycle ends in `…`."""

    def __init__(self, mask_text: Callable[[str], str]) -> None:
        self._mask_text = mask_text
        self._done: dict[tuple[int, bool], object] = {}
        self._kept: list[object] = []  # so that no id is used twice

    def masked(self, value: object, sure: Promise, depth: int = 0) -> object:
        """The likeness of `value`, which stands under a name that promises `sure`."""
        if isinstance(value, str):
            return self._text(value, sure)
        if isinstance(value, bytes | bytearray):
            return self._text(bytes(value).decode("utf-8", "surrogateescape"), sure).encode(
                "utf-8", "surrogateescape"
            )
        if isinstance(value, int | float):
            return self._number(value, sure)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._container(value, sure, depth)
        return value

    def _text(self, text: str, sure: Promise) -> str:
        if text and (sure >= Promise.FAIR or (sure == Promise.WEAK and looks_random(text))):
            return MASK
        return self._mask_text(text)

    def _number(self, value: float, sure: Promise) -> object:
        """A number is a secret where it is a password or a pin; numbers of tokens are not."""
        if isinstance(value, bool) or sure < Promise.STRONG or not abs(value) >= 1000:
            return value
        return MASK

    def _container(self, value: object, sure: Promise, depth: int) -> object:
        mark = (id(value), sure >= Promise.FAIR)
        if mark in self._done or depth >= _DEEPEST:
            return self._done.get(mark, _ELLIPSIS)
        self._done[mark] = _ELLIPSIS
        self._kept.append(value)
        if isinstance(value, Mapping):
            likeness: object = self._mapping(value, sure, depth)
        else:
            likeness = self._sequence(value, sure, depth)  # type: ignore[arg-type]
        self._done[mark] = likeness
        return likeness

    def _mapping(self, value: Mapping[object, object], sure: Promise, depth: int) -> dict[object, object]:
        told = self._told_inside(value)
        found: dict[object, object] = {}
        for key, item in value.items():
            own = promise(key) if isinstance(key, str) else Promise.NONE
            if key in _VALUE_FIELDS:
                own = max(own, told)
            found[self._key(key, found)] = self.masked(item, max(sure, own), depth + 1)
        return found

    def _told_inside(self, value: Mapping[object, object]) -> Promise:
        """`{"name": "Authorization", "value": …}`: the name stands in a field of its own."""
        names = (value.get(field) for field in _NAME_FIELDS)
        return max((promise(name) for name in names if isinstance(name, str)), default=Promise.NONE)

    def _key(self, key: object, taken: Mapping[object, object]) -> object:
        if not isinstance(key, str):
            return key
        masked = self._mask_text(key)
        number = 2
        while masked in taken:
            masked = f"{masked.rstrip('0123456789 ')} {number}"
            number += 1
        return masked

    def _sequence(
        self,
        value: list[object] | tuple[object, ...] | set[object] | frozenset[object],
        sure: Promise,
        depth: int,
    ) -> object:
        items: list[object] = []
        before = Promise.NONE
        for position, item in enumerate(value):
            items.append(self.masked(item, max(sure, before), depth + 1))
            before = _told_before(item, pair=position == 0 and len(value) == 2)
        if isinstance(value, tuple):
            return _same_tuple(value, items)
        return items if isinstance(value, list) else type(value)(items)


def _told_before(item: object, *, pair: bool) -> Promise:
    """What an item promises of the next one: a flag of its value, the first of a pair of the second."""
    if not isinstance(item, str) or len(item) > 64:
        return Promise.NONE
    flag = item.startswith("-") and "=" not in item
    sure = promise(item) if flag or pair else Promise.NONE
    return sure if sure >= Promise.FAIR else Promise.NONE


def _same_tuple(value: tuple[object, ...], items: list[object]) -> object:
    make = getattr(type(value), "_make", None)
    return make(items) if make is not None else tuple(items)
