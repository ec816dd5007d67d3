"""The threads of the monitor share one arena, and large pieces of memory go back to the system."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import ctypes, sys, threading
from buddy_top.starting.arenas import no_more_arenas

if sys.argv[1] == "shared":
    no_more_arenas()
for _ in range(3):
    large = bytearray(1 << 20)  # the second and third come from the heap once the first was freed
    del large
large = bytearray(1 << 20)
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


def arenas(tmp_path: Path, word: str) -> tuple[int, int]:
    """How many arenas there are while eight threads hold memory, and how many bytes came straight from the system."""
    told = tmp_path / word
    subprocess.run([sys.executable, "-c", PROGRAM, word, str(told)], check=True, timeout=30)
    found = told.read_text()
    mapped = re.search(r'<total type="mmap" count="\d+" size="(\d+)"', found)
    assert mapped is not None
    return found.count("<heap nr="), int(mapped[1])


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is not glibc")
def test_threads_share_one_arena_and_large_pieces_stay_out_of_it(tmp_path: Path) -> None:
    shared, mapped = arenas(tmp_path, "shared")
    each, mapped_before = arenas(tmp_path, "each")
    assert shared == 1 < each
    assert mapped >= mapped_before + (1 << 20)


HOLES = """
import psutil
from buddy_top.starting.arenas import give_back, no_more_arenas

no_more_arenas()
pieces = [bytearray(b"x" * 20_000) for _ in range(2_000)]
del pieces[:-1]  # the last one keeps all before it from going back by itself
held = psutil.Process().memory_info().rss
give_back()
print(held - psutil.Process().memory_info().rss)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="the C library is not glibc")
def test_what_was_let_go_of_in_the_middle_goes_back_to_the_system() -> None:
    told = subprocess.run([sys.executable, "-c", HOLES], check=True, timeout=30, capture_output=True)
    assert int(told.stdout) > 30_000_000


def test_a_c_library_without_arenas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from buddy_top.starting.arenas import give_back, no_more_arenas

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    no_more_arenas()
    give_back()
