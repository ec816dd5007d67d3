"""On which kind of file system does a path lie? Some never say that a file has changed."""

from __future__ import annotations

import os
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")

_SILENT = frozenset(
    [
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "fuse",
        "gfs2",
        "gfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs3",
        "nfs4",
        "ocfs2",
        "orangefs",
        "prl_fs",
        "smb2",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
        "vmhgfs",
    ]
)
"""Changes made on another machine, or outside a virtual one, are not notified here."""


def silent_filesystem(path: Path, mountinfo: Path = MOUNTINFO) -> str | None:
    """The type of the file system that holds `path` if it does not notify of changes, else None."""
    kind = filesystem_type(path, mountinfo)
    if kind is None:
        return None
    return kind if kind in _SILENT or kind.startswith("fuse.") else None


def filesystem_type(path: Path, mountinfo: Path = MOUNTINFO) -> str | None:
    """The type of the mount that holds `path`, from `mountinfo` (see proc(5)); None when nobody says."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = os.path.realpath(path)
    best, kind = -1, None
    for line in lines:
        mount = _parse(line)
        if mount is not None and len(mount[0]) >= best and _holds(mount[0], place):
            best, kind = len(mount[0]), mount[1]
    return kind


def holding_mounts(directory: Path, mountinfo: Path = MOUNTINFO) -> frozenset[str]:
    """Names in `directory` (a real path) that are mount points or hold one; none where nobody says."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    place = str(directory).rstrip("/") + "/"
    points = (mount[0] for line in lines if (mount := _parse(line)) is not None)
    return frozenset(point[len(place) :].split("/")[0] for point in points if point.startswith(place))


def _parse(line: str) -> tuple[str, str] | None:
    """Mount point and type of one line; None for a line of another form."""
    left, separator, right = line.partition(" - ")
    fields = left.split(" ")
    if not separator or len(fields) < 5 or not right:
        return None
    return _unescape(fields[4]), right.split(" ")[0]


def _unescape(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _holds(mount_point: str, place: str) -> bool:
    return place == mount_point or place.startswith(mount_point.rstrip("/") + "/")
