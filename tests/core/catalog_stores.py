"""Small stores of runs made up by chance, whose files are old enough to prove by their times that nothing changed."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import strategies as st

from buddy_core.runs.names import run_id_at
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_900_000_000_000
"""Later than the time of any file a test writes."""

START = 1_767_890_000_000

OBJECTIVES = (
    "Fix the Login test",
    "plan a party",
    'quo"te the a\\b',
    "straße É",
    "",
    "use password=hunter2canary now",
)
TEXTS = (
    "exit code 2",
    "No such file",
    "Two Words\nhere",
    "caf\u00e9 \u212aelvin",
    "-x %_",
    "http://h/p?q=1.50",
)


@st.composite
def stores(draw: st.DrawFn) -> list[RunPlan]:
    return [draw(plans(number)) for number in range(draw(st.integers(0, 6)))]


class RunPlan:
    """What a run is to look like; `write` makes it so, over whatever stands there."""

    def __init__(self, number: int, **choices: object) -> None:
        self.number = number
        self.choices = choices

    def __repr__(self) -> str:
        return f"RunPlan({self.number}, {self.choices})"

    @property
    def suffix(self) -> str:
        return f"{self.number:06x}"

    @property
    def run_id(self) -> str:
        return run_id_at(self.started_at, self.suffix)

    @property
    def started_at(self) -> int:
        return START + self.number * 3_600_000

    def write(self, root: Path) -> None:
        c = self.choices
        run = RunDirectoryBuilder(
            root,
            started_at=self.started_at,
            objective=str(c["objective"]),
            suffix=self.suffix,
            metadata={"tags": c["tags"], "parentRolloutId": c["parent"]},
        )
        for tool in c["tools"]:  # type: ignore[attr-defined]
            run.tool(tool, {"command": c["text"]}, took_ms=50, error=c["error"])  # type: ignore[arg-type]
        if c["refused"]:
            run.call("web_fetch")
        if c["error"]:
            run.error(str(c["error"]))
        if c["cost"] is not None:
            run.request(cost=c["cost"], model="gpt-5.5", prompt=1234)  # type: ignore[arg-type]
        for name in c["artifacts"]:  # type: ignore[attr-defined]
            run.artifact(name, str(c["text"]))
        if c["end"]:
            run.wait(60_000).end(c["end"])  # type: ignore[arg-type]
        run.summary(startedAt=c["claim"] or self.started_at)
        if run.run_dir.exists():
            run.events_file.unlink()
        run.write()
        make_old(run.run_dir)


def make_old(folder: Path) -> None:
    """Give every file a time of its own that lies far back and grows with what stands in it."""
    for path in (*folder.rglob("*"), folder):
        at = 1_700_000_000 + path.stat().st_ctime_ns % 10**8
        os.utime(path, (at, at))


@st.composite
def plans(draw: st.DrawFn, number: int) -> RunPlan:
    pick = lambda *values: draw(st.sampled_from(values))
    return RunPlan(
        number,
        objective=pick(*OBJECTIVES),
        tags=pick([], ["bugfix"], ["headless", "gpt-5.5"], ["Ä tag", "bugfix"]),
        parent=pick(None, run_id_at(START, "000000"), "run_zz_ffffff"),
        tools=pick([], ["bash"], ["bash", "view_file", "bash"], ["*"]),
        text=pick(*TEXTS),
        error=pick(None, "exit code 2", "No such file: plan.md"),
        refused=pick(False, True),
        cost=pick(None, 0.25, 1.5),
        artifacts=pick([], ["plan.md"], ["plan.md", "patch.diff"]),
        end=pick("completed", "failed", "cancelled", None),
        claim=pick(None, None, NOW * 4, NOW - 3_600_000),
    )
