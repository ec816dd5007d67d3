"""What is wrong with a configuration file."""

from __future__ import annotations

from buddy_core.errors import BuddyError


class BadConfig(BuddyError):
    """The configuration file cannot be read or says something that cannot be; the message says where."""
