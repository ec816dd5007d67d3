"""Entry point of `buddy-top` and of `python -m buddy_top`."""

from __future__ import annotations

import os
import signal
import sys

_INTERRUPTED = 130


def main() -> int:
    """Run the command line; an interrupt ends it quietly even while its modules are still being loaded."""
    raises = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if raises:  # an exception that comes in the middle of an import may be swallowed by it
        signal.signal(signal.SIGINT, lambda *_: os._exit(_INTERRUPTED))
    from buddy_top.cli.entry import main as run

    try:
        if raises:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return run()
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
