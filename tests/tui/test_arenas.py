"""The threads of the monitor share the memory of one arena."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes, sys, threading
from buddy_top.arenas import no_more_arenas

if sys.argv[1] == "shared":
    no_more_arenas()
together = threading.Barrier(9)

def work():
    held = bytearray(100_000)
    together.wait()
    together.wait()

threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
together.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fclose.argtypes = libc.fflush.argtypes = [ctypes.c_void_p]
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
file = libc.fopen(sys.argv[2].encode(), b"w")
libc.malloc_info(0, file)
libc.fclose(file)
together.wait()
"""


def arenas(tmp_path: Path, word: str) -> int:
    """How many arenas there are while eight threads hold memory."""
    told = tmp_path / word
    subprocess.run([sys.executable, "-c", PROGRAM, word, str(told)], check=True, timeout=30)
    return told.read_text().count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is not glibc")
def test_threads_share_one_arena_instead_of_having_one_each(tmp_path: Path) -> None:
    assert arenas(tmp_path, "shared") == 1
    assert arenas(tmp_path, "each") > 1


def test_a_c_library_without_arenas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from buddy_top.arenas import no_more_arenas

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    no_more_arenas()
