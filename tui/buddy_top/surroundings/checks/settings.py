"""What was configured: the file, the variables, the keys of one's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from buddy_core.format import plural
from buddy_top.config.errors import BadConfig
from buddy_top.config.places import CONFIG_VARIABLE
from buddy_top.config.schema import SETTINGS
from buddy_top.surroundings.around import Surroundings
from buddy_top.surroundings.check import Check

_PREFIX = "BUDDY_TOP_"


def check_settings(around: Surroundings) -> Iterator[Check]:
    """Can the file be read, and does it name only what there is."""
    if around.config_problem:
        advice = (
            "Correct it: until then nothing starts. “buddy-top config --sample” prints a file that is right."
        )
        yield Check("settings", "failed", around.config_problem, advice)
    elif around.settings is not None:
        yield from _file(around)
    yield from _variables(around)


def _file(around: Surroundings) -> Iterator[Check]:
    settings = around.settings
    assert settings is not None
    file = settings.file
    if not file.exists:
        yield Check("settings", "ok", f"no configuration file ({file.path}), so everything is as usual")
        return
    try:
        if file.keys:
            from buddy_top.commands import COMMANDS
            from buddy_top.config.keymap import remapped

            remapped(COMMANDS, file.keys)
    except BadConfig as error:
        advice = (
            "Correct the keys: until then no screen is drawn. “buddy-top config --keys” lists the commands."
        )
        yield Check("settings", "failed", f"{file.path}: {error}", advice)
        return
    said = [plural(len(file.values), "setting")] if file.values else []
    said += [plural(len(file.keys), "key")] if file.keys else []
    said += [plural(len(file.prices), "price")] if file.prices else []
    yield Check("settings", "ok", f"{file.path}: {', '.join(said) or 'nothing set'}")


def _variables(around: Surroundings) -> Iterator[Check]:
    """Variables that look like ours and are none."""
    known = {CONFIG_VARIABLE, *(setting.variable for setting in SETTINGS)}
    for name in sorted(around.environ):
        if name.startswith(_PREFIX) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            meant = f"Did you mean {close[0]}?" if close else "“buddy-top config” lists those there are."
            yield Check("settings", "warning", f"the variable {name} means nothing", meant)
