"""The manifest of a kept run: what was copied, how to know that it is whole, and what lists show of the run.

It is written last, and its own digest stands before it, so that whatever is read from it was written. A name on the
disk is bytes: one that is no UTF-8 is told with `%` and two hex digits for each byte that is not.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256

import msgspec

from buddy_core.errors import KeptRunDamaged
from buddy_core.runs.facts import RunFacts
from buddy_core.runs.query.candidate import Candidate
from buddy_core.runs.records.json_values import to_json_value
from buddy_core.safety.paths import BadName, check_name

MANIFEST_NAME = "manifest.json"
"""Name of the manifest beside the packed files."""

FORMAT = 1
"""Grows when an older reader could no longer read what is written."""


class KeptFile(msgspec.Struct, frozen=True):
    """One file of a kept run."""

    name: str
    """Its path in the run's directory, with `/`, as `told_name` tells it."""
    size: int
    sha256: str
    mtime_ns: int


class LeftOut(msgspec.Struct, frozen=True):
    """Something in a run's directory that was not copied."""

    name: str
    reason: str


class Manifest(msgspec.Struct, frozen=True):
    """One kept run."""

    format: int
    run_id: str
    kept_at: int
    """Wall time in milliseconds since the epoch."""
    source: str
    """The runs directory it was copied from."""
    packed_size: int
    """Bytes of the packed files."""
    packed_sha256: str
    files: tuple[KeptFile, ...]
    """In the order in which they are packed."""
    directories: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    facts: RunFacts
    """As the lists showed the run when it was kept."""
    tools: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def candidate(self) -> Candidate:
        """What a filter is held against."""
        return Candidate(self.facts, self.tools, self.errors)

    @property
    def size(self) -> int:
        """Bytes of the files themselves."""
        return sum(file.size for file in self.files)

    def same_files(self, other: tuple[KeptFile, ...]) -> bool:
        """True when `other` has the same bytes under the same names; times do not count."""
        return _contents(self.files) == _contents(other)


class _Envelope(msgspec.Struct):
    """The file: a digest, and the bytes that it is the digest of."""

    sha256: str
    manifest: msgspec.Raw


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of the manifest file; observed texts that JSON cannot hold are mended."""
    try:
        body = msgspec.json.encode(manifest)
    except ValueError:  # half a surrogate pair in one of them
        told = {name: _mended(getattr(manifest, name)) for name in ("facts", "tools", "errors")}
        body = msgspec.json.encode(msgspec.structs.replace(manifest, **told))
    return msgspec.json.encode(_Envelope(sha256(body).hexdigest(), msgspec.Raw(body))) + b"\n"


def _mended(value: object) -> object:
    return to_json_value(msgspec.to_builtins(value))[0]


def decode_manifest(data: bytes, run_id: str) -> Manifest:
    """The manifest of the run `run_id`.

    Raises:
        KeptRunDamaged: It is not what was written, or of a newer format.
    """
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
        if sha256(envelope.manifest).hexdigest() != envelope.sha256:
            raise KeptRunDamaged(
                f"the kept copy of {run_id} is damaged: its manifest is not what was written"
            )
        manifest = msgspec.json.decode(envelope.manifest, type=Manifest)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise KeptRunDamaged(f"the kept copy of {run_id} is damaged: its manifest cannot be read") from None
    if manifest.format > FORMAT:
        raise KeptRunDamaged(f"the kept copy of {run_id} was written by a newer buddy-top: read it with that")
    if manifest.run_id != run_id:
        raise KeptRunDamaged(f"the kept copy of {run_id} is that of another run")
    _check_names(manifest)
    if manifest.facts.run_id == run_id:
        return manifest
    return msgspec.structs.replace(manifest, facts=replace(manifest.facts, run_id=run_id))


def _check_names(manifest: Manifest) -> None:
    """Refuse a manifest of which a name leads out of its run's directory: it was made to do harm."""
    try:
        for name in (*manifest.directories, *(file.name for file in manifest.files)):
            for part in real_parts(name):
                check_name(part)
    except BadName:
        raise KeptRunDamaged(f"the kept copy of {manifest.run_id} names files outside of it") from None


def told_name(name: str) -> str:
    """A name as the system gives it, as text that JSON can hold."""
    return re.sub("[%\udc80-\udcff]", lambda sign: f"%{ord(sign[0]) & 0xFF:02x}", name)


def real_parts(told: str) -> tuple[str, ...]:
    """The names that a path of a manifest tells."""
    return tuple(re.sub("%([0-9a-f]{2})", _sign_of, part) for part in told.split("/"))


def _sign_of(found: re.Match[str]) -> str:
    byte = int(found[1], 16)
    return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)


def _contents(files: tuple[KeptFile, ...]) -> dict[str, tuple[int, str]]:
    return {file.name: (file.size, file.sha256) for file in files}
