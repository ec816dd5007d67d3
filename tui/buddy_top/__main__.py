"""Entry point of `buddy-top` and of `python -m buddy_top`."""

from __future__ import annotations

import sys

from buddy_top.cli import main

if __name__ == "__main__":
    sys.exit(main())
