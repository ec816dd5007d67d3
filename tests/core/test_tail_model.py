"""A model of everything that can happen to a growing file, against the tail (cases 20 to 30, C2, C4).

The model keeps the bytes that stand in the file and finds the records in them with one regular expression;
the tail must have delivered exactly those, once, in order, with their offsets and an account to the byte.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import IO

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from buddy_core.runs.reading.descriptors import SHARED
from buddy_core.runs.reading.tail import FileTail, TailChange

RECORD = re.compile(rb'\{"ts":\d{13},"runId":"run_mk000000_aaaaaa","type":"n(\d+)","data":\{"pad":"a*"\}\}')


def records(content: bytes) -> list[tuple[int, int, int]]:
    """Offset, number and size of the intact records on the finished lines of `content`."""
    finished = content[: content.rfind(b"\n") + 1]
    return [(match.start(), int(match[1]), len(match[0])) for match in RECORD.finditer(finished)]


def delivered_bytes(content: bytes) -> int:
    """Records, and the newline of each line that has one."""
    lines = content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]
    return sum(size for _, _, size in records(content)) + sum(bool(RECORD.search(line)) for line in lines)


class GrowingFile(RuleBasedStateMachine):
    """The file, what the tail has said about it, and what it must say next."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="tail-model-"))
        (self.root / "run_mk000000_aaaaaa").mkdir()
        self.path = self.root / "run_mk000000_aaaaaa" / "events.jsonl"
        self.tail = self.new_tail()
        self.content: bytes | None = None
        self.number = 0
        self.rest = b""  # what is missing of a half-written record
        self.told: list[tuple[int, int]] = []  # offset and number of what was delivered in this generation
        self.read = b""  # the content as the tail last read it
        self.same_file = True  # the name has not been given to another file since then
        self.seen_once = False
        self.held = True  # the tail's descriptor was not closed since then
        self.old_file: IO[bytes] | None = None  # one that lost its name, while the tail holds it open
        self.old = b""

    def new_tail(self) -> FileTail:
        return FileTail(self.root, "run_mk000000_aaaaaa", "events.jsonl", chunk=64)

    def record(self, pad: int) -> bytes:
        self.number += 1
        return b'{"ts":%d,"runId":"run_mk000000_aaaaaa","type":"n%d","data":{"pad":"%s"}}' % (
            1_767_890_000_000 + self.number,
            self.number,
            b"a" * pad,
        )

    def append(self, data: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(data)
        self.content = (self.content or b"") + data

    def replace(self, data: bytes) -> None:
        """Truncate and rewrite in place."""
        with self.path.open("r+b") as file:
            file.truncate(0)
            file.write(data)
        self.content = data
        self.rest = b""

    @precondition(lambda self: not self.rest)
    @rule(pad=st.integers(0, 90), count=st.integers(1, 4))
    def write_records(self, pad: int, count: int) -> None:
        self.append(b"".join(self.record(pad) + b"\n" for _ in range(count)))

    @precondition(lambda self: not self.rest)
    @rule(cut=st.integers(1, 60))
    def write_half_a_record(self, cut: int) -> None:
        whole = self.record(0) + b"\n"
        self.rest = whole[cut:]
        self.append(whole[:cut])

    @precondition(lambda self: self.rest)
    @rule()
    def write_the_other_half(self) -> None:
        self.append(self.rest)
        self.rest = b""

    @precondition(lambda self: self.rest)
    @rule(repair=st.booleans())
    def die_and_let_another_writer_go_on(self, repair: bool) -> None:
        """With the newline that promise C2 demands of it, or spliced into the torn record."""
        self.rest = b""
        self.append((b"\n" if repair else b"") + self.record(3) + b"\n")

    @rule(size=st.integers(1, 100), dense=st.booleans())
    def leave_a_run_of_nul_bytes(self, size: int, dense: bool) -> None:
        if dense or self.content is None:
            self.append(bytes(size))
        else:
            os.truncate(self.path, len(self.content) + size)
            self.content += bytes(size)
        self.rest = b""

    @precondition(lambda self: self.content)
    @rule(data=st.data())
    def truncate(self, data: st.DataObject) -> None:
        assert self.content is not None
        size = data.draw(st.integers(0, len(self.content) - 1))
        os.truncate(self.path, size)
        self.content = self.content[:size]
        self.rest = b""

    @precondition(lambda self: self.content)
    @rule()
    def rewrite_with_the_same_size(self) -> None:
        assert self.content is not None
        fresh = self.record(0) + b"\n"
        self.replace((fresh + b"." * len(self.content))[: len(self.content)])

    @precondition(lambda self: self.content)
    @rule(more=st.integers(1, 300))
    def rewrite_longer(self, more: int) -> None:
        assert self.content is not None
        size = len(self.content) + more
        fresh = b""
        while len(fresh) < size:
            fresh += self.record(0) + b"\n"
        self.replace(fresh)

    @precondition(lambda self: self.content is not None)
    @rule(count=st.integers(0, 3))
    def rotate(self, count: int) -> None:
        self.take_the_name_away()
        self.path.rename(self.path.with_name("events.jsonl.1"))
        self.path.touch()
        self.append(b"".join(self.record(0) + b"\n" for _ in range(count)))

    @precondition(lambda self: self.content is not None)
    @rule()
    def delete(self) -> None:
        self.take_the_name_away()
        self.path.unlink()

    def take_the_name_away(self) -> None:
        """The tail may still hold the file open, and must then read it to its end."""
        if self.old_file is None and self.tail in SHARED:
            self.old_file, self.old = self.path.open("ab"), self.content or b""
        self.content, self.rest, self.same_file = None, b"", False

    @precondition(lambda self: self.old_file is not None)
    @rule()
    def write_into_the_file_that_lost_its_name(self) -> None:
        assert self.old_file is not None
        late = self.record(0) + b"\n"
        self.old_file.write(late)
        self.old_file.flush()
        self.old += late

    def forget_the_old_file(self) -> None:
        if self.old_file is not None:
            self.old_file.close()
            self.old_file = None

    @rule()
    def run_out_of_descriptors(self) -> None:
        """The tail's descriptor is closed behind its back: it cannot read a file that lost its name."""
        self.tail.close()
        self.forget_the_old_file()
        self.held = False

    @rule()
    def restart(self) -> None:
        self.tail.close()
        self.forget_the_old_file()
        self.tail = self.new_tail()
        self.told, self.read, self.same_file, self.seen_once = [], b"", True, False

    @rule(budget=st.sampled_from([1, 50, 200, 10_000]))
    def poll(self, budget: int) -> None:
        resets, before_reset, change = self.poll_to_the_end(budget)
        if self.old_file is not None and self.old.startswith(self.read):
            assert before_reset == [(offset, number) for offset, number, _ in records(self.old)]
        self.check_reset(resets)
        self.check_end(change)
        self.forget_the_old_file()
        self.seen_once |= self.content is not None
        self.read, self.same_file, self.held = (
            self.content or b"",
            self.content is not None or not self.seen_once,
            True,
        )

    def poll_to_the_end(self, budget: int) -> tuple[int, list[tuple[int, int]], TailChange]:
        resets, before_reset = 0, self.told
        for _ in range(10_000):
            change = self.tail.poll(budget)
            assert change.problem is None
            assert change.accounting.balanced
            if change.reset:
                resets += 1
                self.told = []
            for event, offset in zip(change.batch.events, change.batch.offsets, strict=True):
                self.told.append((offset, int(event.type[1:])))
            if not resets:
                before_reset = list(self.told)
            if not change.more:
                return resets, before_reset, change
        raise AssertionError("the tail never comes to rest")

    def check_reset(self, resets: int) -> None:
        """Identical content in a file of the same inode cannot be told apart without a descriptor of the old one."""
        content = self.content or b""
        if self.same_file and content.startswith(self.read):
            assert resets == 0
        elif self.seen_once and self.content is not None and (self.held or not content.startswith(self.read)):
            assert resets == 1
        assert resets <= 1

    def check_end(self, change: TailChange) -> None:
        assert change.gone == (self.content is None and self.seen_once)
        if self.content is None:
            return
        account = change.accounting
        assert self.told == [(offset, number) for offset, number, _ in records(self.content)]
        assert account.seen == len(self.content)
        assert account.delivered == delivered_bytes(self.content)
        tail = self.content[self.content.rfind(b"\n") + 1 :]
        assert account.pending == len(tail.lstrip(b"\0"))

    def teardown(self) -> None:
        self.tail.close()
        self.forget_the_old_file()
        shutil.rmtree(self.root)


TestGrowingFile = GrowingFile.TestCase
TestGrowingFile.settings = settings(
    max_examples=int(os.environ.get("TAIL_MODEL_EXAMPLES", "60")), stateful_step_count=40, deadline=None
)
