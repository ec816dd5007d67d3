"""A growing file, everything that can happen to it, and what a tail must say of it (cases 20 to 30, C2, C4).

The model keeps the bytes that stand in the file and finds the records in them with one regular expression;
the tail must have delivered exactly those, once, in order, with their offsets and an account to the byte.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import IO, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from buddy_core.runs.reading.accounting import Accounting
from buddy_core.runs.reading.descriptors import SHARED
from buddy_core.runs.reading.tail import FileTail, TailChange

RUN = "run_mk000000_aaaaaa"
RECORD = re.compile(
    rb'\{"ts":\d{13},"runId":"run_mk000000_aaaaaa","type":"n(\d+)","data":\{"pad":"(?:a|\xc5\xbc)*"\}\}'
)
MAX_LINE = 400
"""So short that damage makes lines too long, which are skipped whatever they hold."""


def records(content: bytes) -> list[tuple[int, int, int]]:
    """Offset, number and size of the intact records on the finished lines of `content`."""
    found, start = [], 0
    for line in finished_lines(content):
        if len(line.lstrip(b"\0")) <= MAX_LINE:
            found += [(start + one.start(), int(one[1]), len(one[0])) for one in RECORD.finditer(line)]
        start += len(line) + 1
    return found


def finished_lines(content: bytes) -> list[bytes]:
    return content[: content.rfind(b"\n") + 1].split(b"\n")[:-1]


def delivered_bytes(content: bytes) -> int:
    """Records, and the newline of each line that has one."""
    return sum(
        sum(size for _, _, size in found) + 1
        for line in finished_lines(content)
        if (found := records(line + b"\n"))
    )


def pending_bytes(content: bytes) -> int:
    """What may still become a record; NUL bytes before it are accounted already, and a line too long too."""
    unfinished = content[content.rfind(b"\n") + 1 :].lstrip(b"\0")
    return len(unfinished) if len(unfinished) <= MAX_LINE else 0


class GrowingFile(RuleBasedStateMachine):
    """The file, what the tail has said about it, and what it must say next."""

    tail_type: ClassVar[type[FileTail]] = FileTail
    totals: ClassVar[Counter[str]] = Counter()
    """What all sequences together did."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="tail-model-"))
        self.path = self.root / RUN / "events.jsonl"
        self.path.parent.mkdir()
        self.tail = self.new_tail()
        self.content: bytes | None = None
        self.number = 0
        self.rest = b""  # what is missing of a half-written record
        self.told: list[tuple[int, int]] = []  # offset and number of what was delivered in this generation
        self.account = Accounting(generation=0)  # as it was told last
        self.read = b""  # the content as the tail last read it
        self.same_file = True  # the name has not been given to another file since then
        self.seen_once = False
        self.held = True  # the tail's descriptor was not closed since then
        self.old_file: IO[bytes] | None = None  # one that lost its name, while the tail holds it open
        self.old = b""

    def new_tail(self) -> FileTail:
        return self.tail_type(self.root, RUN, "events.jsonl", chunk=64, max_line=MAX_LINE)

    def record(self, pad: bytes = b"") -> bytes:
        self.number += 1
        return b'{"ts":%d,"runId":"run_mk000000_aaaaaa","type":"n%d","data":{"pad":"%s"}}' % (
            1_767_890_000_000 + self.number,
            self.number,
            pad,
        )

    def append(self, data: bytes) -> None:
        self.path.parent.mkdir(exist_ok=True)
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
    @rule(pad=st.integers(0, 90), letter=st.sampled_from(["a", "ż"]), count=st.integers(1, 4))
    def write_records(self, pad: int, letter: str, count: int) -> None:
        self.append(b"".join(self.record(letter.encode() * pad) + b"\n" for _ in range(count)))

    @precondition(lambda self: not self.rest)
    @rule(cut=st.integers(1, 130))
    def write_half_a_record(self, cut: int) -> None:
        whole = self.record("ż".encode() * 20) + b"\n"
        cut = min(cut, len(whole) - 1)
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
        self.append((b"\n" if repair else b"") + self.record(b"aaa") + b"\n")

    @rule(size=st.integers(1, 100), dense=st.booleans())
    def leave_a_run_of_nul_bytes(self, size: int, dense: bool) -> None:
        if dense or self.content is None:
            self.append(bytes(size))
        else:
            os.truncate(self.path, len(self.content) + size)
            self.content += bytes(size)
        self.rest = b""

    @precondition(lambda self: not self.rest)
    @rule(size=st.integers(300, 900), ends=st.booleans())
    def write_a_line_that_is_too_long(self, size: int, ends: bool) -> None:
        self.append(b"x" * size + (b"\n" if ends else b""))

    @precondition(lambda self: self.content)
    @rule(data=st.data())
    def truncate(self, data: st.DataObject) -> None:
        assert self.content is not None
        size = data.draw(st.integers(0, len(self.content) - 1))
        os.truncate(self.path, size)
        self.content = self.content[:size]
        self.rest = b""

    @precondition(lambda self: self.content is not None)
    @rule(count=st.integers(0, 3))
    def copy_and_truncate(self, count: int) -> None:
        shutil.copy(self.path, self.path.with_name("events.jsonl.copy"))
        self.replace(b"".join(self.record() + b"\n" for _ in range(count)))

    @precondition(lambda self: self.content)
    @rule()
    def rewrite_with_the_same_size(self) -> None:
        assert self.content is not None
        fresh = self.record() + b"\n"
        self.replace((fresh + b"." * len(self.content))[: len(self.content)])

    @precondition(lambda self: self.content)
    @rule(more=st.integers(1, 300))
    def rewrite_longer(self, more: int) -> None:
        assert self.content is not None
        size = len(self.content) + more
        fresh = b""
        while len(fresh) < size:
            fresh += self.record() + b"\n"
        self.replace(fresh)

    @precondition(lambda self: self.content is not None)
    @rule(count=st.integers(0, 3))
    def rotate(self, count: int) -> None:
        self.take_the_name_away()
        self.path.rename(self.path.with_name("events.jsonl.1"))
        self.path.touch()
        self.append(b"".join(self.record() + b"\n" for _ in range(count)))

    @precondition(lambda self: self.content is not None)
    @rule(count=st.integers(0, 3))
    def rename_another_file_over_it(self, count: int) -> None:
        self.take_the_name_away()
        fresh = b"".join(self.record() + b"\n" for _ in range(count))
        another = self.path.with_name("events.jsonl.new")
        another.write_bytes(fresh)
        another.replace(self.path)
        self.content = fresh

    @precondition(lambda self: self.content is not None)
    @rule()
    def delete(self) -> None:
        self.take_the_name_away()
        self.path.unlink()

    @precondition(lambda self: self.content is not None)
    @rule()
    def prune_the_run(self) -> None:
        self.take_the_name_away()
        shutil.rmtree(self.path.parent)

    @precondition(lambda self: self.content is not None)
    @rule(count=st.integers(0, 3))
    def delete_and_create_at_once(self, count: int) -> None:
        """The file system gives the new file the inode of the old one, unless somebody holds that open."""
        self.take_the_name_away()
        before = self.path.stat().st_ino
        self.path.unlink()
        self.path.touch()
        self.totals["recreated with the same inode"] += self.path.stat().st_ino == before
        self.append(b"".join(self.record() + b"\n" for _ in range(count)))

    def take_the_name_away(self) -> None:
        """The tail may still hold the file open, and must then read it to its end."""
        if self.old_file is None and self.tail in SHARED:
            self.old_file, self.old = self.path.open("ab"), self.content or b""
        self.content, self.rest, self.same_file = None, b"", False

    @precondition(lambda self: self.old_file is not None)
    @rule()
    def write_into_the_file_that_lost_its_name(self) -> None:
        assert self.old_file is not None
        late = self.record() + b"\n"
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
        self.told, self.account = [], Accounting(generation=0)
        self.read, self.same_file, self.seen_once = b"", True, False

    @rule(budget=st.sampled_from([1, 50, 200, 10_000]))
    def poll(self, budget: int) -> None:
        self.catch_up(budget)

    @rule(polls=st.integers(1, 3))
    def pause(self, polls: int) -> None:
        """Nothing happens, and nothing is told."""
        self.catch_up(10_000)
        for _ in range(polls):
            change = self.tail.poll()
            assert (len(change.batch), change.reset, change.more, change.problem) == (0, False, False, None)
            assert change.accounting == self.account
            assert change.gone == (self.content is None and self.seen_once)

    def catch_up(self, budget: int) -> None:
        resets, before_reset, change = self.poll_to_the_end(budget)
        if self.old_file is not None and self.old.startswith(self.read):
            assert before_reset == [(offset, number) for offset, number, _ in records(self.old)]
        self.check_reset(resets)
        self.check_end(change)
        self.forget_the_old_file()
        self.seen_once |= self.content is not None
        self.read, self.held = self.content or b"", True
        self.same_file = self.content is not None or not self.seen_once
        self.totals["polls"] += 1

    def poll_to_the_end(self, budget: int) -> tuple[int, list[tuple[int, int]], TailChange]:
        resets, before_reset = 0, self.told
        for _ in range(10_000):
            change = self.tail.poll(budget)
            assert change.problem is None
            self.take_account(change.accounting)
            if change.reset:
                resets += 1
                self.told = []
            for event, offset in zip(change.batch.events, change.batch.offsets, strict=True):
                self.told.append((offset, int(event.type[1:])))
            self.totals["records"] += len(change.batch)
            if not resets:
                before_reset = list(self.told)
            if not change.more:
                return resets, before_reset, change
        raise AssertionError("the tail never comes to rest")

    def take_account(self, account: Accounting) -> None:
        assert account.balanced
        assert account.generation >= self.account.generation
        before = self.account.seen if account.generation == self.account.generation else 0
        assert account.seen >= before
        self.totals["bytes"] += account.seen - before
        self.account = account

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
        assert account.pending == pending_bytes(self.content)

    def teardown(self) -> None:
        self.tail.close()
        self.forget_the_old_file()
        shutil.rmtree(self.root)
        self.totals["sequences"] += 1
