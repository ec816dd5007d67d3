"""Errors the library raises on purpose; all derive from `BuddyError`, and each says what to do."""

from __future__ import annotations


class BuddyError(Exception):
    """Base of every error the library raises on purpose."""


class RunNotFound(BuddyError):
    """No run has this id (or prefix) in the runs directory."""


class AmbiguousRun(RunNotFound):
    """More than one run id begins with this prefix."""


class RunClosed(BuddyError):
    """The run has ended; nothing more can be recorded into it."""


class RunLocked(BuddyError):
    """Another process is writing this run."""


class BadArtifactName(BuddyError):
    """An artifact name must be one plain file name: no separator, no dots alone, no control character."""


class StoreUnavailable(BuddyError):
    """The runs directory cannot be used: missing, not a directory, or no permission."""


class PortUnavailable(BuddyError):
    """Nothing can listen there: the port is in use, not for this user, or the host is none of this machine."""


class KeepFailed(BuddyError):
    """A run could not be copied into the archive, unpacked from it, or removed."""


class KeptRunDamaged(BuddyError):
    """A kept run is not what was written: some of its bytes have changed, or are missing."""
