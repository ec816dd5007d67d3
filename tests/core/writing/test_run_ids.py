"""Run ids (promise C7): which names may be opened, and what an id tells about its run."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.runs.names import ID_WIDTH, age_key, is_run_id, new_run_id, run_id_at, started_at_of

NOW = 1_770_000_000_000
LONGEST = "run_zzzzzzzzzzzz_ffffff"


def test_the_id_of_a_moment_is_that_of_the_original() -> None:
    assert run_id_at(NOW, "0a1b2c") == "run_ml4kasqo_0a1b2c"
    assert run_id_at(35, "0a1b2c") == "run_z_0a1b2c"
    assert run_id_at(36, "0a1b2c") == "run_10_0a1b2c"
    assert run_id_at(0, "0a1b2c") == "run_0_0a1b2c"


def test_before_1970_there_is_only_the_first_id() -> None:
    assert run_id_at(-1, "0a1b2c") == run_id_at(0, "0a1b2c")


@given(st.integers(0, 36**12 - 1))
def test_an_id_tells_when_its_run_began(now_ms: int) -> None:
    run_id = new_run_id(now_ms)
    assert is_run_id(run_id)
    assert started_at_of(run_id) == now_ms
    assert len(run_id) < ID_WIDTH


def test_ids_of_one_moment_differ_by_chance() -> None:
    made = {new_run_id(NOW) for _ in range(50)}
    assert len(made) > 45
    assert {run_id.rpartition("_")[0] for run_id in made} == {"run_ml4kasqo"}
    assert set("".join(run_id.rpartition("_")[2] for run_id in made)) == set(string.hexdigits.lower())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "run_",
        "run__0a1b2c",
        "run_ml4kasqo_0a1b2",
        "run_ml4kasqo_0a1b2c3",
        "run_ml4kasqo_0a1b2g",
        "run_ML4KASQO_0a1b2c",
        "run_ml4kasqo_0A1B2C",
        "run_zzzzzzzzzzzzz_0a1b2c",
        "run-ml4kasqo-0a1b2c",
        " run_ml4kasqo_0a1b2c",
        "run_ml4kasqo_0a1b2c\n",
        "run_ml4kasqo_0a1b2c/..",
        "../run_ml4kasqo_0a1b2c",
        "run_ml4kasq\u212a_0a1b2c",
        "run_ml4kasq\uff4f_0a1b2c",
        "run_ml4kasqo_0a1b2\x00",
        "run_ml4kasqo_0a1b2\udcff",
    ],
)
def test_anything_else_names_no_run(name: str) -> None:
    """Cases 61 and 74."""
    assert not is_run_id(name)
    assert started_at_of(name) is None


def test_the_longest_id_is_one() -> None:
    assert is_run_id(LONGEST)
    assert started_at_of(LONGEST) == 36**12 - 1
    assert len(LONGEST) == ID_WIDTH - 1


def test_the_oldest_goes_first_and_before_it_what_claims_to_be_from_the_future() -> None:
    """Case 42: a day ahead of the clock is believed, a moment more is not."""
    day = 24 * 3_600_000
    for at, believed in ((NOW, NOW), (NOW + day, NOW + day), (NOW + day + 1, 0), (NOW - day, NOW - day)):
        run_id = run_id_at(at, "0a1b2c")
        assert age_key(run_id, NOW) == (believed, at, run_id)
    assert age_key("no run", NOW) == (0, 0, "no run")
