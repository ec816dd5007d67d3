"""The test commands of a run: found in its records, checked, and made ready to be approved.

Only what stands in an intact line of the file counts: a record dug out of a damaged line may be two halves that
never belonged together, and is shown but never replayable (case 30).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from buddy_core.runs.model import RunEvent
from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.reading.jsonl import MAX_LINE
from buddy_core.runs.reading.reader import read_summary
from buddy_core.runs.records.wire import EVENTS
from buddy_core.runs.replay.model import Command, Recorded, RecordedTest, Verdict
from buddy_core.runs.replay.outcome import count_tests
from buddy_core.runs.replay.places import Unfit, check_directory, child_environment, find_program, notices
from buddy_core.runs.replay.shellwords import MAX_LINE as MAX_LINE_CHARACTERS
from buddy_core.runs.replay.shellwords import Line, NeedsShell, check_argument, parse_line, pieces
from buddy_core.runs.replay.testers import is_test_command
from buddy_core.runs.timeline.event_words import describe, text, tool_name
from buddy_core.runs.viewing.joined import JoinedEvent, joined_events
from buddy_core.safety.paths import open_beneath, real_root
from buddy_core.safety.text import plain

_TOOL_NAMES = """
    bash shell sh run_command execute_command run_shell_command shell_command exec_command execute
    run_terminal_cmd run_in_terminal terminal exec command process run_tests
"""
SHELL_TOOLS = frozenset(_TOOL_NAMES.split())
"""Names under which tools that run a command line are recorded."""

_COMMAND_NAMES = ("command", "cmd", "script", "commandLine", "command_line")
_DIRECTORY_NAMES = ("cwd", "workdir", "workingDirectory", "working_directory", "directory", "dir")
_ENVIRONMENT_NAMES = ("env", "environment", "envs")
_SHELLS = frozenset(("sh", "bash", "zsh", "dash"))
MAX_SHOWN = 300
"""Characters of a recorded line that are kept to show what cannot be replayed."""


class Findings(NamedTuple):
    """What one look at a run's files gave."""

    tests: tuple[RecordedTest, ...]
    cwd: str | None


class Conditions(NamedTuple):
    """What the caller decides, not the record."""

    timeout_s: float
    env: Mapping[str, str]
    cwd: str | None = None
    """Instead of the directory that the run recorded."""


def find_tests(runs_dir: Path, run_id: str, conditions: Conditions) -> Findings:
    """Every test command of the run, each once, in the order in which they were first recorded."""
    root = real_root(runs_dir)
    events = joined_events(root, run_id)
    recorded_cwd = _recorded_cwd(root, run_id, events)
    base = conditions.cwd or recorded_cwd
    until = max((one.result or one.event).ts for one in events) if events else 0
    finder = _Finder(root, run_id, base, until, conditions)
    found: dict[tuple[object, ...], RecordedTest] = {}
    for one in events:
        if one.event.type == "tool_call" and tool_name(one.event.data).casefold() in SHELL_TOOLS:
            test = finder.look_at(one)
            if test is not None:
                _enter(found, test)
    return Findings(tuple(found.values()), recorded_cwd)


def _enter(found: dict[tuple[object, ...], RecordedTest], test: RecordedTest) -> None:
    """The latest outcome stands for a command that was recorded several times."""
    key = (test.line, test.obstacle, test.command.digest if test.command else None)
    before = found.get(key)
    found[key] = test if before is None else replace(test, times=before.times + 1)


class _Finder:
    """Looks at the calls of one run under one set of conditions."""

    def __init__(self, root: Path, run_id: str, base: str | None, until: int, conditions: Conditions) -> None:
        self._root = root
        self._run_id = run_id
        self._base = base
        self._until = until
        self._conditions = conditions
        self._environment = MappingProxyType(child_environment(conditions.env))

    def look_at(self, one: JoinedEvent) -> RecordedTest | None:
        """The test command of a call, replayable or not; None where it runs no tests."""
        given = _given(one.event.data)
        if given is None or not _is_about_tests(given):
            return None
        shown = given if isinstance(given, str) else " ".join(given)
        recorded = _outcome(one)
        try:
            command = self._command(one)
        except (NeedsShell, Unfit) as objection:
            return RecordedTest(shown[:MAX_SHOWN], recorded, obstacle=str(objection))
        return RecordedTest(shown, recorded, command=command)

    def _command(self, one: JoinedEvent) -> Command:
        """What would be executed, made from the bytes on the disk; raises `NeedsShell` or `Unfit`."""
        data = _intact_data(self._root, self._run_id, one)
        given = _given(data)
        if given is None:
            raise NeedsShell("its record has changed while it was read")
        line = _words(given)
        if not is_test_command(line.words):
            raise NeedsShell("it is no test command by itself")
        cwd = self._directory(_arguments(data), line)
        identity = check_directory(cwd)
        program, program_identity = find_program(line.words[0], cwd, self._environment)
        return Command(
            argv=line.words,
            program=program,
            program_identity=program_identity,
            cwd=cwd,
            cwd_identity=identity,
            environment=self._environment,
            timeout_s=self._conditions.timeout_s,
            notices=tuple(notices(cwd, line.words, recorded_until=self._until)),
        )

    def _directory(self, arguments: Mapping[str, Any], line: Line) -> str:
        if any(arguments.get(name) for name in _ENVIRONMENT_NAMES):
            raise NeedsShell("it sets environment variables")
        steps = [arguments.get(name) for name in _DIRECTORY_NAMES if arguments.get(name)]
        if not all(isinstance(step, str) for step in steps):
            raise Unfit("its directory is no text")
        if self._base is None and not any(str(step).startswith("/") for step in steps):
            raise Unfit("the run does not say in which directory it was")
        return os.path.normpath(Path(self._base or "/", *map(str, steps), *line.directories))


