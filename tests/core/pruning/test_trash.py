"""The trash of pruned runs, beside others that prune, exchange names and stand in the way (cases 77, 81 and 82)."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buddy_core.runs.names import run_id_at
from buddy_core.runs.pruning import prune as pruning
from buddy_core.runs.pruning.prune import PruneReport, prune_below
from buddy_core.runs.pruning.trash import TRASH_NAME, Trash
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000
HOUR = 3_600_000
GHOST = f"{run_id_at(NOW, 'abcdef')}.0123456789abcdef"


class Patience:
    """Somebody with all the time in the world, or none, who is told whenever the time is asked."""

    hurried = False
    time_is_over = False

    def __init__(self, asked: Callable[[], object] = lambda: None) -> None:
        self._asked = asked

    @property
    def over(self) -> bool:
        self._asked()
        return self.time_is_over

    def rest(self) -> None:
        """There is nobody else."""


@pytest.fixture
def root_fd(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "runs").mkdir(mode=0o700)
    fd = os.open(tmp_path / "runs", os.O_RDONLY | os.O_DIRECTORY)
    yield fd
    os.close(fd)


def ended(root: Path, number: int = 1) -> Path:
    return RunDirectoryBuilder(root / "runs", started_at=NOW - HOUR, suffix=f"{number:06x}").end().write()


def prune(root: Path, root_fd: int, patience: Patience | None = None, keep: int = 0) -> PruneReport:
    return prune_below(root_fd, keep, root=root / "runs", now_ms=NOW, patience=patience or Patience())


def failing(number: int) -> Callable[..., object]:
    def call(*_args: object, **_more: object) -> object:
        raise OSError(number, os.strerror(number))

    return call


def test_where_nothing_is_to_be_removed_no_trash_is_made(tmp_path: Path, root_fd: int) -> None:
    assert prune(tmp_path, root_fd) == PruneReport()
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_run_that_another_prune_took_first_is_no_problem(
    tmp_path: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(tmp_path)
    gone = Patience(lambda: run.exists() and run.rename(tmp_path / "taken"))
    assert prune(tmp_path, root_fd, gone) == PruneReport()

    ended(tmp_path, 2)
    monkeypatch.setattr(os, "rename", failing(errno.ENOENT))
    assert prune(tmp_path, root_fd) == PruneReport()


def test_a_link_with_the_name_of_a_run_counts_as_none(tmp_path: Path, root_fd: int) -> None:
    """Case 76: it drives no run out, and is no run to be removed."""
    run = ended(tmp_path)
    for number in range(3):
        (tmp_path / "runs" / run_id_at(NOW, f"{number:06x}")).symlink_to(run)
    assert prune(tmp_path, root_fd, keep=1) == PruneReport()
    assert len(list((tmp_path / "runs").iterdir())) == 4


def test_a_full_directory_is_listed_with_a_look_at_the_clock_every_256_runs(
    tmp_path: Path, root_fd: int
) -> None:
    """Case 38: not at each, and not only at the end."""
    for number in range(513):
        (tmp_path / "runs" / run_id_at(NOW, f"{number:06x}")).mkdir()
    looks: list[None] = []
    assert prune(tmp_path, root_fd, Patience(lambda: looks.append(None)), keep=513) == PruneReport()
    assert len(looks) == 2


def test_a_link_that_took_the_place_of_a_run_is_put_back(tmp_path: Path, root_fd: int) -> None:
    """It leads to the very run that was looked at, and is not that run."""
    run = ended(tmp_path)
    link = run.with_name(run_id_at(NOW, "00000b"))
    link.symlink_to(run)
    run_fd = os.open(run, os.O_RDONLY)
    with Trash(root_fd) as trash, pytest.raises(OSError, match="was") as refused:
        trash.take(link.name, run_fd)
    os.close(run_fd)
    assert (refused.value.errno, refused.value.strerror) == (
        errno.ESTALE,
        "was replaced while it was looked at",
    )
    assert link.is_symlink()
    assert list((tmp_path / "runs" / TRASH_NAME).iterdir()) == []


@pytest.mark.parametrize("step", ["contents", "_claim"])
def test_what_another_prune_removed_from_the_trash_is_no_problem_and_not_waited_for(
    root_fd: int, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the disk goes on to list it."""
    with Trash(root_fd) as trash:
        answers = iter([[GHOST]] * 3)
        monkeypatch.setattr(trash, "contents", lambda: next(answers))
        if step == "_claim":
            monkeypatch.setattr(trash, "_claim", lambda name, _run_id: name)
        trash.empty(Patience())
        assert trash.problems == {}


