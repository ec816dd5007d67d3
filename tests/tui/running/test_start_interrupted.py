"""Ctrl-C in the middle of a start ends it, also where Python swallows exceptions. Case 65."""

from __future__ import annotations

import subprocess
import sys

import pytest

FINALIZER = """
import os, signal, sys

class Interrupted:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
"""

AS_MODULES_ARE_LOADED = f"""{FINALIZER}
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "buddy_top.cli.entry":
            Interrupted()

sys.meta_path.insert(0, Finder())
sys.argv = ["buddy-top", "--version"]
from buddy_top.__main__ import main
sys.exit(main())
"""

AS_THE_SCREEN_IS_LOADED = f"""{FINALIZER}
from buddy_top.starting.launch import _signals_end

with _signals_end(lambda: print("last duty", flush=True)):
    Interrupted()
print("went on")
"""


@pytest.mark.parametrize(
    ("program", "said"), [(AS_MODULES_ARE_LOADED, ""), (AS_THE_SCREEN_IS_LOADED, "last duty\n")]
)
def test_an_interrupt_that_comes_while_an_object_is_finalized_is_not_swallowed(
    program: str, said: str
) -> None:
    # Of a job in the background the interrupt is ignored, and stays so.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    ended = subprocess.run(
        [sys.executable, "-c", heeding + program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, said, "")
