"""Pruning what does not want to be pruned: links, mounts, immutable files, depth; nothing outside is touched.

`BUDDY_SWAPS` (directories that turn into links and back while they are pruned, 4) makes the race longer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.runs.names import run_id_at
from buddy_core.runs.store.store import RunStore
from buddy_core.testing import RunDirectoryBuilder

NOW = 1_770_000_000_000
DAY = 86_400_000

SWAPS = int(os.environ.get("BUDDY_SWAPS", "4"))
SANDBOX = ("unshare", "-Urm", "--propagation", "private")


def _namespaces_work() -> bool:
    if shutil.which("unshare") is None:
        return False
    mount = "mount -t tmpfs tmpfs /mnt"
    return subprocess.run([*SANDBOX, "sh", "-c", mount], capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(
    not _namespaces_work(), reason="no user namespaces to mount things in (unshare -Urm)"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    store = RunStore(tmp_path / "runs", max_runs=0, clock=ManualClock(NOW), durable=False)
    store.runs_dir.mkdir()
    yield store
    store.close()


def ended_run(root: Path, days_ago: int = 1) -> Path:
    return RunDirectoryBuilder(root, started_at=NOW - days_ago * DAY).artifact("plan.md", "x").end().write()


def trash(store: RunStore) -> list[str]:
    return [entry.name for entry in (store.runs_dir / ".trash").iterdir()]


class TestLinks:
    """Case 76: nothing is followed."""

    def test_a_run_that_is_a_link_is_no_run(self, store: RunStore, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        shutil.copytree(ended_run(store.runs_dir), victim)
        (store.runs_dir / run_id_at(1, "aaaaaa")).symlink_to(victim)
        store.prune()
        assert (victim / "artifacts" / "plan.md").read_text() == "x"
        assert (store.runs_dir / run_id_at(1, "aaaaaa")).is_symlink()

    def test_a_trash_that_is_a_link_is_refused(self, store: RunStore, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        (victim / f"{run_id_at(1, 'aaaaaa')}.0123456789abcdef").mkdir(parents=True)
        (store.runs_dir / ".trash").symlink_to(victim)
        run = ended_run(store.runs_dir)
        report = store.prune()
        assert report.problems.keys() == {".trash"}
        assert report.removed == ()
        assert run.exists()
        assert len(list(victim.iterdir())) == 1

    def test_links_inside_a_run_go_and_what_they_lead_to_stays(self, store: RunStore, tmp_path: Path) -> None:
        victim = tmp_path / "victim"
        victim.mkdir()
        (victim / "precious").write_text("x")
        run = ended_run(store.runs_dir)
        (run / "artifacts" / "link").symlink_to(victim)
        (run / "loop").symlink_to(run)
        assert store.prune().removed == (run.name,)
        assert (victim / "precious").read_text() == "x"
        assert trash(store) == []

    def test_a_link_in_the_trash_goes_and_what_it_leads_to_stays(
        self, store: RunStore, tmp_path: Path
    ) -> None:
        victim = tmp_path / "victim"
        victim.mkdir()
        (victim / "precious").write_text("x")
        (store.runs_dir / ".trash").mkdir()
        (store.runs_dir / ".trash" / f"{run_id_at(1, 'aaaaaa')}.0123456789abcdef").symlink_to(victim)
        store.prune()
        assert (victim / "precious").read_text() == "x"
        assert trash(store) == []

    @pytest.mark.parametrize("name", ["run.lock", "summary.json"])
    def test_a_link_in_the_place_of_a_file_tells_nothing_and_is_not_followed(
        self, store: RunStore, tmp_path: Path, name: str
    ) -> None:
        victim = tmp_path / "victim"
        victim.write_text('{"status": "completed"}\n')
        run = RunDirectoryBuilder(store.runs_dir, started_at=NOW).write()
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(victim)
        assert store.prune().removed == ()
        assert victim.read_text() == '{"status": "completed"}\n'


class TestShapes:
    def test_a_run_five_thousand_directories_deep_goes(self, store: RunStore) -> None:
        """Case 82: and so does a file at its end, with few descriptors."""
        run = ended_run(store.runs_dir)
        fd = os.open(run, os.O_RDONLY)
        for _ in range(5_000):
            os.mkdir("d", dir_fd=fd)
            inner = os.open("d", os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = inner
        os.close(os.open("deep.txt", os.O_CREAT | os.O_WRONLY, dir_fd=fd))
        os.close(fd)
        assert store.prune().removed == (run.name,)
        assert trash(store) == []

    def test_pipes_sockets_and_odd_names_go_too(self, store: RunStore) -> None:
        run = ended_run(store.runs_dir)
        os.mkfifo(run / "artifacts" / "pipe")
        (run / os.fsdecode(b"\xff\x1b]0;x\x07")).mkdir()
        (run / "-rf").write_text("")
        assert store.prune().problems == {}
        assert trash(store) == []

    def test_a_pipe_in_the_place_of_the_lock_holds_nothing_up(self, store: RunStore) -> None:
        """Case 28."""
        run = ended_run(store.runs_dir)
        os.mkfifo(run / "run.lock")
        store.prune()
        assert not run.exists()

    def test_a_prune_that_was_killed_midway_is_finished_by_the_next_start(self, store: RunStore) -> None:
        """Case 81: whatever a killed prune left in the trash is removed."""
        for pieces in ("whole", "half", "empty"):
            left = store.runs_dir / ".trash" / f"{run_id_at(1, 'aaaaaa')}.{pieces.encode().hex():0>16}"
            if pieces == "empty":
                left.mkdir()
            else:
                shutil.copytree(ended_run(store.runs_dir), left)
            if pieces == "half":
                (left / "summary.json").unlink()
        following = RunStore(store.runs_dir, max_runs=30, clock=ManualClock(NOW), durable=False)
        following.start_run("next")
        assert following.wait_for_prune(30)
        assert trash(store) == []


def in_a_namespace(tmp_path: Path, setup: str, code: str) -> str:
    """Run `setup` (sh) and then `code` (Python) as root of a namespace of their own."""
    body = f"""
