"""The monitor with one of its two protections taken away, or both: which one is named by the first argument.

`guard`: the last filter lets everything through. `all`: what is observed is not made printable either.
"""

from __future__ import annotations

import sys

from buddy_core.safety import text


def take_away(what: str) -> None:
    if what == "all":

        def unchanged(value: object, *, limit: int = 2000, newline: str = " ") -> text.Plain:
            return text.Plain(str(value)[:limit].replace("\n", newline))

        text.plain = unchanged  # before anything imports it
    from buddy_top.terminal.guard import ScreenGuard

    ScreenGuard.apply = lambda self, segments, background: segments  # type: ignore[method-assign]


if __name__ == "__main__":
    take_away(sys.argv.pop(1))
    from buddy_top.cli.entry import main

    sys.exit(main())
