"""How many tests passed and failed, read from the last lines of what a test runner printed."""

from __future__ import annotations

import re
from collections.abc import Callable

from buddy_core.runs.replay.model import TestCounts

MAX_TEXT = 64 * 1024
"""Characters that are looked at, from the end."""

_ESCAPES = re.compile(r"\x1b\[[0-9;:]{0,40}[A-Za-z]")
_WORDS = {
    "passed": "passed",
    "passing": "passed",
    "pass": "passed",
    "failed": "failed",
    "failing": "failed",
    "fail": "failed",
    "error": "failed",
    "errors": "failed",
    "skipped": "skipped",
    "pending": "skipped",
    "ignored": "skipped",
    "todo": "skipped",
}
_COUNT = re.compile(r"(\d{1,9}) ([a-z]{4,7})\b")
_TAP = re.compile(r"^[#ℹ] (pass|fail|skipped) (\d{1,9})$")
_MAVEN = re.compile(r"Tests run: (\d{1,9}), Failures: (\d{1,9}), Errors: (\d{1,9})(?:, Skipped: (\d{1,9}))?")
_UNITTEST_RAN = re.compile(r"^Ran (\d{1,9}) tests? in ")
_UNITTEST_VERDICT = re.compile(r"^(OK|FAILED)\b(?: \((.{0,200})\))?")
_PYTEST = re.compile(r"^=* ?(?:no tests ran|\d{1,9} [a-z]{4,11})\b.{0,300} in [\d.]{1,12}s\b")
_JEST = re.compile(r"^\s*Tests:?\s{1,20}\d")
_MOCHA = re.compile(r"^\s{1,8}\d{1,9} (?:passing|failing|pending)\b")
_GO_PACKAGE = re.compile(r"^(ok|FAIL)\s{1,8}\S")
_GO_TEST = re.compile(r"^\s{0,40}--- (PASS|FAIL|SKIP): ")


def count_tests(output: str) -> TestCounts:
    """The counts of pytest, unittest, jest, vitest, mocha, cargo, Go, Maven or TAP; unknown for everything else.

    Go tells single tests only when asked to (`-v`), else packages; those are counted then.
    """
    text = _ESCAPES.sub("", output[-MAX_TEXT:])
    lines = [line[:500] for line in text.splitlines()]
    for read in _READERS:
        counts = read(lines)
        if counts.known:
            return counts
    return TestCounts()


def _pytest(lines: list[str]) -> TestCounts:
    return _last(lines, lambda line: bool(_PYTEST.match(line)))


def _jest(lines: list[str]) -> TestCounts:
    return _last(lines, lambda line: bool(_JEST.match(line)))


def _last(lines: list[str], fits: Callable[[str], bool]) -> TestCounts:
    line = next((line for line in reversed(lines) if fits(line)), "")
    return _counts(_COUNT.findall(line))


def _mocha(lines: list[str]) -> TestCounts:
    return _counts([pair for line in lines if _MOCHA.match(line) for pair in _COUNT.findall(line)])


def _cargo(lines: list[str]) -> TestCounts:
    """One line for each test binary: their sum."""
    return _counts(
        [pair for line in lines if line.startswith("test result: ") for pair in _COUNT.findall(line)]
    )


def _tap(lines: list[str]) -> TestCounts:
    found = (_TAP.match(line) for line in lines)
    return _counts([(match.group(2), match.group(1)) for match in found if match])


def _maven(lines: list[str]) -> TestCounts:
    found = [match for line in lines if (match := _MAVEN.search(line))]
    if not found:
        return TestCounts()
    run, failures, errors, skipped = (int(text or 0) for text in found[-1].groups())
    return TestCounts(max(0, run - failures - errors - skipped), failures + errors, skipped)


def _unittest(lines: list[str]) -> TestCounts:
    ran = next((int(m.group(1)) for line in reversed(lines) if (m := _UNITTEST_RAN.match(line))), None)
    if ran is None:
        return TestCounts()
    said = next((m.group(2) or "" for line in reversed(lines) if (m := _UNITTEST_VERDICT.match(line))), "")
    parts = dict(re.findall(r"([a-z]+(?: [a-z]+)?)=(\d{1,9})", said))
    failed = int(parts.get("failures", 0)) + int(parts.get("errors", 0))
    skipped = int(parts.get("skipped", 0))
    return TestCounts(max(0, ran - failed - skipped), failed, skipped)


def _go(lines: list[str]) -> TestCounts:
    tests = [match.group(1) for line in lines if (match := _GO_TEST.match(line))]
    if "PASS" in tests:
        return TestCounts(tests.count("PASS"), tests.count("FAIL"), tests.count("SKIP"))
    packages = [match.group(1) for line in lines if (match := _GO_PACKAGE.match(line))]
    if not packages:
        return TestCounts()
    return TestCounts(packages.count("ok"), packages.count("FAIL"))


def _counts(pairs: list[tuple[str, str]]) -> TestCounts:
    sums: dict[str, int] = {}
    for number, word in pairs:
        kind = _WORDS.get(word)
        if kind is not None:
            sums[kind] = sums.get(kind, 0) + int(number)
    return TestCounts(**sums) if sums else TestCounts()


_READERS = (_pytest, _cargo, _jest, _mocha, _tap, _maven, _unittest, _go)