def test_files_that_another_prune_removed_do_not_keep_the_others(
    tmp_path: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, unlink = ended(tmp_path), os.unlink
    removed: list[str] = []

    def beaten(name: str, *, dir_fd: int) -> None:
        unlink(name, dir_fd=dir_fd)
        removed.append(name)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(os, "unlink", beaten)
    report = prune(tmp_path, root_fd)
    assert (report.removed, report.problems, report.leftover) == ((run.name,), {}, 0)
    assert len(removed) > 1


def test_directories_within_directories_go_and_come_to_lie_nowhere_else(
    tmp_path: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended(tmp_path)
    (run / "artifacts" / "deep" / "deeper").mkdir(parents=True)
    (run / "artifacts" / "deep" / "file").touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert prune(tmp_path, root_fd).leftover == 0
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [TRASH_NAME]
    assert list((tmp_path / "runs" / TRASH_NAME).iterdir()) == []
    assert list((tmp_path / "here").iterdir()) == []


def test_what_cannot_be_moved_is_told_by_the_id_of_its_run_and_left(
    root_fd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 82: the kernel moves no mount point, and so nothing in it is touched."""
    others = GHOST.replace("run_", "run_a")
    with Trash(root_fd) as trash:
        places = [tmp_path / "runs" / TRASH_NAME / name for name in (GHOST, others)]
        for place in places:
            place.mkdir()
            (place / "file").touch()
        monkeypatch.setattr(os, "rename", failing(errno.EBUSY))
        trash.empty(Patience())
        assert trash.problems == {
            name.partition(".")[0]: "device or resource busy" for name in (GHOST, others)
        }
        assert set(trash.contents()) == {GHOST, others}
    assert all((place / "file").exists() for place in places)


def test_a_run_in_which_something_is_mounted_is_left_and_told_of(
    tmp_path: Path, root_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 82."""
    run = ended(tmp_path)
    mounts = {tmp_path / "runs": frozenset({run.name})}
    monkeypatch.setattr(pruning, "holding_mounts", lambda root: mounts.get(root, frozenset()))
    assert prune(tmp_path, root_fd) == PruneReport(problems={run.name: "something is mounted in it"})
    assert run.exists()


def test_a_prune_that_had_no_time_says_that_it_is_not_finished(tmp_path: Path, root_fd: int) -> None:
    """Case 81."""
    run = ended(tmp_path)
    patience = Patience()
    patience.time_is_over = True
    assert prune(tmp_path, root_fd, patience) == PruneReport(finished=False)
    assert run.exists()


@pytest.mark.parametrize("target", ["nowhere", "kept"])
def test_a_link_that_was_planted_in_the_trash_goes_and_what_it_leads_to_stays(
    tmp_path: Path, root_fd: int, target: str
) -> None:
    """Case 76."""
    (tmp_path / "kept").mkdir()
    with Trash(root_fd) as trash:
        link = tmp_path / "runs" / TRASH_NAME / GHOST
        link.symlink_to(tmp_path / target)
        trash.empty(Patience())
        assert (trash.contents(), trash.problems) == ([], {})
    assert (tmp_path / "kept").is_dir()
