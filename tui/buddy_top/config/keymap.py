"""Keys of the user's own: `[keys]` of the configuration file, laid over the commands of the registry."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from msgspec.structs import replace
from textual.keys import KEY_NAME_REPLACEMENTS, Keys, format_key

from buddy_top.commands import MOVING_KEYS, Command
from buddy_top.config.file import BadConfig

_MODIFIERS = ("ctrl", "shift", "alt", "meta", "super", "hyper")
_NAMED = {key.value for key in Keys} | {"escape", "enter", "space", "tab", "backspace", "delete", "insert"}


def remapped(commands: Sequence[Command], keymap: Mapping[str, str]) -> tuple[Command, ...]:
    """`commands`, those named in `keymap` (by id) with other keys.

    Raises:
        BadConfig: There is no such command or key, or one key would do two things in one place.
    """
    known = {command.id for command in commands}
    for name in keymap:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            raise BadConfig(f"[keys]: there is no command {name!r}{meant}")
    changed = tuple(_with_keys(command, keymap.get(command.id)) for command in commands)
    for clash in _clashes(changed, set(keymap)):
        raise BadConfig(f"[keys]: {clash}")
    return changed


def _with_keys(command: Command, keys: str | None) -> Command:
    if keys is None:
        return command
    names = [_key_name(command.id, key.strip()) for key in keys.split(",") if key.strip()]
    if not names:
        raise BadConfig(f"[keys]: {command.id} needs a key")
    return replace(command, keys=",".join(names), shown_key=format_key(names[0]))


def _key_name(command: str, key: str) -> str:
    """The key as the toolkit names it: `/` is `slash`, `F5` is `f5`."""
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    prefix = "".join(f"{word.lower()}+" for word in modifiers)
    name = _letter(last) if len(last) == 1 else _word(prefix, last.lower())
    if name is None or any(word.lower() not in _MODIFIERS for word in modifiers):
        raise BadConfig(f"[keys]: {command}: there is no key {key!r}")
    return prefix + name


def _letter(character: str) -> str | None:
    if character.isalnum():
        return character
    return _sign_name(character) if character.isprintable() else None


def _word(prefix: str, name: str) -> str | None:
    known = name in _NAMED or prefix + name in _NAMED or name in _SIGN_NAMES
    return name if known else None


def _sign_name(character: str) -> str:
    """What the toolkit calls the key of a printable character that is neither letter nor digit."""
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name) or character


_SIGN_NAMES = frozenset(_sign_name(chr(code)) for code in range(0x21, 0x7F) if not chr(code).isalnum())


def _clashes(commands: Sequence[Command], touched: set[str]) -> Iterator[str]:
    """Keys that would mean two things in one place, where the user's own table is the reason."""
    seen: dict[tuple[str, str, bool], Command] = {}
    for command in commands:
        for key in command.keys.split(","):
            if key in MOVING_KEYS and command.id in touched:
                yield f"{key} moves the cursor and cannot be {command.id}"
            for place, now in product(sorted(command.places), _times(command)):
                other = seen.setdefault((place, key, now), command)
                if other is not command and touched & {other.id, command.id}:
                    yield f"{key} would be both {other.id} and {command.id}"


def _times(command: Command) -> tuple[bool, ...]:
    """Whether it works in the present (True), in the past (False) or in both; travelling begins where no tab is."""
    if command.needs in ("travel", "past"):
        return (False,)
    return (True,) if command.needs == "now" else (True, False)
