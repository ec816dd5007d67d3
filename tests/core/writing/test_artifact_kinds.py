"""What an artifact is, from its name and its first bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy_core.errors import BadArtifactName
from buddy_core.runs.artifacts.files import read_artifact_bytes
from buddy_core.runs.artifacts.kinds import ArtifactKind, Nature, kind_of_name, looks_like_diff, nature_of
from buddy_core.testing import RunDirectoryBuilder

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(10) + b"\xff\xdb\0\x04ab\xff\xc0\0\x11\x08\x01\xe0\x02\x80\x03"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plan.md", "markdown"),
        ("PLAN.MD", "markdown"),
        ("patch.diff", "diff"),
        ("test-results.log", "log"),
        ("a.json", "json"),
        ("shot.png", "image"),
        ("x.tar.gz", "archive"),
        ("README", "text"),
        (".md", "markdown"),
    ],
)
def test_a_name_promises_a_kind(name: str, kind: ArtifactKind) -> None:
    assert kind_of_name(name) == kind


@pytest.mark.parametrize(
    ("head", "nature"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x05\0\0\0\x02\xd0", Nature("PNG image", 1280, 720)),
        (b"\x89PNG\r\n\x1a\n", Nature("PNG image")),
        (b"GIF89a\x40\x01\xc8\0", Nature("GIF image", 320, 200)),
        (JPEG, Nature("JPEG image", 640, 480)),
        (
            b"BM" + bytes(16) + b"\x10\0\0\0" + (-8).to_bytes(4, "little", signed=True),
            Nature("BMP image", 16, 8),
        ),
        (b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + b"\x7f\x02\0\xdf\x01\0", Nature("WebP image", 640, 480)),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(10) + b"\x80\x02\xe0\x01", Nature("WebP image", 640, 480)),
        (
            b"RIFF\0\0\0\0WEBPVP8L" + bytes(5) + (639 | 479 << 14).to_bytes(4, "little"),
            Nature("WebP image", 640, 480),
        ),
        (b"\x1f\x8b\x08\0", Nature("gzip archive")),
        (b"\x7fELF\x02", Nature("ELF program or library")),
        (b"\0nothing known", Nature("binary")),
    ],
)
def test_the_first_bytes_tell_the_type_and_the_size_of_a_picture(head: bytes, nature: Nature) -> None:
    assert nature_of(head) == nature


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF1234WEBP", b""]),
    st.binary(max_size=60),
)
def test_no_bytes_make_it_fail(signature: bytes, rest: bytes) -> None:
    """Case 51: headers that lie."""
    assert nature_of(signature + rest).words


def test_a_patch_is_known_whatever_its_name() -> None:
    assert looks_like_diff("diff --git a/x b/x\n")
    assert looks_like_diff("\n--- a/x\n+++ b/x\n@@\n")
    assert not looks_like_diff("--- a title ---\ntext\n")
    assert not looks_like_diff("")


def test_a_part_of_a_file_is_read_from_anywhere(tmp_path: Path) -> None:
    run_dir = RunDirectoryBuilder(tmp_path).artifact("a.log", b"0123456789" * 100_000).write()
    part = read_artifact_bytes(run_dir, "a.log", offset=999_995, limit=100)
    assert (part.data, part.size) == (b"56789", 1_000_000)
    assert len(read_artifact_bytes(run_dir, "a.log", limit=300_000).data) == 300_000


@pytest.mark.parametrize("name", ["../summary.json", "a/b", "", "..", "x\0"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    """Case 74."""
    run_dir = RunDirectoryBuilder(tmp_path).write()
    with pytest.raises(BadArtifactName):
        read_artifact_bytes(run_dir, name)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Case 76."""
    run_dir = RunDirectoryBuilder(tmp_path).write()
    (run_dir / "artifacts" / "a.md").symlink_to(run_dir / "summary.json")
    with pytest.raises(OSError, match="symbolic link"):
        read_artifact_bytes(run_dir, "a.md")