import json, os, sys
sys.path[:0] = {[path for path in sys.path if path]!r}
from pathlib import Path
from buddy_core.clock import ManualClock
from buddy_core.runs.store.store import RunStore
store = RunStore({str(tmp_path / "runs")!r}, max_runs=0, clock=ManualClock({NOW}), durable=False)
{code}
"""
    script = tmp_path / "inside.py"
    script.write_text(body)
    done = subprocess.run(
        [*SANDBOX, "sh", "-ec", f"{setup}\nexec {sys.executable} {script}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_namespaces
class TestMounts:
    """Case 82: no descent into another file system, nor into another part of this one."""

    def test_a_run_that_is_a_mount_point_is_left(self, store: RunStore, tmp_path: Path) -> None:
        run, other = ended_run(store.runs_dir), ended_run(store.runs_dir, 2)
        told = in_a_namespace(
            tmp_path,
            f"cp -a {run} {tmp_path}/copy; mount --bind {tmp_path}/copy {run}",
            "r = store.prune(); print(json.dumps([r.removed, r.problems]))",
        )
        assert told == f'[["{other.name}"], {{"{run.name}": "something is mounted in it"}}]\n'
        assert (tmp_path / "copy" / "events.jsonl").exists()

    @pytest.mark.parametrize("mount", ["mount --bind {victim} {place}", "mount -t tmpfs tmpfs {place}"])
    def test_a_run_with_a_mount_inside_is_left_whole(
        self, store: RunStore, tmp_path: Path, mount: str
    ) -> None:
        run, victim = ended_run(store.runs_dir), tmp_path / "victim"
        victim.mkdir()
        (victim / "precious").write_text("x")
        told = in_a_namespace(
            tmp_path,
            mount.format(victim=victim, place=run / "artifacts"),
            "print(store.prune().removed, list(store.prune().problems))",
        )
        assert told == f"() ['{run.name}']\n"
        assert (victim / "precious").exists()
        assert (run / "events.jsonl").exists()

    @pytest.mark.parametrize("where", ["", "/artifacts", "/plan.md"])
    def test_a_mount_in_the_trash_is_not_descended_into(
        self, store: RunStore, tmp_path: Path, where: str
    ) -> None:
        """A mount that appeared after the run was moved there, on the same file system."""
        victim = tmp_path / "victim"
        victim.mkdir()
        (victim / "precious").write_text("x")
        left = store.runs_dir / ".trash" / f"{run_id_at(1, 'aaaaaa')}.0123456789abcdef"
        left.mkdir(parents=True)
        if where == "/plan.md":
            (left / "plan.md").touch()
            source = victim / "precious"
        else:
            (left / where.strip("/")).mkdir(exist_ok=True)
            source = victim
        told = in_a_namespace(
            tmp_path, f"mount --bind {source} {left}{where}", "print(store.prune().problems)"
        )
        assert "busy" in told
        assert (victim / "precious").read_text() == "x"

    def test_a_trash_on_another_file_system_takes_nothing(self, store: RunStore, tmp_path: Path) -> None:
        run = ended_run(store.runs_dir)
        (store.runs_dir / ".trash").mkdir()
        told = in_a_namespace(
            tmp_path,
            f"mount -t tmpfs tmpfs {store.runs_dir}/.trash",
            "r = store.prune(); print(r.removed, list(r.problems))",
        )
        assert told == f"() ['{run.name}']\n"
        assert (run / "events.jsonl").exists()

    def test_on_a_read_only_file_system_everything_is_read_and_nothing_is_raised_but_the_name_of_it(
        self, store: RunStore, tmp_path: Path
    ) -> None:
        """Case 9."""
        run = ended_run(store.runs_dir)
        told = in_a_namespace(
            tmp_path,
            f"mount --bind {tmp_path} {tmp_path}; mount -o remount,ro,bind {tmp_path}",
            """
