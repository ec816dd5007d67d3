"""What an artifact is: from its name and the first bytes, never by unpacking or running anything.

Signatures and the places of width and height are those of the published formats (PNG, GIF87a/89a, JFIF/EXIF,
RIFF WebP, BMP); what is not in the bytes at hand stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ArtifactKind = Literal["markdown", "diff", "json", "log", "image", "archive", "text"]
"""How a name is understood; `text` for every other one."""

_ENDINGS: dict[ArtifactKind, tuple[str, ...]] = {
    "markdown": (".md", ".markdown", ".mdx"),
    "diff": (".diff", ".patch"),
    "json": (".json", ".ipynb", ".sarif", ".har", ".geojson"),
    "log": (".log", ".out", ".err"),
    "image": (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".ico", ".tif", ".tiff", ".avif"),
    "archive": (".zip", ".gz", ".tgz", ".tar", ".xz", ".bz2", ".zst", ".7z", ".whl", ".jar"),
}

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF87a", "GIF image"),
    (b"GIF89a", "GIF image"),
    (b"BM", "BMP image"),
    (b"II*\0", "TIFF image"),
    (b"MM\0*", "TIFF image"),
    (b"\0\0\x01\0", "icon"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "empty ZIP archive"),
    (b"\x1f\x8b", "gzip archive"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ\0", "xz archive"),
    (b"\x28\xb5\x2f\xfd", "Zstandard archive"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"\x7fELF", "ELF program or library"),
    (b"MZ", "Windows program"),
    (b"\xcf\xfa\xed\xfe", "macOS program"),
    (b"\xca\xfe\xba\xbe", "Java class or macOS program"),
    (b"\0asm", "WebAssembly module"),
    (b"OggS", "Ogg audio or video"),
    (b"fLaC", "FLAC audio"),
    (b"ID3", "MP3 audio"),
    (b"PAR1", "Parquet table"),
)
_MOST_SEGMENTS = 200


@dataclass(frozen=True, slots=True)
class Nature:
    """What the first bytes of a file say of it."""

    words: str
    """Such as `PNG image`; the program's own words, never the file's."""
    width: int | None = None
    """Pixels; None where it is no picture, or its size is not told within the bytes at hand."""
    height: int | None = None


def kind_of_name(name: str) -> ArtifactKind:
    """The kind that the ending of a name promises."""
    lowered = name.lower()
    for kind, endings in _ENDINGS.items():
        if lowered.endswith(endings):
            return kind
    return "text"


def looks_like_diff(head: str) -> bool:
    """True for text that begins as a patch does, whatever its name says."""
    lines = [line for line in head[:2000].splitlines() if line][:2]
    if not lines:
        return False
    return lines[0].startswith("diff --git ") or (
        len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ ")
    )


def nature_of(head: bytes) -> Nature:
    """Type and, of a picture, dimensions, from the beginning of a binary file; never raises."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Nature("WebP image", *(_webp_size(head) or (None, None)))
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return Nature("WAV audio")
    if head[4:8] == b"ftyp":
        return Nature("AVIF image" if head[8:12] in (b"avif", b"avis") else "MP4 or QuickTime video")
    words = next((words for signature, words in _SIGNATURES if head.startswith(signature)), None)
    if words is None:
        return Nature("binary")
    reader = {
        "PNG image": _png_size,
        "GIF image": _gif_size,
        "JPEG image": _jpeg_size,
        "BMP image": _bmp_size,
    }
    size = reader[words](head) if words in reader else None
    return Nature(words, *(size or (None, None)))


_Size = tuple[int, int] | None


def _png_size(head: bytes) -> _Size:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def _gif_size(head: bytes) -> _Size:
    if len(head) < 10:
        return None
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def _bmp_size(head: bytes) -> _Size:
    if len(head) < 26:
        return None
    height = int.from_bytes(head[22:26], "little", signed=True)
    return int.from_bytes(head[18:22], "little"), abs(height)


def _webp_size(head: bytes) -> _Size:
    form = head[12:16]
    if form == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if form == b"VP8 " and len(head) >= 30:
        return (
            int.from_bytes(head[26:28], "little") & 0x3FFF,
            int.from_bytes(head[28:30], "little") & 0x3FFF,
        )
    if form == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _jpeg_size(head: bytes) -> _Size:
    """Walk the segments to the frame header (SOF0 to SOF15, less the tables DHT, JPG and DAC)."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 9 > len(head) or head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(head[at + 7 : at + 9], "big"), int.from_bytes(head[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
