"""Case 64: plain output passes the same gate as the screen."""

from __future__ import annotations

import io

import pytest

from buddy_core.safety.ascii import to_ascii
from buddy_core.safety.output import MAX_LINE, line_writer, stream_writer

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


def test_without_a_file_standard_output_is_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    line_writer()(HOSTILE)
    assert capsys.readouterr().out in (SAFE + "\n", to_ascii(SAFE) + "\n")


def test_the_environment_decides_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 71."""
    for name, shown in (("C", b"+\n"), ("en_US.UTF-8", "✓\n".encode())):
        monkeypatch.setenv("LC_ALL", name)
        stream = Flushed("utf-8")
        stream_writer(stream)("✓")
        assert stream.buffer.getvalue() == shown  # type: ignore[attr-defined]


def test_a_stream_that_names_no_encoding_gets_ascii() -> None:
    out = io.StringIO()
    assert out.encoding is None
    stream_writer(out, env={})("✓")
    assert out.getvalue() == "+\n"


def test_a_line_has_an_end() -> None:
    lines: list[str] = []
    line_writer(lines.append)("x" * (MAX_LINE + 1))
    assert lines == ["x" * (MAX_LINE - 1) + "…"]
