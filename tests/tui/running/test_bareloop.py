"""The monitor's event loop loads no OpenSSL, and whoever wants it gets it all the same."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys

from buddy_top.starting.bareloop import load_without_tls


def says(program: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run(
        [sys.executable, "-c", program], check=True, timeout=30, capture_output=True, text=True
    ).stdout.strip()


def test_a_loop_runs_and_openssl_is_not_there() -> None:
    program = """
import sys
from buddy_top.starting.bareloop import load_without_tls
load_without_tls()
import asyncio
asyncio.run(asyncio.sleep(0))
print([name for name in ("ssl", "_ssl", "hashlib") if name in sys.modules])
"""
    assert says(program) == "[]"


def test_whoever_speaks_tls_later_gets_all_of_it() -> None:
    program = """
from buddy_top.starting.bareloop import load_without_tls
load_without_tls()
import ssl, http.client
print(type(ssl.create_default_context()).__name__, http.client.HTTPSConnection.__name__)
"""
    assert says(program) == "SSLContext HTTPSConnection"


def test_where_both_are_loaded_already_nothing_happens() -> None:
    load_without_tls()

    assert sys.modules["ssl"] is ssl
    assert sys.modules["asyncio"] is asyncio
