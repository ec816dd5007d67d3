"""The names of `buddy_core`: loaded on first use, and known to type checkers without being loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import buddy_core

_TREE = ast.parse(Path(buddy_core.__file__).read_text(encoding="utf-8"))


def _under(condition: str) -> list[ast.stmt]:
    blocks = [node for node in _TREE.body if isinstance(node, ast.If) and ast.unparse(node.test) == condition]
    return [statement for block in blocks for statement in block.body]


def test_type_checkers_know_every_name_and_no_other() -> None:
    imports = [node for node in _under("TYPE_CHECKING") if isinstance(node, ast.ImportFrom)]
    homes = {alias.asname: node.module for node in imports for alias in node.names}
    lazy = {name: f"buddy_core.{home}" for name, home in buddy_core._HOMES.items()}
    assert homes == lazy


def test_a_misspelt_name_is_no_object_of_unknown_type_to_a_type_checker() -> None:
    """A module `__getattr__` that checkers see would make them accept any name at all."""
    hidden = {node.name for node in _under("not TYPE_CHECKING") if isinstance(node, ast.FunctionDef)}
    seen = {node.name for node in _TREE.body if isinstance(node, ast.FunctionDef)}
    assert "__getattr__" in hidden
    assert "__getattr__" not in seen


@pytest.mark.parametrize("name", buddy_core.__all__)
def test_every_name_can_be_had(name: str) -> None:
    assert getattr(buddy_core, name) is not None
    assert name in dir(buddy_core)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'RunsStore'"):
        buddy_core.RunsStore  # noqa: B018


def test_importing_the_library_loads_nothing_that_is_heavy() -> None:
    heavy = ["asyncio", "opentelemetry", "prometheus_client", "rich", "sentry_sdk", "sqlite3", "textual"]
    script = "import sys; before = set(sys.modules); import buddy_core"  # there are some where coverage is measured
    script += f"; print(*[name for name in {heavy} if name in sys.modules and name not in before])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
