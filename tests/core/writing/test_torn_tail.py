"""What a crash cuts anywhere is taken up again, and readers never see a mixture: cases 3, 13, 14 and 15."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from buddy_core.runs.pruning.strays import STRAY_AFTER_MS, sweep
from buddy_core.runs.reading.jsonl import JsonlReader
from buddy_core.runs.reading.reader import read_metrics, read_summary
from buddy_core.runs.store.store import RunStore
from buddy_core.runs.writing.eventlog import EventLog, encode_event
from buddy_core.runs.writing.lock import RunLock

NOW = 1_770_000_000_000
RUN = "run_mk5k1qoj_724ab2"
LAST = encode_event(NOW, RUN, "tool_call", {"toolName": "bäsh", "args": {"command": 'echo "}{" \\ 🚀\n'}})


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    run_dir = tmp_path / "runs" / RUN
    run_dir.mkdir(parents=True)
    return run_dir


def append(run_dir: Path, *lines: bytes) -> None:
    fd = os.open(run_dir, os.O_RDONLY)
    log = EventLog(fd)
    assert all(log.append(line) for line in lines)
    log.close()
    os.close(fd)


@pytest.mark.parametrize("cut", range(len(LAST) + 1))
def test_a_file_cut_at_any_byte_of_its_last_line_goes_on(run_dir: Path, cut: int) -> None:
    """Case 3: the old line is reported torn, or whole, and the new ones are intact."""
    first, new = encode_event(NOW, RUN, "run_start", {}), encode_event(NOW + 1, RUN, "run_end", {})
    (run_dir / "events.jsonl").write_bytes(first + LAST[:cut])
    append(run_dir, new, new)

    reader = JsonlReader()
    found = reader.feed((run_dir / "events.jsonl").read_bytes()).events
    whole = ["tool_call"] if cut >= len(LAST) - 1 else []
    assert [event.type for event in found] == ["run_start", *whole, "run_end", "run_end"]
    assert reader.accounting().skipped_lines == (not whole and cut > 0)
    assert reader.accounting().pending == 0


def test_updates_from_two_threads_are_all_there(tmp_path: Path) -> None:
    """Case 13: 2 × 2,000 updates of different totals, and as many tool calls; none overwrites another."""
    store = RunStore(tmp_path / "runs", durable=False)
    run_id = store.start_run("x")
    acked = []

    def update(name: str) -> None:
        for number in range(1, 2_001):
            store.update_metrics(run_id, **{name: number})
            acked.append(store.emit(run_id, "tool_call", {"n": number}))

    threads = [
        threading.Thread(target=update, args=(name,)) for name in ("prompt_tokens", "completion_tokens")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.end_run(run_id, "completed")

    metrics = read_metrics(store.runs_dir, run_id)
    assert metrics is not None
    assert (metrics.prompt_tokens, metrics.completion_tokens) == (2_000, 2_000)
    assert metrics.tool_call_count == sum(acked) == 4_000
    assert len(store.get_events(run_id)) == read_summary(store.runs_dir, run_id).event_count == 4_002


def test_a_reader_in_a_tight_loop_never_sees_half_a_file(tmp_path: Path) -> None:
    """Case 14: old or new, never mixed, never unparsable, never missing."""
    store = RunStore(tmp_path / "runs", durable=False)
    run_id = store.start_run("x")
    over, seen, bad = threading.Event(), [], []

    def read() -> None:
        while not over.is_set():
            try:
                metrics = json.loads((store.runs_dir / run_id / "metrics.json").read_bytes())
                json.loads((store.runs_dir / run_id / "summary.json").read_bytes())
            except (OSError, ValueError) as error:
                bad.append(error)
                continue
            seen.append((metrics["promptTokens"], metrics["completionTokens"]))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1_000):
        store.update_metrics(run_id, prompt_tokens=number, completion_tokens=number)
        if number % 20 == 0:
            store.save_artifact(run_id, "plan.md", "x" * number)
    over.set()
    reader.join()

    assert bad == []
    assert len(seen) > 20
    assert all(prompt == completion for prompt, completion in seen)
    assert seen == sorted(seen)


class TestStrays:
    """Case 15: what a crash left between writing and renaming."""

    def aged(self, path: Path, ms: int) -> Path:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{")
        os.utime(path, ns=((NOW - ms) * 1_000_000,) * 2)
        return path

    def swept(self, run_dir: Path) -> int:
        fd = os.open(run_dir.parent, os.O_RDONLY)
        try:
            return sweep(fd, NOW)
        finally:
            os.close(fd)

    def test_an_old_temporary_file_is_removed(self, run_dir: Path) -> None:
        old = self.aged(run_dir / ".metrics.json.tmp", STRAY_AFTER_MS + 1)
        artifact = self.aged(run_dir / "artifacts" / ".plan.md.tmp", STRAY_AFTER_MS + 1)
        assert self.swept(run_dir) == 2
        assert not old.exists()
        assert not artifact.exists()

    def test_everything_else_stays(self, run_dir: Path, tmp_path: Path) -> None:
        kept = [
            self.aged(run_dir / ".metrics.json.tmp", STRAY_AFTER_MS - 1),
            self.aged(run_dir / "metrics.json", STRAY_AFTER_MS * 9),
            self.aged(run_dir / "artifacts" / "x.tmp", STRAY_AFTER_MS * 9),
            self.aged(run_dir.parent / "other" / ".metrics.json.tmp", STRAY_AFTER_MS * 9),
        ]
        secret = self.aged(tmp_path / "outside" / ".secret.tmp", STRAY_AFTER_MS * 9)
        (run_dir.parent / "run_mk5k1qoj_724ab3").symlink_to(secret.parent)
        (run_dir / ".link.tmp").symlink_to(secret)
        assert self.swept(run_dir) == 0
        assert all(path.exists() for path in (*kept, secret))

    def test_what_a_living_writer_has_stays_however_old_its_clock_makes_it(self, run_dir: Path) -> None:
        held = self.aged(run_dir / ".metrics.json.tmp", STRAY_AFTER_MS + 1)
        fd = os.open(run_dir, os.O_RDONLY)
        lock = RunLock(fd)
        assert self.swept(run_dir) == 0
        assert held.exists()
        lock.release()
        os.close(fd)
        assert self.swept(run_dir) == 1

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    def test_what_is_somebody_elses_stays(self, run_dir: Path) -> None:
        os.chown(self.aged(run_dir / ".metrics.json.tmp", STRAY_AFTER_MS + 1), 65_534, 65_534)
        assert self.swept(run_dir) == 0

    def test_the_first_start_of_a_process_sweeps(self, run_dir: Path) -> None:
        stray = self.aged(run_dir / ".summary.json.tmp", 0)
        os.utime(stray, (0, 0))
        run_dir.parent.chmod(0o700)
        RunStore(run_dir.parent).start_run("x")
        gone = threading.Event()
        for _ in range(500):
            if not stray.exists():
                return
            gone.wait(0.01)
        raise AssertionError("the stray file is still there after five seconds")


def test_a_temporary_file_left_by_a_crash_is_written_over(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs", durable=False)
    run_id = store.start_run("x")
    (store.runs_dir / run_id / ".metrics.json.tmp").write_bytes(b"{half")
    store.update_metrics(run_id, total_tokens=7)
    metrics = read_metrics(store.runs_dir, run_id)
    assert metrics is not None
    assert metrics.total_tokens == 7
    assert not (store.runs_dir / run_id / ".metrics.json.tmp").exists()
