"""Every setting, declared once: its name in the file, its flag, its variable, its default and what it may be."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from buddy_core.metrics.window import Window
from buddy_core.settings import RUNS_DIR_VARIABLE
from buddy_top.options import TABS

Value = str | int | float | bool | None
"""What a setting can be; None where a choice is left to the monitor."""

NOTIFY = ("none", "bell", "desktop")
"""Ways to tell of an alert beyond the screen."""

_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class BadValue(ValueError):
    """A value that a setting cannot have; the message says which it can."""


class Setting(msgspec.Struct, frozen=True):
    """One setting. `parse` takes text, or a value as TOML has it, and raises `BadValue`."""

    name: str
    flag: str
    variable: str
    default: Value
    metavar: str
    help: str
    parse: Callable[[object], Value]


def a_choice(*words: str) -> Callable[[object], Value]:
    """One of `words`, in any case."""

    def parse(given: object) -> Value:
        word = str(given).strip().lower()
        if word not in words:
            raise BadValue(f"{given!r} is none of {', '.join(words)}")
        return word

    return parse


def a_tab(given: object) -> Value:
    """A tab by its name or its number."""
    text = str(given).strip()
    return TABS[int(text) - 1] if text in ("1", "2", "3", "4", "5") else a_choice(*TABS)(given)


def some_seconds(given: object) -> Value:
    """From 0.05 to 60."""
    try:
        value = float(given) if isinstance(given, str | int | float) and given is not True else math.nan
    except ValueError:
        value = math.nan
    if not 0.05 <= value <= 60:
        raise BadValue(f"{given!r} is not between 0.05 and 60 seconds")
    return value


def some_dollars(given: object) -> Value:
    """More than 0, at most a million; a dollar sign before it is understood."""
    text = given.strip().removeprefix("$") if isinstance(given, str) else given
    try:
        value = float(text) if isinstance(text, str | int | float) and text is not True else math.nan
    except ValueError:
        value = math.nan
    if not 0 < value <= 1_000_000:
        raise BadValue(f"{given!r} is no amount of dollars above 0")
    return value


def some_runs(given: object) -> Value:
    """From 0, for all of them, to ten million."""
    text = given.strip().replace("_", "") if isinstance(given, str) else given
    digits = isinstance(text, str) and text.isascii() and text.isdecimal()
    is_number = type(text) is int or digits
    value = int(str(text)[:12]) if is_number else -1
    if not 0 <= value <= 10_000_000:
        raise BadValue(f"{given!r} is no number of runs from 0 to 10,000,000")
    return value


def yes_or_no(given: object) -> Value:
    """A boolean, or one of the words people write for it."""
    word = str(given).strip().lower()
    if word not in (*_YES, *_NO):
        raise BadValue(f"{given!r} is neither true nor false")
    return word in _YES


def some_text(given: object) -> Value:
    """Words that are not empty."""
    if not isinstance(given, str) or not given.strip():
        raise BadValue(f"{given!r} is no name")
    return given.strip()


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "runs_dir",
        "--runs-dir",
        RUNS_DIR_VARIABLE,
        None,
        "DIR",
        "where run directories live; else ~/.codebuddy/runs",
        some_text,
    ),
    Setting(
        "window",
        "--window",
        "BUDDY_TOP_WINDOW",
        None,
        "WINDOW",
        f"how far back to look: {', '.join(window.value for window in Window)}",
        a_choice(*(window.value for window in Window)),
    ),
    Setting("tab", "--tab", "BUDDY_TOP_TAB", "overview", "NAME", f"tab to open: {', '.join(TABS)}", a_tab),
    Setting(
        "refresh",
        "--refresh",
        "BUDDY_TOP_REFRESH",
        0.25,
        "S",
        "seconds between two pictures under load",
        some_seconds,
    ),
    Setting("theme", "--theme", "BUDDY_TOP_THEME", "buddy-dark", "NAME", "colour theme", some_text),
    Setting(
        "export_dir",
        "--export-dir",
        "BUDDY_TOP_EXPORT_DIR",
        None,
        "DIR",
        "where x writes files; else your downloads",
        some_text,
    ),
    Setting(
        "archive_dir",
        "--archive-dir",
        "BUDDY_TOP_ARCHIVE_DIR",
        None,
        "DIR",
        "where kept runs are; else in your data directory",
        some_text,
    ),
    Setting(
        "read_only",
        "--read-only",
        "BUDDY_TOP_READ_ONLY",
        False,
        "YES",
        "offer nothing that writes or runs anything",
        yes_or_no,
    ),
    Setting(
        "remember",
        "--remember",
        "BUDDY_TOP_REMEMBER",
        True,
        "YES",
        "open where the screen was left: tab, window, order of the tables",
        yes_or_no,
    ),
    Setting(
        "meter",
        "--meter",
        "BUDDY_TOP_METER",
        False,
        "YES",
        "say in the header what the monitor itself uses: processor, memory, the slowest frame",
        yes_or_no,
    ),
    Setting(
        "history",
        "--history",
        "BUDDY_TOP_HISTORY",
        True,
        "YES",
        "remember what runs did after they are pruned, and count it",
        yes_or_no,
    ),
    Setting(
        "watch_runs",
        "--watch-runs",
        "BUDDY_TOP_WATCH_RUNS",
        5_000,
        "N",
        "of so many runs the numbers are counted: the newest, and any that grows meanwhile; 0: of all",
        some_runs,
    ),
    Setting(
        "cost_per_hour",
        "--cost-per-hour",
        "BUDDY_TOP_COST_PER_HOUR",
        None,
        "DOLLARS",
        "budget for any sixty minutes; more raises an alert",
        some_dollars,
    ),
    Setting(
        "cost_per_day",
        "--cost-per-day",
        "BUDDY_TOP_COST_PER_DAY",
        None,
        "DOLLARS",
        "budget for any 24 hours; more raises an alert",
        some_dollars,
    ),
    Setting(
        "estimate",
        "--estimate",
        "BUDDY_TOP_ESTIMATE",
        True,
        "YES",
        "price from their tokens what states no cost, marked ≈; see [prices]",
        yes_or_no,
    ),
    Setting(
        "notify",
        "--notify",
        "BUDDY_TOP_NOTIFY",
        "none",
        "HOW",
        f"how a new alert is told beyond the screen: {', '.join(NOTIFY)}",
        a_choice(*NOTIFY),
    ),
)
"""All of them, in the order they are listed."""

BY_NAME = {setting.name: setting for setting in SETTINGS}
