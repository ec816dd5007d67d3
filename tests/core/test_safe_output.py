"""Case 64: plain output passes the same gate as the screen."""

from __future__ import annotations

import io

from buddy_core.safety.output import line_writer, stream_writer

HOSTILE = "a\x1b]0;x\x07b\nc\u202e"
SAFE = "a␛]0;x␇b⏎c⟨202e⟩"


def test_a_file_gets_safe_lines_with_line_breaks() -> None:
    out = io.StringIO()
    line_writer(out)(HOSTILE)
    assert out.getvalue() == SAFE + "\n"


def test_a_function_gets_safe_lines_without() -> None:
    lines: list[str] = []
    line_writer(lines.append)(HOSTILE)
    assert lines == [SAFE]


class Flushed(io.TextIOWrapper):
    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self.flushes = 0

    def flush(self) -> None:
        self.flushes = getattr(self, "flushes", 0) + 1
        super().flush()


def test_every_line_is_flushed_so_that_a_pipe_sees_it_at_once() -> None:
    stream = Flushed("utf-8")
    write = stream_writer(stream, env={})
    write("one")
    write("two")
    assert stream.flushes >= 2
    assert stream.buffer.getvalue() == b"one\ntwo\n"  # type: ignore[attr-defined]


def test_a_stream_that_cannot_say_it_gets_ascii() -> None:
    """Case 71."""
    for encoding, env in (("ascii", {}), ("latin-1", {}), ("utf-8", {"LC_ALL": "C"})):
        stream = Flushed(encoding)
        stream_writer(stream, env=env)("✓ café ─")
        assert stream.buffer.getvalue() == b"+ cafe -\n"  # type: ignore[attr-defined]
