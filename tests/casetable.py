"""`pytest --case-table FILE`: which case is shown by which tests, how these ended, and what they measured.

A test says in its docstring which cases it covers (`Case 52`, `Cases 55 to 58 and 61`); without such words the
class and then the module speak for it. A figure is what a test gave to `record_property("figure", …)`.
"""

from __future__ import annotations

import ast
import platform
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.cases import CANNOT, CASES

TESTS = Path(__file__).parent
COMMAND = 'python -m pytest -m "" -n 3 --case-table=tests/RELIABILITY.md'

_CITED = re.compile(r"\bcases?\s+((?:\d{1,2}(?:\s*(?:,|and|to)\s*)*)+)", re.IGNORECASE)
_RANGE = re.compile(r"(\d+)\s*to\s*(\d+)")


class Name(NamedTuple):
    """A test function, whatever its parameters."""

    file: str
    """Below `tests/`, with slashes."""
    test: str
    """`test_…`, or class and test with `::` between."""


def cited(words: str | None) -> set[int]:
    """The numbers of the cases that a docstring names."""
    found: set[int] = set()
    for match in _CITED.finditer(words or ""):
        for first, last in _RANGE.findall(match[1]):
            found |= set(range(int(first), int(last) + 1))
        found |= {int(number) for number in re.findall(r"\d+", match[1])}
    return found


def covered_cases(root: Path = TESTS) -> dict[int, list[Name]]:
    """Every case that some test names, with these tests in the order of their files."""
    found: dict[int, list[Name]] = defaultdict(list)
    for path in sorted(root.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        file = path.relative_to(root).as_posix()
        for name, cases in _named(tree, cited(ast.get_docstring(tree))):
            for case in cases:
                found[case].append(Name(file, name))
    return found


def _named(
    node: ast.Module | ast.ClassDef, cases: set[int], prefix: str = ""
) -> Iterator[tuple[str, set[int]]]:
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from _named(child, cited(ast.get_docstring(child)) or cases, f"{prefix}{child.name}::")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test"):
            yield prefix + child.name, cited(ast.get_docstring(child)) or cases


class CaseTable:
    """Listens to a run of the tests, and writes the table at its end.

    Args:
        file: What is written.
        marks: Which tests were chosen by their marks; empty for all.
    """

    def __init__(self, file: Path, marks: str = "") -> None:
        self._file = file
        self._marks = marks
        self._ended: dict[Name, Counter[str]] = defaultdict(Counter)
        self._figures: dict[Name, list[str]] = defaultdict(list)
        self._reasons: dict[Name, set[str]] = defaultdict(set)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test: its call, or what went wrong before or after it."""
        if report.when != "call" and report.passed:
            return
        file, _, test = report.nodeid.partition("::")
        name = Name(file.removeprefix("tests/"), test.partition("[")[0])
        self._ended[name][report.outcome] += 1
        self._figures[name] += [str(value) for key, value in report.user_properties if key == "figure"]
        if report.skipped and isinstance(report.longrepr, tuple):
            self._reasons[name].add(str(report.longrepr[2]).removeprefix("Skipped: "))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the file; under xdist only where the reports come together."""
        if not hasattr(session.config, "workerinput"):
            self._file.write_text(self.text(), encoding="utf-8")

    def text(self, root: Path = TESTS) -> str:
        """The table as Markdown."""
        by_case, now = covered_cases(root), datetime.now(UTC)
        machine = f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}"
        lines = ["# The cases, and what the tests say of them", ""]
        lines += [f"Written by `{COMMAND}` on {now:%Y-%m-%d} ({machine}); never edited by hand."]
        if self._marks:
            lines.append(
                f"This time with `-m {self._marks!r}`: what that leaves out was not run, see the README."
            )
        lines.append("")
        for room, cases in CASES.items():
            lines += [f"## {room}", "", "| # | case | tests | result | figure |", "|---|---|---|---|---|"]
            lines += [self._line(number, words, by_case.get(number, [])) for number, words in cases.items()]
            lines.append("")
        return "\n".join(lines)

    def _line(self, number: int, words: str, names: list[Name]) -> str:
        files = Counter(Path(name.file).stem for name in names)
        where = ", ".join(f"{file} ({count})" if count > 1 else file for file, count in files.items())
        figures = "; ".join(dict.fromkeys(figure for name in names for figure in self._figures.get(name, [])))
        return f"| {number} | {_cell(words)} | {where or '–'} | {self._result(number, names)} | {_cell(figures)} |"

    def _result(self, number: int, names: list[Name]) -> str:
        ended: Counter[str] = sum((self._ended.get(name, Counter()) for name in names), Counter())
        told = [f"{ended[word]:,} {word}" for word in ("passed", "failed", "skipped") if ended[word]]
        reasons = {reason for name in names for reason in self._reasons.get(name, ())}
        told += sorted(_cell(reason) for reason in reasons)
        if not ended:
            told.append("not run" if names else "no test")
        if number in CANNOT:
            told.append(_cell(CANNOT[number]))
        return "; ".join(told)


def _cell(words: str) -> str:
    """Text that stays within a cell of a Markdown table."""
    return words.replace("|", "\\|").replace("`", "'").replace("\n", " ")
