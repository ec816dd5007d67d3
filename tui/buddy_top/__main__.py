"""Entry point of `buddy-top` and of `python -m buddy_top`."""

from __future__ import annotations

import sys

_INTERRUPTED = 130


def main() -> int:
    """Run the command line; an interrupt ends it quietly even while its modules are still being loaded."""
    try:
        from buddy_top.cli.entry import main as run

        return run()
    except KeyboardInterrupt:
        return _INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
