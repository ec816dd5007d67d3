"""How the C library keeps the memory of this process, where it is glibc's.

It gives each thread that allocates an arena of its own, so that threads need not wait for each other. Here they do
anyway, as the interpreter lets one of them run at a time; but what is free in one arena is of no use to the others.
And once a large piece was freed it takes the next ones from where the small pieces are, which leaves holes. In
twenty minutes of a thousand events a second both came to more than twenty megabytes.
"""

from __future__ import annotations

from contextlib import suppress

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h

GIVING_BACK_S = 30.0
"""How often what is free goes back while the screen is open: most is let go of soon after it was read or drawn."""

LARGE = 128 * 1024
"""Bytes from which on a piece comes from the system and goes back there: glibc's own threshold, until it moves."""


def no_more_arenas() -> None:
    """Threads that are started from now on share the arena of the main thread, and large pieces stay out of it.

    It takes two milliseconds, of loading what watching a directory needs too. Other C libraries are left alone.
    """
    import ctypes

    with suppress(OSError, AttributeError):  # there is no such function
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, LARGE)


def give_back() -> None:
    """Pages of the C library's memory in which nothing is any more go back to the system, in a fifth of a millisecond.

    By itself it gives back only what lies at the end, and what was read is let go of somewhere in the middle.
    """
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
