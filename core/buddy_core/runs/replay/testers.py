"""Is a command a test command? Told from its words alone, by the names of the usual test runners."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

_RUNNER_NAMES = """
    pytest py.test tox nox nose2 jest vitest mocha ava karma cypress phpunit pest rspec ctest bats prove
    busted trial stestr gotestsum minitest
"""
_RUNNERS = frozenset(_RUNNER_NAMES.split())
"""Programs that do nothing but run tests."""

_TASKS = frozenset(("test", "tests", "check", "unittest"))

_SUBCOMMANDS = {
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun"), frozenset(("test", "tst", "t", "it"))),
    **dict.fromkeys(
        ("cargo", "go", "dotnet", "mix", "deno", "swift", "zig", "flutter", "dart", "bazel"), _TASKS
    ),
    **dict.fromkeys(("mvn", "mvnw", "gradle", "gradlew", "sbt", "lein", "stack", "cabal", "dune"), _TASKS),
    **dict.fromkeys(("make", "gmake", "just", "task", "rake", "ninja", "meson", "composer", "hatch"), _TASKS),
    "cargo": frozenset(("test", "t", "nextest")),
    "playwright": _TASKS,
    "manage.py": _TASKS,
}
"""Programs that run tests when told to, and the words they are told with."""

_RUN_A_TASK = {
    **dict.fromkeys(
        ("npm", "pnpm", "yarn", "bun", "deno", "mise", "rye", "pdm", "composer", "hatch"), ("run", "task")
    ),
    "npm": ("run", "run-script"),
}
"""Programs that run a named task of the project."""

_CARRIERS = {
    "uv": ("run",),
    "poetry": ("run",),
    "pipenv": ("run",),
    "pdm": ("run",),
    "rye": ("run",),
    "hatch": ("run",),
    "bundle": ("exec",),
    "npm": ("exec", "x"),
    "pnpm": ("exec", "dlx"),
    "yarn": ("exec", "dlx"),
    "bun": ("x",),
    "mise": ("exec", "x"),
}
"""Programs that run the program which the words after theirs name."""

_NPX = frozenset(("npx", "bunx", "pnpx"))
_PYTHON = re.compile(r"python(\d(\.\d+)?)?|pypy3?")
_PYTHON_MODULES = frozenset(("pytest", "unittest", "nose2", "tox", "nox", "trial", "doctest"))
_TASK = re.compile(r"(?:.*[:._-])?tests?(?:[:._-].*)?|check")
_MAX_DEPTH = 4


def is_test_command(words: Sequence[str]) -> bool:
    """True when `words` run tests: `pytest -q`, `npm run test:unit`, `uv run python -m unittest`, …"""
    return _runs_tests(list(words), _MAX_DEPTH)


def _runs_tests(words: list[str], depth: int) -> bool:
    if not words or depth == 0:
        return False
    name, rest = _program(words[0]), words[1:]
    if name in _RUNNERS:
        return True
    if _PYTHON.fullmatch(name):
        return _python_runs_tests(rest, depth)
    if name == "node":
        return "--test" in rest
    if name in _NPX:
        return _runs_tests(_without_options(rest), depth - 1)
    return _told_to_test(name, _without_options(rest), depth)


def _told_to_test(name: str, rest: list[str], depth: int) -> bool:
    """For programs whose first word (after options) says what they do."""
    if not rest:
        return False
    if name in ("make", "gmake", "mvn", "mvnw", "gradle", "gradlew", "bazel"):
        return any(_TASK.fullmatch(word) for word in rest if not word.startswith("-"))
    if rest[0] in _SUBCOMMANDS.get(name, ()):
        return True
    if rest[0] in _RUN_A_TASK.get(name, ()):
        task = _without_options(rest[1:])
        if task and _TASK.fullmatch(task[0]):
            return True
    if rest[0] in _CARRIERS.get(name, ()):
        return _runs_tests(_without_options(rest[1:]), depth - 1)
    return name in ("just", "task", "rake") and bool(_TASK.fullmatch(rest[0]))


def _python_runs_tests(rest: list[str], depth: int) -> bool:
    if "-m" in rest[:6]:
        module = rest[rest.index("-m") + 1 :][:1]
        return bool(module) and module[0].split(".")[0] in _PYTHON_MODULES
    script = _without_options(rest)
    return bool(script) and _told_to_test(_program(script[0]), script[1:], depth)


def _program(word: str) -> str:
    return PurePosixPath(word).name.removesuffix(".exe").removesuffix(".sh")


def _without_options(words: list[str]) -> list[str]:
    """`words` from the first that is no option; an option's separate value ends the search too early, which is safe."""
    for index, word in enumerate(words):
        if not word.startswith("-"):
            return words[index:]
    return []
