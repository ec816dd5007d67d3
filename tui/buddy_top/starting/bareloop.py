"""The event loop without TLS, which nothing of the monitor speaks by a loop.

`asyncio` loads OpenSSL wherever there is one: 1.3 MB of memory and seven milliseconds of each start. It is
made to do without, as on a Python that was built without. Whoever else wants `ssl` gets it as ever.
"""

from __future__ import annotations

import sys


def load_without_tls() -> None:
    """Import `asyncio` so that `ssl` is not loaded; nothing happens where either of them is already."""
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment] # to an import it is not there
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]
