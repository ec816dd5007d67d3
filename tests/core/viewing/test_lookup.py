"""Which run is meant, and what is said when none or several are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from buddy_core.errors import AmbiguousRun, RunNotFound, StoreUnavailable
from buddy_core.runs.lookup import check_runs_dir, choose_run, find_run, run_ids

IDS = ["run_mk2szcg2_71dbbe", "run_mk2szcg1_000001", "run_mj000000_abcdef"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("last", IDS[0]),
        (IDS[1], IDS[1]),
        ("run_mj", IDS[2]),
        ("mj", IDS[2]),
        ("mk2szcg1", IDS[1]),
    ],
)
def test_an_id_its_beginning_or_last_finds_a_run(wanted: str, found: str) -> None:
    assert choose_run(IDS, wanted, place="here") == found


@pytest.mark.parametrize("wanted", ["run_", "run_mk", "mk2szcg"])
def test_a_beginning_of_several_names_them(wanted: str) -> None:
    with pytest.raises(AmbiguousRun, match=r"71dbbe.*add a letter"):
        choose_run(IDS, wanted, place="here")


@pytest.mark.parametrize("wanted", ["", "nope", "71dbbe", "../etc", "run_mk2szcg2_71dbbe/x"])
def test_what_is_no_beginning_of_an_id_finds_nothing(wanted: str) -> None:
    with pytest.raises(RunNotFound, match=r"run list"):
        choose_run(IDS, wanted, place="here")


def test_last_of_nothing_is_said_to_be_nothing_yet() -> None:
    with pytest.raises(RunNotFound, match=r"no run in here yet"):
        choose_run([], "last", place="here")


def test_words_of_an_error_are_printable() -> None:
    """Case 61."""
    with pytest.raises(RunNotFound) as caught:
        choose_run(IDS, "\x1b]0;x\x07", place="dir\x1b")
    assert str(caught.value).isprintable()


def test_runs_are_directories_of_their_own_with_a_run_id_for_a_name(tmp_path: Path) -> None:
    """Cases 61 and 76."""
    (tmp_path / IDS[2]).mkdir()
    (tmp_path / IDS[0]).mkdir()
    (tmp_path / "run_nope").mkdir()
    (tmp_path / "run_mk2szcg3_71dbbe").write_text("", encoding="utf-8")
    (tmp_path / "run_mk2szcg4_71dbbe").symlink_to(tmp_path / IDS[0])
    assert run_ids(tmp_path) == [IDS[0], IDS[2]]
    assert find_run(tmp_path, "last") == IDS[0]


def test_a_linked_root_is_the_users_own_business(tmp_path: Path) -> None:
    """Case 76."""
    (tmp_path / "real" / IDS[0]).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert run_ids(tmp_path / "link") == [IDS[0]]


@pytest.mark.parametrize("times", [("mk0000002", "mk000000a", "mkz000000"), ("z", "10", "0zz", "mk0000001")])
def test_runs_are_in_the_order_of_the_times_in_their_names_however_many_digits_these_have(
    tmp_path: Path, times: tuple[str, ...]
) -> None:
    for time in reversed(times):
        for suffix in ("000000", "ffffff"):
            (tmp_path / f"run_{time}_{suffix}").mkdir()
    ages = sorted(times, key=lambda time: int(time, 36), reverse=True)
    assert run_ids(tmp_path) == [f"run_{time}_{suffix}" for time in ages for suffix in ("ffffff", "000000")]


def test_a_directory_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreUnavailable, match=r"no directory .*missing.*--runs-dir"):
        check_runs_dir(tmp_path / "missing")
    with pytest.raises(StoreUnavailable, match=r"is not a directory.*--runs-dir"):
        check_runs_dir(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_directory_without_permission_is_explained(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    with pytest.raises(StoreUnavailable, match=r"may not be read"):
        check_runs_dir(tmp_path / "shut")
