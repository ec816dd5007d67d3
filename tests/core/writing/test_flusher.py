"""The thread that asks the disk to keep what was recorded: what it holds, and when it is done."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from buddy_core.runs.writing import flusher as flushing
from buddy_core.runs.writing.flusher import Flusher


def test_a_flusher_without_a_thread_keeps_what_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object) -> Any:
        raise RuntimeError("can't start new thread")

    flusher = Flusher(0.0)
    fd = os.open(tmp_path, os.O_RDONLY)
    with monkeypatch.context() as patch:
        patch.setattr("_thread.start_new_thread", refused)
        flusher.discard(fd)
        assert not flusher.wait(0)
        assert stat.S_ISDIR(os.fstat(fd).st_mode)
    assert flusher.wait(30)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)


def test_it_is_done_when_everything_is_closed_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing, closed = threading.Event(), threading.Event()

    def slow(_fd: int) -> None:
        closing.set()
        assert closed.wait(30)

    flusher = Flusher(0.0)
    fd = os.open(tmp_path, os.O_RDONLY)
    monkeypatch.setattr(flushing, "close_quietly", slow)
    flusher.discard(fd)
    assert closing.wait(30)
    assert not flusher.wait(0)
    closed.set()
    assert flusher.wait(30)
    os.close(fd)