from buddy_core.errors import StoreUnavailable
os.chdir(store.runs_dir)
print([run.status for run in store.list_runs()], len(store.get_events(store.list_runs()[0].run_id)))
print(store.get_artifact(store.list_runs()[0].run_id, "plan.md"), dict(store.prune().problems))
try:
    store.start_run("one")
except StoreUnavailable as error:
    print("Read-only" in str(error), store.current_run_id, store.append_event("note", {}))
""",
        )
        assert told.splitlines() == [
            "['completed'] 3",
            "x {'.trash': 'read-only file system'}",
            "True None False",
        ]
        assert run.exists()


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("chattr") is None, reason="chattr +i needs root and e2fsprogs"
)
@pytest.mark.parametrize("place", ["", "events.jsonl", "artifacts"])
def test_what_is_immutable_is_told_and_left(store: RunStore, place: str) -> None:
    """Case 82."""
    run, other = ended_run(store.runs_dir), ended_run(store.runs_dir, 2)
    target = run / place
    if subprocess.run(["chattr", "+i", target], capture_output=True, check=False).returncode != 0:
        pytest.skip("this file system knows no immutable files")
    try:
        report = store.prune()
        assert report.problems == {run.name: "operation not permitted"}
        assert other.name in report.removed
        assert store.prune().problems, "and tried again"
    finally:
        subprocess.run(["chattr", "-R", "-i", store.runs_dir], capture_output=True, check=False)
    assert store.prune().problems == {}
    assert trash(store) == []


FLIPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
one, other = (os.fsencode(path) for path in sys.argv[1:3])
if libc.renameat2(-100, one, -100, other, 2) != 0:
    sys.exit("no RENAME_EXCHANGE")
print("ready", flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)
"""


@pytest.mark.parametrize("inside", [False, True], ids=["the run", "its artifacts"])
def test_a_directory_that_turns_into_a_link_and_back_all_the_time_leads_nowhere(
    store: RunStore, tmp_path: Path, *, inside: bool
) -> None:
    """Case 77: whatever a prune takes, it is never what the link leads to."""
    victim = tmp_path / "victim"
    shutil.copytree(ended_run(tmp_path / "staged"), victim)
    before = sorted(victim.rglob("*"))
    removed = 0
    for number in range(SWAPS):
        run = (
            RunDirectoryBuilder(store.runs_dir, started_at=1_000_000 + number)
            .artifact("a", "x")
            .end()
            .write()
        )
        link = store.runs_dir / "link"
        link.unlink(missing_ok=True)
        link.symlink_to(victim)
        flipped = run / "artifacts" if inside else run
        flipper = subprocess.Popen(
            [sys.executable, "-c", FLIPPER, flipped, link], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert flipper.stdout is not None
        try:
            if flipper.stdout.readline() != b"ready\n":
                pytest.skip("this kernel or file system cannot exchange two names")
            for _ in range(3_000):
                removed += len(taken := store.prune().removed)
                if taken:
                    break
        finally:
            flipper.kill()
            flipper.communicate()
        for left in (run, link):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink(missing_ok=True)
    assert sorted(victim.rglob("*")) == before
    assert (victim / "artifacts" / "plan.md").read_text() == "x"
    assert removed, "the race was lost each time, which proves nothing"