def _intact_data(root: Path, run_id: str, one: JoinedEvent) -> Mapping[str, Any]:
    """The payload of a call from a whole, undamaged line that holds nothing else; raises `NeedsShell`."""
    offset = one.row.offset
    try:
        fd = open_beneath(root, run_id, EVENTS_NAME)
        try:
            before = os.pread(fd, 1, offset - 1) if offset else b"\n"
            raw, newline, _ = os.pread(fd, MAX_LINE + 1, offset).partition(b"\n")
        finally:
            os.close(fd)
        event = EVENTS.strict(raw)
        data = msgspec.json.decode(raw.decode())["data"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise NeedsShell("its record is damaged") from None
    if before != b"\n" or not newline or event.type != "tool_call" or not isinstance(data, dict):
        raise NeedsShell("its record is damaged")
    if event.run_id not in (None, run_id):
        raise NeedsShell("its record belongs to another run")
    if data.get("truncated"):
        raise NeedsShell("it is incomplete: the record was cut")
    return data


def _given(data: Mapping[str, Any]) -> str | list[str] | None:
    """The command of a call: a line for a shell, or its words; None where there is none."""
    arguments = _arguments(data)
    for name in _COMMAND_NAMES:
        value = arguments.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            return list(value)
    return None


def _arguments(data: Mapping[str, Any]) -> Mapping[str, Any]:
    arguments = data.get("args", data.get("arguments"))
    if isinstance(arguments, str):
        try:
            arguments = msgspec.json.decode(arguments)
        except (ValueError, RecursionError):
            return {"command": arguments}
    return arguments if isinstance(arguments, dict) else {}


def _is_about_tests(given: str | list[str]) -> bool:
    if isinstance(given, list) and not _shell_line(given):
        return is_test_command(given)
    line = _shell_line(given) if isinstance(given, list) else given
    return any(is_test_command(words) for words in pieces(line or ""))


def _words(given: str | list[str]) -> Line:
    """The words of a command; a list that only hands a line to a shell counts as that line."""
    if isinstance(given, str):
        return parse_line(given)
    line = _shell_line(given)
    if line is not None:
        return parse_line(line)
    if any(len(word) >= MAX_LINE_CHARACTERS for word in given):
        raise NeedsShell("it is incomplete: the record was cut")
    return Line(tuple(check_argument(word) for word in given))


def _shell_line(words: list[str]) -> str | None:
    """`["bash", "-lc", LINE]` is LINE."""
    if len(words) == 3 and Path(words[0]).name in _SHELLS and words[1] in ("-c", "-lc"):
        return words[2]
    return None


def _outcome(one: JoinedEvent) -> Recorded:
    if one.result is None:
        return Recorded("unknown", one.event.ts)
    words = describe(one.result.type, one.result.data)
    verdicts: dict[str, Verdict] = {"ok": "passed", "failed": "failed", "refused": "refused"}
    error = words.error and plain(words.error, limit=MAX_SHOWN)
    raw_error = one.result.data.get("error")
    return Recorded(
        verdict=verdicts.get(words.state, "unknown"),
        at_ms=one.event.ts,
        duration_ms=one.row.duration_ms,
        error=error,
        counts=count_tests(raw_error if isinstance(raw_error, str) else ""),
    )


def _recorded_cwd(root: Path, run_id: str, events: list[JoinedEvent]) -> str | None:
    """Where the run was, as its summary says, else its first event."""
    cwd = read_summary(root, run_id).metadata.cwd
    return cwd if cwd and cwd.strip() else next(_started_in(events), None)


def _started_in(events: list[JoinedEvent]) -> Iterator[str]:
    starts: Iterator[RunEvent] = (one.event for one in events[:10] if one.event.type == "run_start")
    for event in starts:
        metadata = event.data.get("metadata")
        cwd = metadata.get("cwd") if isinstance(metadata, dict) else None
        if isinstance(cwd, str) and cwd.strip():
            yield text(cwd, 4096)
