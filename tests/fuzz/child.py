"""The process that atheris runs in: `python -m tests.fuzz.child TARGET [options of libFuzzer] CORPUS SEEDS`."""

from __future__ import annotations

import importlib
import sys

atheris = importlib.import_module("atheris")  # no dependency of the tests: its types are not known there


def main() -> None:
    """Fuzz until the time is over or something is found; does not return."""
    with atheris.instrument_imports(include=["buddy_core"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
