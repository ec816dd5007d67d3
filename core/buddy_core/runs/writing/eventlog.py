"""The writing end of one `events.jsonl`: whole lines, one `write(2)` each, nothing buffered (promise C1).

What `append` has acknowledged survives SIGKILL, because it is in the kernel. A file that does not end in a
newline, after a crash, gets one before the next event (promise C2), so that a torn line never swallows an
intact one. A line of which the disk took only a part is not torn while its writer lives: `resume` goes on
where the file really ends.
"""

from __future__ import annotations

import errno
import os

from buddy_core.runs.names import EVENTS_NAME
from buddy_core.runs.writing.encoding import MAX_EVENT_BYTES, encode_event
from buddy_core.runs.writing.files import close_quietly, open_private, retried

__all__ = ["EVENTS_NAME", "MAX_EVENT_BYTES", "EventLog", "encode_event"]


class EventLog:
    """Appends to the `events.jsonl` of the run directory open as `dir_fd`. Not thread-safe by itself.

    Raises:
        OSError: A link, a pipe or a device stands in the file's place, it has a second name or another
            owner, or the disk refuses.
    """

    def __init__(self, dir_fd: int) -> None:
        self.error: OSError | None = None
        """Why the last append failed."""
        self._fd = open_private(EVENTS_NAME, os.O_RDWR | os.O_APPEND, dir_fd=dir_fd)
        self._whole = False  # the file is known to end in a newline
        self._begun = 0  # so many bytes of the line that failed are thought to be at the end of the file

    def append(self, line: bytes) -> bool:
        """Write one line that ends in a newline; False when the disk did not take all of it.

        A line that failed may be handed to `resume`; one that is given up stays in the file as a torn line.
        """
        begun = 0
        if self._whole:
            self._whole = False  # so that a signal that interrupts this leaves no wrong claim
            try:
                begun = os.write(self._fd, line)
            except OSError as error:
                if not isinstance(error, BlockingIOError):
                    self._begun = 0
                    return self._failed(error)
            if begun == len(line):
                self._whole = True
                return True
        self._begun = begun
        return self.resume(line)

    def resume(self, line: bytes) -> bool:
        """Append what is missing of `line`, the last one that failed; whole if nothing of it is there."""
        try:
            while rest := self._missing(line):
                taken = retried(os.write, self._fd, rest)
                if taken == 0:
                    return self._failed(OSError(errno.ENOSPC, "the disk takes no more bytes"))
                self._begun = max(0, len(line) - len(rest) + taken)
        except OSError as error:
            return self._failed(error)
        self._begun = 0
        self._whole = True
        return True

    def duplicate(self) -> int:
        """Another descriptor of the file, for whoever asks the disk to keep it."""
        return os.dup(self._fd)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            close_quietly(fd)

    def _failed(self, error: OSError) -> bool:
        """Remember why; always False."""
        self.error = error
        return False

    def _missing(self, line: bytes) -> bytes:
        """What `line` lacks to be the last one of the file, by what is in the file and not by what was said.

        A kernel may claim more than it did, and somebody may have cut the file meanwhile.
        """
        size = os.fstat(self._fd).st_size
        begun = self._begun
        if begun and size >= begun and os.pread(self._fd, begun, size - begun) == line[:begun]:
            return line[begun:]
        self._begun = 0
        return line if size == 0 or os.pread(self._fd, 1, size - 1) == b"\n" else b"\n" + line
