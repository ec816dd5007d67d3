"""Runs that are pruned stay in every number: a monitor that starts again counts what one that saw all would."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.core.history_home import Home, differences, numbers, saw_everything

PLAN = st.lists(
    st.tuples(st.floats(0.2, 12 * 1440), st.integers(0, 2**16), st.booleans()), min_size=1, max_size=7
)


@example(  # a turn that a run which is there and one which is gone could both have made
    plan=[(47.29503357898569, 63105, False), (47.7193397087109, 33956, True), (15.8, 55363, True)],
    turns=[47.6, 15.7, 47.2],
    kept_turns=1,
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=PLAN, turns=st.lists(st.floats(0.2, 3000), max_size=5), kept_turns=st.integers(0, 5))
def test_whatever_is_pruned_between_two_starts_every_number_is_that_of_a_monitor_with_all_runs(
    tmp_path_factory: pytest.TempPathFactory,
    plan: list[tuple[float, int, bool]],
    turns: list[float],
    kept_turns: int,
) -> None:
    base = tmp_path_factory.mktemp("home")
    home = Home(base / "home")
    runs = [home.run(n, minutes_ago=ago, seed=seed) for n, (ago, seed, _) in enumerate(plan)]
    for ago in turns:
        home.turn(ago)
    shutil.copytree(home.path, base / "all")
    home.monitor()

    home.prune(*(run for run, (_, _, gone) in zip(runs, plan, strict=True) if gone))
    if turns:
        file = home.path / "turn-metrics.jsonl"
        file.write_text(
            "".join(file.read_text().splitlines(keepends=True)[-kept_turns:] if kept_turns else [])
        )
    collector, observer = home.monitor()

    assert observer.sources().history_problem is None
    assert differences(numbers(collector), numbers(saw_everything(home, base / "all"))) == []
