"""Where an export goes: a new file of the user's own, never over another one."""

from __future__ import annotations

import os
import time
from pathlib import Path


def export_directory(chosen: str | None) -> Path:
    """The directory the user chose, else their downloads, else their home."""
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    downloads = platformdirs.user_downloads_path()
    return downloads if downloads.is_dir() else Path.home()


def write_export(directory: Path, name: str, extension: str, text: str, *, now_ms: int) -> Path:
    """Write `text` to a new private file called after `name` and the time; the path it got.

    What UTF-8 cannot hold, as half of a name that is none in it, is written as `\\udcff`.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(now_ms / 1000))
    for attempt in range(1, 100):
        suffix = "" if attempt == 1 else f"-{attempt}"
        path = directory / f"buddy-top-{name}-{stamp}{suffix}.{extension}"
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        try:
            with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                file.write(text)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path
    raise FileExistsError(f"there are a hundred exports of that second in {directory}")
