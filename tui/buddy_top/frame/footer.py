"""Which keys work where: what the footer offers, and which actions mean nothing at a place."""

from __future__ import annotations

from collections.abc import Container, Sequence

from buddy_top.commands import COMMANDS, Command, Need, Place, commands_at, footer_at, possible

_ACTIONS: dict[str, list[Command]] = {}
for _command in COMMANDS:
    _ACTIONS.setdefault(_command.action.split("(")[0], []).append(_command)


def action_is_at(action: str, place: Place, *, past: bool = False) -> bool:
    """True when some command with this action works at `place`, or when it is no command of ours.

    `past` says that the past is looked at. Travelling begins in a run.
    """
    commands = _ACTIONS.get(action)
    return commands is None or any(
        place in command.places and (command.needs is None or command.needs in possible(place, past=past))
        for command in commands
    )


def footer_keys(
    place: Place,
    commands: Sequence[Command] = COMMANDS,
    *,
    there: Container[Need] | None = None,
    empty: bool = False,
) -> list[tuple[str, str, str]]:
    """Key, word and action of what the footer shows; `empty` is said while there is no run at all."""
    shown = footer_at(place, commands, there)
    if empty:
        shown = [
            command for command in commands_at(place, commands) if command.id in ("demo", "help", "quit")
        ]
    return [(command.key_text, command.word, command.action) for command in shown]
