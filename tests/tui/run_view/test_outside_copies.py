"""What other programs get of an artifact, and which programs those are."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.testing import RunDirectoryBuilder
from buddy_top.outside import copies
from buddy_top.outside.copies import harmless_name, named_copy, nameless_copy, remove_copy
from buddy_top.outside.programs import Program, find_program

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"


def run_with(tmp_path: Path, content: str) -> Path:
    return RunDirectoryBuilder(tmp_path).artifact("a b.md", content).write()


def test_a_copy_is_printable_and_holds_no_secret(tmp_path: Path) -> None:
    """Cases 55 and 83."""
    run_dir = run_with(tmp_path, f"\x1b[31mred\x1b[0m\x1b]0;x\x07\nkey {SECRET}\n\tend\r\n")
    with nameless_copy(run_dir, "a b.md") as file:
        assert file.read().decode() == "red␛]0;x␇\nkey ghp_‹masked›\n    end\n"


def test_a_named_copy_is_private_and_read_only_and_goes_with_its_directory(tmp_path: Path) -> None:
    copy = named_copy(run_with(tmp_path, "text\n"), "a b.md")
    assert copy.name == "a_b.md"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o400
    assert stat.S_IMODE(copy.parent.stat().st_mode) == 0o700
    remove_copy(copy)
    assert not copy.parent.exists()


def test_of_a_very_long_artifact_both_ends_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 51."""
    monkeypatch.setattr(copies, "HALF_BYTES", 1_000)
    run_dir = run_with(tmp_path, "".join(f"line {number}\n" for number in range(10_000)))
    with nameless_copy(run_dir, "a b.md") as file:
        text = file.read().decode()
    assert text.startswith("line 0\n")
    assert text.endswith("line 9999\n")
    assert "left out here" in text
    assert len(text) < 2_100


def test_an_artifact_that_is_gone_leaves_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_dir = run_with(tmp_path / "runs", "x")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    with pytest.raises(FileNotFoundError):
        named_copy(run_dir, "nothing.md")
    assert not list((tmp_path / "temporary").iterdir())


@given(st.text())
def test_any_name_becomes_one_that_means_nothing(name: str) -> None:
    """Case 74: no option, no hidden file, no path."""
    harmless = harmless_name(name)
    assert harmless[0] not in "-._"
    assert harmless.isascii()
    assert harmless.replace("_", "").replace("-", "").replace(".", "").isalnum()
    assert len(harmless) <= 60


@pytest.mark.parametrize(
    ("env", "argv"),
    [
        ({"PAGER": "less -S -P 'a b'"}, ("less", "-S", "-P", "a b")),
        ({"PAGER": "cat | sh; $(x) `y`"}, ("cat", "|", "sh;", "$(x)", "`y`")),
        ({"PATH": "/usr/bin:/bin"}, ("less",)),
    ],
)
def test_a_pager_is_taken_apart_without_a_shell(env: dict[str, str], argv: tuple[str, ...]) -> None:
    assert find_program("pager", env) == Program(argv)


@pytest.mark.parametrize(
    ("kind", "env", "words"),
    [
        ("pager", {"PATH": "/nonexistent"}, "no pager: set $PAGER, or install less"),
        ("pager", {"PAGER": "less 'x"}, "$PAGER has a quotation mark without its other half"),
        ("editor", {"EDITOR": "  "}, "no editor: set $EDITOR to the one you like"),
        ("editor", {"VISUAL": "''\0"}, "$VISUAL names no program"),
    ],
)
def test_what_names_no_program_is_said(kind: str, env: dict[str, str], words: str) -> None:
    assert find_program(kind, env) == words  # type: ignore[arg-type]


def test_visual_goes_before_editor() -> None:
    assert find_program("editor", {"VISUAL": "code --wait", "EDITOR": "vi"}) == Program(("code", "--wait"))
