"""Runs directories that put every pane into one extreme: a single row, two thousand, or names that are hard to fit."""

from __future__ import annotations

from pathlib import Path

from tests.tui.monitor import NOW

from buddy_core.testing import RunDirectoryBuilder

MANY = 2_000
MINUTE = 60_000

LONG = "mcp__enterprise_resource_planning_gateway__synchronise_inventory_levels_across_all_warehouses_v2"
SECRET = "sk-ant-api03-" + "Zx9" * 20
WIDE = {
    "cjk": "数据库迁移工具",
    "emoji": "deploy 👩‍👩‍👧‍👦 🏳️‍🌈 🚀",
    "combining": "re\u0301sume\u0301 de\u0301ploiement",
    "rtl": "بحث في الملفات שלום",
    "secret": f"curl {SECRET}",
    "long": LONG,
    "mixed": "表🚀e\u0301-" * 12,
}
"""Names as agents and people make them up; none of them may move a column."""


def one_row(root: Path) -> Path:
    """One run with one call that failed and one request."""
    run = RunDirectoryBuilder(root, started_at=NOW - 12 * MINUTE, objective="Fix the flaky login test")
    run.request(prompt=1_200, completion=300, cost=0.021, latency_ms=2_400, ttft_ms=700)
    run.tool("bash", {"command": "pytest -x"}, took_ms=8_300, error="Exit code 1: 1 failed, 41 passed")
    run.end("failed").write()
    return root


def many_rows(root: Path) -> Path:
    """One run with 2,000 tools, models and kinds of errors; the first of each happened most often."""
    run = RunDirectoryBuilder(root, started_at=NOW - 50 * MINUTE, objective="Try every tool there is")
    for number in range(MANY):
        name = f"mcp__server_{number % 40:02d}__tool_{number:04d}"
        run.tool(name, {"path": f"src/{number}.py"}, took_ms=20 + number * 37 % 900)
        if number % 25 == 0:
            for repeat in range(3):
                run.tool(name, None, took_ms=200, error=f"connection {_word(number + repeat)} was refused")
        provider, model = f"provider-{number % 20:02d}", f"model-{number:04d}"
        run.request(provider, model, prompt=900 + number, completion=80, cost=0.004, latency_ms=5)
        run.error(f"the index {_word(number)} is out of date")
    run.write()
    return root


def _word(number: int) -> str:
    """A word of letters, for numbers are blanked where errors are grouped."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def many_runs(root: Path) -> Path:
    """2,000 runs, the newest of them live."""
    statuses = ("completed", "completed", "failed", "completed", "cancelled")
    for number in range(MANY):
        started = NOW - (number + 1) * 7 * MINUTE
        run = RunDirectoryBuilder(root, started_at=started, objective=f"Work item {MANY - number:,}")
        run.request(prompt=4_000 + number, completion=200, cost=0.03, latency_ms=1_000)
        run.tool("bash", {"command": "make"}, took_ms=1_000 + 211 * number % 90_000)
        if number >= 2:
            run.end(statuses[number % 5])  # type: ignore[arg-type]
        run.write()
    return root


def wide_names(root: Path) -> Path:
    """A run for each kind of name, which is its objective, its tool, its model and what its errors say."""
    for number, name in enumerate(WIDE.values()):
        run = RunDirectoryBuilder(
            root, started_at=NOW - (number + 2) * 9 * MINUTE, objective=f"{name} {name}"
        )
        for repeat in range(number + 1):
            run.request(name, f"{name} model", prompt=61_200, completion=900, cost=0.61, latency_ms=1_800)
            run.tool(name, {"command": name}, took_ms=400 + 90 * repeat)
        run.tool(name, {"command": name}, took_ms=30, error=f"{name}: {name} failed").error(
            f"{name} broke {name}"
        )
        if number == 0:
            run.call(name, {"command": f"{name} {name}"})
        else:
            run.end("failed" if number % 2 else "completed")
        run.write()
    return root
