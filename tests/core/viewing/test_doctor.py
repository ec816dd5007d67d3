"""What the doctor finds, that it changes nothing, and that nothing it meets can stop it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from buddy_core.clock import ManualClock
from buddy_core.errors import RunNotFound, StoreUnavailable
from buddy_core.runs.doctor import DoctorReport, doctor, report_lines
from buddy_core.testing import RunDirectoryBuilder

START = 1_767_890_000_000
NOW = START + 10 * 60_000_000


@pytest.fixture
def run(tmp_path: Path) -> RunDirectoryBuilder:
    run = RunDirectoryBuilder(tmp_path / "runs", started_at=START)
    return run.tool("bash", {"command": "ls"}).artifact("plan.md", "# plan")


def look(run: RunDirectoryBuilder, *, run_id: str | None = None, now_ms: int = NOW) -> DoctorReport:
    run.write()
    private(run.root)
    return doctor(run.root, run_id=run_id, clock=ManualClock(now_ms))


def private(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 if path.is_dir() else 0o600)


def kinds(report: DoctorReport) -> list[tuple[str, str]]:
    return sorted((finding.severity, finding.kind) for finding in report.findings)


def text(report: DoctorReport, width: int | None = None) -> str:
    return "\n".join(report_lines(report, width=width))


def test_a_healthy_run_has_nothing_to_tell(run: RunDirectoryBuilder) -> None:
    report = look(run.end())
    assert (report.healthy, report.checked) == (True, 1)
    assert text(report) == "✓ 1 run looked at: nothing to tell"


def test_an_empty_directory_is_healthy(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert doctor(tmp_path).healthy


def without(name: str) -> Callable[[RunDirectoryBuilder], None]:
    return lambda run: (run.run_dir / name).unlink()


def filled(name: str, data: bytes) -> Callable[[RunDirectoryBuilder], None]:
    def fill(run: RunDirectoryBuilder) -> None:
        (run.run_dir / name).unlink(missing_ok=True)
        (run.run_dir / name).write_bytes(data)

    return fill


def linked(name: str) -> Callable[[RunDirectoryBuilder], None]:
    def link(run: RunDirectoryBuilder) -> None:
        (run.run_dir / name).unlink(missing_ok=True)
        (run.run_dir / name).symlink_to("/etc/hostname")

    return link


def hard_linked(run: RunDirectoryBuilder) -> None:
    os.link(run.run_dir / "metrics.json", run.root / "elsewhere")


def piped(run: RunDirectoryBuilder) -> None:
    run.events_file.unlink()
    os.mkfifo(run.events_file)


@pytest.mark.parametrize(
    ("harm", "severity", "kind"),
    [
        (without("summary.json"), "warning", "no_summary"),
        (without("metrics.json"), "warning", "no_metrics"),
        (without("events.jsonl"), "problem", "no_events"),
        (without("artifacts/plan.md"), "warning", "artifact_count"),
        (filled("artifacts/more.md", b"x"), "warning", "artifact_count"),
        (filled("summary.json", b"{"), "problem", "bad_summary"),
        (filled("summary.json", b"[]"), "problem", "bad_summary"),
        (filled("metrics.json", b""), "problem", "bad_metrics"),
        (filled("metrics.json", b"x" * 2_000_000), "problem", "bad_metrics"),
        (filled(".summary.json.tmp", b"{"), "note", "temporary"),
        (filled("artifacts/.plan.md.tmp", b"{"), "note", "temporary"),
        (linked("summary.json"), "warning", "no_file"),
        (linked("artifacts/more.md"), "warning", "no_file"),
        (linked("events.jsonl"), "problem", "no_file"),
        (hard_linked, "warning", "hard_link"),
        (piped, "problem", "no_file"),
    ],
)
def test_each_harm_done_to_files_is_found(
    run: RunDirectoryBuilder, harm: Callable[[RunDirectoryBuilder], None], severity: str, kind: str
) -> None:
    """Cases 28, 48, 76 and 78."""
    run.end().write()
    harm(run)
    private(run.root)
    assert (severity, kind) in kinds(doctor(run.root, clock=ManualClock(NOW)))


@pytest.mark.parametrize(
    ("line", "severity", "kind"),
    [
        (b'{"ts":1767890000000,"type":"deci\n', "problem", "lost"),
        (b"rubbish\n", "problem", "lost"),
        (b"[1]\n", "problem", "lost"),
        (b"x" * 1_100_000 + b"\n", "problem", "lost"),
        (b"\0" * 100 + b"\n", "note", "damaged"),
        (b'{"ts":1767890000000,"type":"decision","data":{"a":"\xff"}}\n', "note", "damaged"),
        (b'{"ts":1767890000000,"type":"decision","data":{"a":"\\ud83c"}}\n', "note", "damaged"),
    ],
)
def test_each_kind_of_damaged_line_is_found(
    run: RunDirectoryBuilder, line: bytes, severity: str, kind: str
) -> None:
    """Cases 2, 23, 29 to 31 and 45."""
    assert (severity, kind) in kinds(look(run.raw(line).end()))


def test_a_torn_last_line_is_found(run: RunDirectoryBuilder) -> None:
    """Case 3."""
    report = look(run.end().raw(b'{"ts":17678'))
    assert ("problem", "torn") in kinds(report)
    assert "the last line breaks off after 11 bytes: would end it with a line break" in text(report)


def test_events_that_do_not_fit_together_are_found(run: RunDirectoryBuilder) -> None:
    """Case 46."""
    run.call("bash", {"command": "sleep"})
    run.result("search", "toolu_never", took_ms=1).event("wish", {"for": "more"}).event("wish")
    foreign = b'{"ts":%d,"runId":"run_mk0000001_aaaaaa","type":"decision","data":{}}\n' % run.now_ms
    report = look(run.raw(foreign).end().event("lesson_added"))
    assert kinds(report) == [
        ("note", "late"),
        ("note", "no_call"),
        ("note", "no_result"),
        ("note", "unknown_type"),
        ("warning", "run_id"),
    ]
    assert "1 call has no result: bash × 1" in text(report)
    assert "2 events of unknown type: wish × 2" in text(report)


def test_calls_and_results_without_ids_are_paired_in_their_order(run: RunDirectoryBuilder) -> None:
    for kind in ("tool_call", "tool_call", "tool_result"):
        run.event(kind, {"toolName": "bash", "success": True})
    report = look(run.end())
    assert [finding.message for finding in report.findings] == ["1 call has no result: bash × 1"]


def test_numbers_that_disagree_are_found_in_a_run_that_has_ended(run: RunDirectoryBuilder) -> None:
    report = look(
        run.end().summary(eventCount=99, artifactCount=7, runId="run_mk0000001_aaaaaa", status="failed")
    )
    assert kinds(report) == [
        ("warning", "artifact_count"),
        ("warning", "event_count"),
        ("warning", "run_id"),
        ("warning", "status"),
    ]
    assert "its summary counts 99 events, its file holds 5: would count what is there" in text(report)
    assert "its events say completed, its summary failed: would believe the events" in text(report)


def test_an_end_that_only_the_summary_knows_is_noted(run: RunDirectoryBuilder) -> None:
    assert kinds(look(run.summary(status="completed"))) == [("note", "no_end")]


def test_a_live_run_is_not_blamed_for_being_unfinished(run: RunDirectoryBuilder) -> None:
    run.call("bash", {"command": "make"})
    report = look(run.summary(eventCount=0, artifactCount=0).raw(b'{"ts":'), now_ms=run.now_ms + 1_000)
    assert report.healthy


def test_a_silent_run_is_stalled_and_later_interrupted(run: RunDirectoryBuilder) -> None:
    """C3, for a writer without a lock."""
    assert kinds(look(run, now_ms=run.now_ms + 11 * 60_000)) == [("warning", "stalled")]
    assert kinds(look(run, now_ms=run.now_ms + 61 * 60_000)) == [("warning", "stale")]


def test_a_lock_tells_a_dead_writer_from_a_silent_one(run: RunDirectoryBuilder) -> None:
    """C3."""
    run.write()
    lock = run.run_dir / "run.lock"
    lock.touch()
    assert "nobody holds its lock" in text(look(run, now_ms=run.now_ms + 1))
    with lock.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert kinds(look(run, now_ms=run.now_ms + 90 * 60_000)) == [("warning", "stalled")]


def test_a_clock_that_jumps_is_found(run: RunDirectoryBuilder) -> None:
    """Cases 40 and 42."""
    run.wait(-60_000).event("decision").wait(3_600_000_000_000).event("decision").wait(-3_600_000_000_000)
    report = look(run.end())
    assert kinds(report) == [("note", "clock_back"), ("warning", "clock_ahead")]
    assert "1 event lies in the future" in text(report)


def test_permissions_are_looked_at(run: RunDirectoryBuilder) -> None:
    """C11 and case 80."""
    look(run.end())
    run.events_file.chmod(0o644)
    assert kinds(doctor(run.root, clock=ManualClock(NOW))) == [("note", "permissions")]
    run.events_file.chmod(0o666)
    assert kinds(doctor(run.root, clock=ManualClock(NOW))) == [("problem", "permissions")]
    run.events_file.chmod(0o600)
    run.root.chmod(0o777)
    assert kinds(doctor(run.root, clock=ManualClock(NOW))) == [("problem", "permissions")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_another_user_are_found(run: RunDirectoryBuilder) -> None:
    """Case 78."""
    look(run.end())
    os.chown(run.events_file, 65534, 65534)
    assert kinds(doctor(run.root, clock=ManualClock(NOW))) == [("warning", "owner")]


def test_what_lies_beside_runs_is_told(run: RunDirectoryBuilder, tmp_path: Path) -> None:
    """Cases 61, 76 and 81."""
    run.end().write()
    (run.root / "run_mk0000001_aaaaaa").symlink_to(tmp_path)
    (run.root / "run_\x1b]0;x\x07").mkdir()
    (run.root / "run_mk0000002_aaaaaa").touch()
    (run.root / "notes.txt").touch()
    (run.root / ".trash" / "run_mk0000003_aaaaaa").mkdir(parents=True)
    report = look(run)
    assert kinds(report) == [("note", "name"), ("note", "name"), ("note", "trash"), ("warning", "link")]
    assert "run_␛]0;x␇ is called like a run, and is none" in text(report)
    assert "1 pruned run is not wholly removed yet: would finish with the next prune" in text(report)


def test_the_worst_run_comes_first_and_in_it_the_worst_finding(run: RunDirectoryBuilder) -> None:
    run.end().write()
    newer = RunDirectoryBuilder(run.root, started_at=START + 1, suffix="00000b").event("wish")
    newer.end().write()
    worst = (
        RunDirectoryBuilder(run.root, started_at=START + 2, suffix="00000c").event("wish").raw(b"rubbish\n")
    )
    report = look(worst.end())
    assert [(finding.run_id, finding.severity) for finding in report.findings] == [
        (worst.run_id, "problem"),
        (worst.run_id, "warning"),
        (worst.run_id, "note"),
        (newer.run_id, "note"),
    ]
    assert text(report).endswith("3 runs looked at: 1 problem, 1 warning, 2 notes. Nothing was changed.")


def test_one_run_can_be_looked_at_alone(run: RunDirectoryBuilder) -> None:
    RunDirectoryBuilder(run.root, started_at=START - 1, suffix="00000b").raw(b"rubbish\n").write()
    report = look(run.end(), run_id=run.run_id[:12])
    assert (report.checked, report.healthy) == (1, True)
    with pytest.raises(RunNotFound):
        look(run, run_id="nope")


def test_a_directory_that_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        doctor(tmp_path / "missing")


def test_permissions_that_every_run_has_are_told_once(tmp_path: Path) -> None:
    for index in range(5):
        run = RunDirectoryBuilder(tmp_path, started_at=START + index, suffix=f"00000{index}")
        run.end().write()
        run.events_file.chmod(0o644)
    tmp_path.chmod(0o700)
    report = doctor(tmp_path, clock=ManualClock(NOW))
    assert report.count("note") == 5
    assert text(report).count("others may read") == 1
    assert "(5 runs)" in text(report)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_that_are_too_long_are_broken(run: RunDirectoryBuilder, width: int) -> None:
    report = look(run.end().summary(eventCount=99).raw(b'{"ts":17678'))
    assert max(map(len, text(report, width).splitlines())) <= width


def test_what_a_run_says_is_made_printable(run: RunDirectoryBuilder) -> None:
    """Cases 55 to 58."""
    hostile = "\x1b]0;x\x07\u202e"
    run.event(hostile).call(hostile)
    report = look(run.end().summary(runId=hostile, status=hostile))
    assert all(line.isprintable() for line in report_lines(report))


def fingerprint(root: Path) -> Iterator[tuple[object, ...]]:
    for path in sorted((root, *root.rglob("*"))):
        found = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        yield path, found.st_mode, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, data


def test_nothing_is_changed(run: RunDirectoryBuilder) -> None:
    run.raw(b"rubbish\n").end().raw(b'{"ts":17678').write()
    (run.run_dir / ".summary.json.tmp").touch()
    (run.root / ".trash" / "run_mk0000003_aaaaaa").mkdir(parents=True)
    (run.run_dir / "run.lock").touch()
    before = list(fingerprint(run.root))
    assert not doctor(run.root).healthy
    assert list(fingerprint(run.root)) == before


def test_a_run_that_vanishes_while_it_is_looked_at_is_said_to(
    run: RunDirectoryBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 27: pruned in the meantime."""
    from buddy_core.runs import doctor as module

    run.end().write()
    monkeypatch.setattr(module, "run_ids", lambda _place: [run.run_id, "run_mk0000001_aaaaaa"])
    private(run.root)
    report = doctor(run.root, clock=ManualClock(NOW))
    assert kinds(report) == [("problem", "unreadable")]
