"""What a replayed command can do to us: nothing. Case 95, and 97 where no terminal is needed.

`BUDDY_TOP_REPLAY_KILLS=500` kills that many hosts at random moments instead of a few.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.core.replayable import Replayable, canary_environment, yes

from buddy_core.runs.replay.live import KEPT_BYTES
from buddy_core.runs.replay.model import Rerun
from buddy_core.runs.replay.session import ReplayCancelled

pytestmark = pytest.mark.sweep

KILLS = int(os.environ.get("BUDDY_TOP_REPLAY_KILLS", "4"))

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who descends from whom")


@pytest.fixture
def recorded(tmp_path: Path) -> Replayable:
    return Replayable(tmp_path).record()


def run(recorded: Replayable, script: str, *, timeout_s: float = 20) -> Rerun:
    recorded.program(script)
    (item,) = recorded.replay(yes, timeout_s=timeout_s).items
    assert item.rerun is not None
    return item.rerun


def dies(process: int, *, seconds: float = 10.0) -> bool:
    """True when the process ends within a time that only a hang exceeds."""
    end = time.monotonic() + seconds
    while psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_exit_codes_and_signals_are_told_apart(recorded: Replayable) -> None:
    failed, killed = run(recorded, "exit 3"), run(recorded, "kill -9 $$")
    assert (failed.ending, failed.exit_code, failed.signal) == ("failed", 3, None)
    assert (killed.ending, killed.exit_code, killed.signal) == ("failed", None, 9)


def test_a_program_that_cannot_be_executed_is_said_not_to_have_started(recorded: Replayable) -> None:
    program = recorded.bin / "pytest"
    program.write_text("#!/nonexistent/interpreter\n", encoding="utf-8")
    (item,) = recorded.replay(yes).items
    assert item.rerun is not None
    assert (item.rerun.ending, item.rerun.problem) == ("not started", "No such file or directory")


def test_no_secret_and_no_loader_variable_reaches_the_command(recorded: Replayable) -> None:
    """Case 95: the environment is an allow-list."""
    recorded.env = canary_environment(recorded.env, "c4n4ry")
    output = run(recorded, "env; cat /proc/$$/environ").head
    assert "c4n4ry" not in output
    names = {line.split("=")[0] for line in output.split("\0")[0].splitlines() if "=" in line}
    assert {"PATH", "HOME", "CI", "TERM", "NO_COLOR"} <= names <= {
        "PATH", "HOME", "CI", "TERM", "NO_COLOR", "PWD", "OLDPWD", "SHLVL", "_"
    }  # fmt: skip


def test_it_has_no_input_no_terminal_and_a_session_of_its_own(recorded: Replayable) -> None:
    """Case 95: reads stdin, grabs /dev/tty."""
    script = "cat; echo read $?; (: < /dev/tty) 2>/dev/null || echo no tty; cut -d' ' -f1,5,6 /proc/$$/stat; ls /proc/$$/fd"
    lines = run(recorded, script).head.splitlines()
    assert lines[:2] == ["read 0", "no tty"]
    process, group, session = lines[2].split()
    assert process == group == session != str(os.getsid(0))
    assert set(lines[3:]) <= {"0", "1", "2", "10", "255"}, "no descriptor of ours is inherited"


def test_standard_error_is_part_of_the_output(recorded: Replayable) -> None:
    assert run(recorded, "echo out; echo err >&2").head == "out\nerr\n"


def test_endless_output_is_kept_at_both_ends_and_counted(recorded: Replayable) -> None:
    """Case 95: 10 GB of output; here 8 MB of it."""
    rerun = run(recorded, "echo first; head -c 8000000 /dev/zero | tr '\\0' x; echo; echo '3 passed in 1s'")
    assert rerun.head.startswith("first\n")
    assert rerun.tail.endswith("3 passed in 1s\n")
    assert rerun.output_bytes == 8_000_022
    assert len(rerun.head) + len(rerun.tail) == KEPT_BYTES
    assert rerun.output_omitted == rerun.output_bytes - KEPT_BYTES
    assert rerun.counts.passed == 3


def test_output_cannot_reach_the_terminal_as_it_is(recorded: Replayable) -> None:
    run(recorded, "printf '\\033]0;x\\007\\033[2J\\202'; exit 1")
    assert all(line.isprintable() for line in recorded.said)
    assert "␛]0;x␇" in recorded.text


def test_what_never_ends_is_ended_also_when_it_ignores_to_be_asked(recorded: Replayable) -> None:
    """Case 95: never ends, ignores SIGTERM."""
    polite = run(recorded, "echo $$; exec sleep 1000", timeout_s=0.3)
    stubborn = run(recorded, "trap '' TERM INT HUP; echo $$; while :; do sleep 0.1; done", timeout_s=0.3)
    for rerun in (polite, stubborn):
        assert rerun.ending == "timed out"
        assert dies(int(rerun.head))
        assert (rerun.duration_ms or 0) < 10_000
    assert (polite.signal, stubborn.signal) == (15, 9)


@linux_only
def test_daemons_it_leaves_behind_are_ended(recorded: Replayable) -> None:
    """Case 95: a grandchild in a session of its own that holds the output open."""
    rerun = run(recorded, "setsid sh -c 'trap \"\" TERM HUP; echo $$; sleep 1000' & sleep 0.3; exit 0")
    assert (rerun.ending, rerun.exit_code) == ("passed", 0)
    assert rerun.left_behind >= 1
    assert dies(int(rerun.head))


@linux_only
def test_a_daemon_that_was_left_at_the_deadline_is_ended_too(recorded: Replayable) -> None:
    rerun = run(recorded, "setsid sh -c 'echo $$; sleep 1000' & sleep 1000", timeout_s=0.5)
    assert rerun.ending == "timed out"
    assert dies(int(rerun.head))


def test_limits_of_core_dumps_and_files_are_set(recorded: Replayable) -> None:
    lines = run(recorded, "ulimit -c; ulimit -f; ulimit -t").head.split()
    assert lines[0] == "0"
    assert all(limit.isdecimal() for limit in lines[1:])


def test_ctrl_c_ends_the_command_and_the_report_says_cancelled(recorded: Replayable) -> None:
    """Case 97. The signal arrives while the command runs; both are this process."""
    recorded.program(f"echo $$ > $HOME/pid; kill -INT {os.getpid()}; exec sleep 1000")
    recorded.record("pytest second")
    with pytest.raises(ReplayCancelled) as cancelled:
        recorded.replay(yes)
    report = cancelled.value.report
    assert report.cancelled
    assert [item.rerun and item.rerun.ending for item in report.items] == ["cancelled", None]
    assert dies(int((recorded.root / "pid").read_text()))
    assert not report.all_passed


@linux_only
def test_ctrl_c_again_and_again_leaves_no_process_behind(recorded: Replayable) -> None:
    """Case 97, for an impatient person: the second and third Ctrl-C come while the command is being ended."""
    recorded.program(
        f"setsid sh -c 'trap \"\" TERM HUP; echo $$ > $HOME/pid; while :; do sleep 0.1; done' & trap '' TERM;"
        f"while [ ! -s $HOME/pid ]; do sleep 0.01; done; for i in 1 2 3; do kill -INT {os.getpid()}; sleep 0.1; done;"
        "while :; do sleep 0.1; done"
    )
    with pytest.raises(ReplayCancelled):
        recorded.replay(yes)
    assert dies(int((recorded.root / "pid").read_text()))


def test_an_interrupt_while_approving_leaves_with_what_was_run(recorded: Replayable) -> None:
    def approve(command: object) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(ReplayCancelled) as cancelled:
        recorded.replay(approve)
    assert (cancelled.value.report.executed, cancelled.value.report.cancelled) == (0, True)


HOST = """
import os, sys
from pathlib import Path
from buddy_core.runs.replay.session import replay_run
replay_run("last", rerun=True, approve=lambda command: True, store=Path(sys.argv[1]),
           out=open(os.devnull, "w"), env={"PATH": sys.argv[2], "HOME": sys.argv[3]})
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_death_of_the_host_ends_the_command(recorded: Replayable, number: signal.Signals) -> None:
    """Case 97: even SIGKILL, of which the host never hears."""
    recorded.program(
        "echo $$ > $HOME/pid.tmp; mv $HOME/pid.tmp $HOME/pid; trap '' TERM HUP; while :; do sleep 0.1; done"
    )
    recorded.run.write()
    arguments = [str(recorded.run.root), recorded.env["PATH"], recorded.env["HOME"]]
    with subprocess.Popen([sys.executable, "-c", HOST, *arguments], env={**os.environ}) as host:
        file = recorded.root / "pid"
        end = time.monotonic() + 20
        while not file.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        os.kill(host.pid, number)
    assert dies(int(file.read_text()))


def of_this_test(marker: str) -> list[int]:
    return [process.pid for process in psutil.process_iter() if marker in " ".join(cmdline(process))]


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return [] if process.status() == psutil.STATUS_ZOMBIE else process.cmdline()
    except psutil.Error:
        return []


@linux_only
def test_a_host_killed_at_any_moment_leaves_nothing_behind(recorded: Replayable) -> None:
    """Case 97: at random moments before, while and after the command and its daemon start."""
    chance = random.Random(7)
    marker = f"31536000.{os.getpid()}"
    recorded.program(f"trap '' TERM HUP; setsid sleep {marker} & sleep {marker}")
    recorded.run.write()
    arguments = [str(recorded.run.root), recorded.env["PATH"], recorded.env["HOME"]]
    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", HOST, *arguments], env={**os.environ}) as host:
            time.sleep(chance.uniform(0.05, 0.9))  # the moment is the point, not a synchronisation
            host.kill()
        end = time.monotonic() + 10
        while left := of_this_test(marker):
            assert time.monotonic() < end, f"{left} outlived the host"
            time.sleep(0.01)
