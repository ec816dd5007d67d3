"""The process that atheris runs in: `python -m tests.fuzz.child TARGET FOUND [options of libFuzzer] CORPUS SEEDS`.

FOUND is how the names of files begin that hold inputs that break a promise.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

atheris = importlib.import_module("atheris")  # no dependency of the tests: its types are not known there


def main() -> None:
    """Fuzz until the time is over or something is found; does not return."""
    with atheris.instrument_imports(include=["buddy_core"]):
        from tests.fuzz.targets import TARGETS
    _, name, found, *options = sys.argv
    atheris.Setup([name, *options], kept(found, TARGETS[name].check))
    atheris.Fuzz()


def kept(found: str, check: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """`check`, with an input that breaks a promise written down before anything else happens."""

    def tried(data: bytes) -> None:
        try:
            check(data)
        except Exception:
            file = Path(f"{found}{hashlib.sha256(data).hexdigest()[:12]}")
            file.write_bytes(data)
            print(f"written to {file}: {data!r}", file=sys.stderr, flush=True)
            raise

    return tried


if __name__ == "__main__":
    main()
