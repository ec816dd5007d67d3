"""One command again by its typed word, watched and ended from another thread. Cases 92, 93 and 97."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil
import pytest
from tests.core.replayable import Replayable

from buddy_core.runs.replay.commands import Conditions
from buddy_core.runs.replay.live import KEPT_BYTES, Live, Output
from buddy_core.runs.replay.model import Command, RecordedTest, Rerun
from buddy_core.runs.replay.single import NotApproved, rerun_one


@pytest.fixture
def recorded(tmp_path: Path) -> Replayable:
    return Replayable(tmp_path, script="touch $HOME/executed; echo '1 passed in 0.01s'").record()


def again(
    recorded: Replayable, command: Command, typed: str, live: Live | None = None
) -> Rerun | RecordedTest | None:
    return rerun_one(
        recorded.run.root,
        recorded.run.run_id,
        Conditions(20, recorded.env),
        0,
        command,
        typed=typed,
        live=live or Live(),
    )


def executed(recorded: Replayable) -> bool:
    return (recorded.root / "executed").exists()


def test_the_word_runs_it(recorded: Replayable) -> None:
    command = recorded.command()
    rerun = again(recorded, command, command.word)
    assert isinstance(rerun, Rerun)
    assert (rerun.ending, rerun.counts.passed) == ("passed", 1)
    assert rerun.command is command, "what is executed is the object that was shown"


@pytest.mark.parametrize("typed", ["", "run", "run 0000x", "yes", "{word} ", "{word}\n", "{WORD}"])
def test_anything_else_runs_nothing(recorded: Replayable, typed: str) -> None:
    command = recorded.command()
    with pytest.raises(NotApproved, match="nothing was run"):
        again(recorded, command, typed.format(word=command.word, WORD=command.word.upper()))
    assert not executed(recorded)


def test_what_changed_since_it_was_shown_is_not_run(recorded: Replayable) -> None:
    """Case 93."""
    command = recorded.command()
    recorded.program("touch $HOME/executed; true")
    now = again(recorded, command, command.word)
    assert isinstance(now, RecordedTest)
    assert now.command != command
    assert not executed(recorded)


def test_a_run_that_is_pruned_meanwhile_runs_nothing(recorded: Replayable) -> None:
    command = recorded.command()
    (recorded.run.events_file).write_bytes(b"")
    assert again(recorded, command, command.word) is None
    assert not executed(recorded)


def test_it_is_watched_and_cancelled_from_another_thread(recorded: Replayable) -> None:
    """Case 97."""
    recorded.program("echo $$; setsid sleep 1000 & exec sleep 1000")
    command, live = recorded.command(), Live()
    ended: list[object] = []
    waiter = threading.Thread(target=lambda: ended.append(again(recorded, command, command.word, live)))
    waiter.start()
    end = time.monotonic() + 20
    while not live.output.printed().size:
        assert time.monotonic() < end
        time.sleep(0.01)
    process = psutil.Process(int(live.output.printed().head))
    while not any(os.getsid(child.pid) == child.pid for child in process.children()):
        assert time.monotonic() < end, "the descendant has not left the session it was begun in"
        time.sleep(0.01)
    live.cancel()
    live.cancel()
    waiter.join(10)
    (rerun,) = ended
    assert isinstance(rerun, Rerun)
    assert rerun.ending == "cancelled"
    assert rerun.left_behind == 1 or not psutil.LINUX
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    live.cancel()  # long over: nothing happens


def test_one_that_was_cancelled_before_it_began_ends_at_once(recorded: Replayable) -> None:
    recorded.program("exec sleep 1000")
    command, live = recorded.command(), Live()
    live.cancel()
    rerun = again(recorded, command, command.word, live)
    assert isinstance(rerun, Rerun)
    assert rerun.ending == "cancelled"


def test_of_what_is_printed_both_ends_are_kept() -> None:
    """Case 95."""
    output = Output()
    for number in range(100_000):
        output.take(b"%06d\n" % number)
    printed = output.printed()
    assert printed.head.startswith(b"000000\n")
    assert printed.tail.endswith(b"099999\n")
    assert len(printed.head) + len(printed.tail) == KEPT_BYTES
    assert printed.omitted == 700_000 - KEPT_BYTES
