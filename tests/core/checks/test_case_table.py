"""Every case of reliability has a test that names it, and the table tells of each."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cases import ALL, CANNOT
from tests.casetable import CaseTable, cited, covered_cases

TABLE = Path(__file__).parents[2] / "RELIABILITY.md"


def test_every_case_is_named_by_a_test_or_has_a_reason_why_not() -> None:
    found = covered_cases()
    assert sorted(ALL.keys() - found.keys() - CANNOT.keys()) == []
    assert sorted(found.keys() - ALL.keys()) == []


@pytest.mark.parametrize(
    ("words", "cases"),
    [
        ("Case 52: damaged.", {52}),
        ("Cases 55 to 58 and 61.", {55, 56, 57, 58, 61}),
        ("Covers cases 1, 2 and 15; in any case 7 days.", {1, 2, 15, 7}),
        ("In 95 of 100 such cases.", set()),
        (None, set()),
    ],
)
def test_docstrings_name_cases_one_by_one_and_as_ranges(words: str | None, cases: set[int]) -> None:
    assert cited(words) == cases


def test_a_function_speaks_for_itself_and_else_its_class_and_its_module_do(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(
        '"""Case 1."""\n'
        "def test_plain(): ...\n"
        'def test_other():\n    """Case 2."""\n'
        'class TestRoom:\n    """Case 3."""\n    async def test_inside(self): ...\n'
    )
    found = {case: [name.test for name in names] for case, names in covered_cases(tmp_path).items()}
    assert found == {1: ["test_plain"], 2: ["test_other"], 3: ["TestRoom::test_inside"]}


def test_the_table_tells_how_tests_ended_what_they_measured_and_what_was_not_run(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text('"""Case 1."""\ndef test_a(): ...\ndef test_b(): """Case 2."""\n')
    table = CaseTable(tmp_path / "TABLE.md")
    for outcome in ("passed", "failed"):
        table.pytest_runtest_logreport(
            pytest.TestReport(
                f"tests/test_some.py::test_a[{outcome}]",
                ("", None, ""),
                {},
                outcome,  # type: ignore[arg-type]
                None,
                "call",
                user_properties=[("figure", "0 of 2,000 lost")],
            )
        )
    lines = table.text(tmp_path).splitlines()
    assert "| 1 | kill -9 at random points | test_some | 1 passed; 1 failed | 0 of 2,000 lost |" in lines
    assert "| 2 | killed exactly before/after each syscall | test_some | not run |  |" in lines
    assert any(line.startswith("| 3 |") and "no test" in line for line in lines)


def test_the_table_that_was_written_last_has_every_case() -> None:
    if not TABLE.exists():
        pytest.skip("no table was written yet")
    told = {
        int(line.split("|")[1])
        for line in TABLE.read_text().splitlines()
        if line.startswith("| ") and line[2].isdigit()
    }
    assert told == set(ALL)
