"""Many command lines in one process: `python many_commands.py FILE`, where FILE holds a list of them as JSON.

Before each, a line tells its number, so that what was written can be told apart.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from buddy_top.cli.entry import main


def run_all(lines: list[list[str]]) -> None:
    for number, argv in enumerate(lines):
        print(f"command-{number}", flush=True)
        try:
            code = main(argv)
        except SystemExit as left:  # wrong usage
            code = int(left.code or 0)
        print(f"ended-{code}", flush=True)


if __name__ == "__main__":
    run_all(json.loads(Path(sys.argv.pop()).read_text(encoding="utf-8")))
