"""The writing end of one `events.jsonl`: whole lines, one `write(2)` each, nothing buffered (promise C1).

What `append` has acknowledged survives SIGKILL, because it is in the kernel. A file that does not end in a
newline, after a crash or a write that failed half-way, gets one before the next event (promise C2), so that
a torn line never swallows an intact one.
"""

from __future__ import annotations

import errno
import math
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from buddy_core.runs.json_values import Json, printable_utf8, to_json_value

EVENTS_NAME = "events.jsonl"
"""Name of the event file inside a run's directory."""

MAX_EVENT_BYTES = 1024 * 1024
"""Longest line that is written; readers skip longer ones."""

_LEAST_INT, _MOST_INT = -(2**63), 2**64 - 1
_STRING_LIMITS = (64 * 1024, 4 * 1024, 256)
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_encode = msgspec.json.Encoder().encode


class EventLog:
    """Appends to the `events.jsonl` of the run directory open as `dir_fd`. Not thread-safe by itself.

    Raises:
        OSError: A link, a pipe or a device stands in the file's place, or the disk refuses.
    """

    def __init__(self, dir_fd: int) -> None:
        self._fd = os.open(EVENTS_NAME, _FLAGS, 0o600, dir_fd=dir_fd)
        try:
            self._torn = not _ends_in_newline(self._fd)
        except OSError:
            self.close()
            raise

    def append(self, line: bytes) -> bool:
        """Write one line that ends in a newline; False when the disk did not take all of it."""
        data = b"\n" + line if self._torn else line
        written = self._write(data)
        if written:
            self._torn = data[written - 1] != 0x0A
        return written == len(data)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _write(self, data: bytes) -> int:
        """How many bytes the disk took; short writes are continued until it takes no more."""
        written = 0
        try:
            while written < len(data):
                taken = os.write(self._fd, data[written:] if written else data)
                if taken == 0:
                    break
                written += taken
        except OSError:
            return written
        return written


def encode_event(ts: int, run_id: str, type: str, data: object) -> bytes:
    """One line of `events.jsonl`, newline included, at most `MAX_EVENT_BYTES` long. Never raises.

    What JSON cannot say is described in words, what is too long is cut; either way `data.truncated` is
    true, and of a cut payload `data.fullLength` (bytes) and `data.sha256` tell what it was.
    """
    payload = data if isinstance(data, Mapping) else {} if data is None else {"value": data}
    if not isinstance(type, str):  # annotations do not stop a caller
        type = str(to_json_value(type)[0])
    payload, line = _encoded(ts, run_id, type, payload)
    return line if len(line) <= MAX_EVENT_BYTES else _shortened(ts, run_id, type, payload, line)


def _encoded(ts: int, run_id: str, type: str, data: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    with suppress(Exception):  # any object may be handed in, and its methods may do anything
        if _is_exact(data):
            return data, _line(ts, run_id, type, data)
    return _sanitised(ts, run_id, type, data)


def _is_exact(value: object) -> bool:
    """False for what the encoder takes but changes without a word: NaN, bytes, decimals, endless integers."""
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, int):
        return _LEAST_INT <= value <= _MOST_INT
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_exact, value.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_exact, value))
    return not isinstance(value, bytes | bytearray | memoryview | Decimal)


def _line(ts: int, run_id: str, type: str, data: Mapping[str, Any]) -> bytes:
    return _encode({"ts": ts, "runId": run_id, "type": type, "data": data}) + b"\n"


def _sanitised(ts: int, run_id: str, type: str, data: object) -> tuple[Mapping[str, Any], bytes]:
    clean, changed = to_json_value(data)
    payload: dict[str, Any] = clean if isinstance(clean, dict) else {"value": clean}
    if changed:
        payload["truncated"] = True
    return payload, _line(ts, run_id, printable_utf8(type), payload)


def _shortened(ts: int, run_id: str, type: str, data: Mapping[str, Any], line: bytes) -> bytes:
    import hashlib  # brings OpenSSL, which nearly no event needs

    facts = {"truncated": True, "fullLength": len(line), "sha256": hashlib.sha256(line).hexdigest()}
    type = type[:200]
    clean, _ = to_json_value(data)
    for limit in _STRING_LIMITS:
        shorter = _line(ts, run_id, type, {**_cut(clean, limit), **facts})
        if len(shorter) <= MAX_EVENT_BYTES:
            return shorter
    return _line(ts, run_id, type, facts)


def _cut(value: Json, limit: int) -> Json:
    """`value` with every string and every list cut to `limit`."""
    if isinstance(value, str):
        return value if len(value) <= limit else value[:limit] + "…"
    if isinstance(value, list):
        return [_cut(item, limit) for item in value[:limit]]
    if isinstance(value, dict):
        return {key[:limit]: _cut(item, limit) for key, item in list(value.items())[:limit]}
    return value


def _ends_in_newline(fd: int) -> bool:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a plain file", EVENTS_NAME)
    return found.st_size == 0 or os.pread(fd, 1, found.st_size - 1) == b"\n"
