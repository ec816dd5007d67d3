"""What the small files of ended runs say, many runs a second: all that a line in the list needs.

Nearly all such files are as they should be: they are decoded in one go into typed records, and become an `Early`
without a `RunFacts` in between. Every other one is read as tolerantly as the rest of the library
reads; both ways say the same of the same files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self, TypeAlias

import msgspec

from buddy_core.runs.catalog.early import Early
from buddy_core.runs.folding.facts import LATEST_BELIEVED_MS, RunFiles, build_facts, has_ended
from buddy_core.runs.folding.fold import RunFold
from buddy_core.runs.model import EndStatus
from buddy_core.runs.names import is_run_id
from buddy_core.runs.query.candidate import Candidate, masked
from buddy_core.runs.records.json_values import MAX_INT
from buddy_core.runs.records.payloads import MAX_TEXT
from buddy_core.runs.records.smallfiles import MAX_RECORD_BYTES, parse_metrics, parse_summary
from buddy_core.runs.watching.liveness import conclude_status
from buddy_core.safety.paths import open_directory, open_directory_at, read_at
from buddy_core.safety.redact import hold_no_secret

_Time: TypeAlias = Annotated[int, msgspec.Meta(gt=0, le=LATEST_BELIEVED_MS)]
_Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT)]
_Dollars: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=MAX_INT)]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_MANY_TEXTS = 10_000


class _Metadata(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    channel: str | None = None
    session_id: str | None = None
    cwd: str | None = None
    tags: Annotated[tuple[str, ...], msgspec.Meta(max_length=100)] = ()
    parent_rollout_id: str | None = None
    fork_reason: str | None = None


class _Summary(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    objective: _Text
    status: EndStatus
    started_at: _Time
    ended_at: _Time | None = None
    metadata: _Metadata = _Metadata()


class _Metrics(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    total_tokens: _Count = 0
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0
    total_cost: _Dollars = 0.0
    duration_ms: _Count = 0
    failover_count: _Count = 0


_summary_of = msgspec.json.Decoder(_Summary).decode
_metrics_of = msgspec.json.Decoder(_Metrics).decode


class SummaryReader:
    """Reads the small files of runs beneath `root` (a real path); to be used as a context."""

    def __init__(self, root: Path) -> None:
        self._root_fd = open_directory(root)
        self._clean: set[tuple[str | None, ...]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._root_fd)

    def read(self, run_ids: Sequence[str]) -> list[Early | Candidate | None]:
        """Ended runs, masked; None for one whose summary names no end, so that its events must be asked."""
        files = [self._files(run_id) for run_id in run_ids]
        quick = [_quickly(run_id, *said) for run_id, said in zip(run_ids, files, strict=True)]
        objectives = [early.objective for early in quick if early is not None]
        together = hold_no_secret(objectives)
        return [
            early
            if early is not None
            and self._has_no_secret(early)
            and (together or hold_no_secret((early.objective,)))
            else _tolerantly(run_id, *said)
            for run_id, early, said in zip(run_ids, quick, files, strict=True)
        ]

    def _files(self, run_id: str) -> tuple[bytes, bytes]:
        """Nothing where the file is missing or no plain file; of one too large as much as shows that."""
        try:
            run_fd = open_directory_at(self._root_fd, run_id)
        except OSError:
            return b"", b""
        try:
            return _read(run_fd, "summary.json"), _read(run_fd, "metrics.json")
        finally:
            os.close(run_fd)

    def _has_no_secret(self, early: Early) -> bool:
        """True when masking would change no text but the objective: most of these are those of other runs."""
        texts = (early.channel, early.session_id, early.cwd, early.fork_reason, *early.tags)
        if texts not in self._clean:
            if not hold_no_secret([text for text in texts if text is not None]):
                return False
            if len(self._clean) >= _MANY_TEXTS:
                self._clean.clear()
            self._clean.add(texts)
        return True


def _read(run_fd: int, name: str) -> bytes:
    try:
        return read_at(run_fd, name, MAX_RECORD_BYTES)
    except OSError:
        return b""


def _quickly(run_id: str, summary: bytes, metrics: bytes) -> Early | None:
    """None for what needs a closer look."""
    try:
        return _early(run_id, _summary_of(summary), _metrics_of(metrics))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _early(run_id: str, summary: _Summary, metrics: _Metrics) -> Early | None:
    meta, started, ended = summary.metadata, summary.started_at, summary.ended_at
    parent = meta.parent_rollout_id
    if (ended is not None and ended < started) or (parent is not None and not is_run_id(parent)):
        return None
    return Early(
        run_id,
        summary.objective,
        summary.status,
        started,
        ended,
        meta.channel,
        meta.session_id,
        meta.cwd,
        meta.tags,
        parent,
        meta.fork_reason,
        metrics.total_tokens,
        metrics.prompt_tokens,
        metrics.completion_tokens,
        metrics.total_cost,
        metrics.duration_ms,
        metrics.failover_count,
    )


def _tolerantly(run_id: str, summary: bytes, metrics: bytes) -> Candidate | None:
    files = RunFiles(RunFold(run_id), parse_summary(summary, run_id), parse_metrics(metrics))
    if files.summary is None or not has_ended(files):
        return None
    status = conclude_status(files.summary.status, lock="none", now_ms=0, last_activity_ms=None)
    return masked(Candidate(build_facts(files, status=status, turn_model=None, polling=False)))
