"""Where a command would run and what it would start: checked before it is shown, and again before it runs.

Promise C8, cases 78 and 94: a directory or a program that somebody else can change is not this user's choice, so
what was approved would not be what runs.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from buddy_core import format as fmt
from buddy_core.runs.replay.shellwords import NeedsShell, check_argument
from buddy_core.safety.text import plain

_ENVIRONMENT = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "JAVA_HOME",
    "GOPATH",
    "GOROOT",
    "CARGO_HOME",
    "RUSTUP_HOME",
)
_FIXED = {"CI": "true", "NO_COLOR": "1", "TERM": "dumb"}
"""Test runners neither wait for changes, nor colour, nor draw."""

_INFLUENTIAL_NAMES = """
    conftest.py pytest.ini .pytest.ini pyproject.toml setup.cfg setup.py tox.ini noxfile.py sitecustomize.py
    usercustomize.py package.json .npmrc .yarnrc .yarnrc.yml .pnp.cjs bunfig.toml .mocharc.js .mocharc.json
    .mocharc.yml Makefile makefile GNUmakefile justfile Justfile Taskfile.yml Taskfile.yaml Rakefile mise.toml
    .mise.toml .tool-versions Cargo.toml build.rs go.mod go.work build.gradle build.gradle.kts settings.gradle
    gradle.properties pom.xml phpunit.xml composer.json deno.json CMakeLists.txt manage.py .env
"""
_INFLUENTIAL = frozenset(_INFLUENTIAL_NAMES.split())
_INFLUENTIAL_STEMS = (
    "jest.config.",
    "vitest.config.",
    "vite.config.",
    "babel.config.",
    "karma.conf.",
    "playwright.config.",
)
_PLACES = ("", "tests", "test", ".cargo", ".mvn", ".config")
_MAX_SCANNED = 5_000
_MAX_NAMED = 8
_STARTER_NAMES = """
    -exec -toolexec --exec --require -r --import --loader --globalSetup --setupFiles --config -p --rootdir -C -f
    --file --makefile --directory --manifest-path --init-script -I --eval -e --prefix --script-shell
"""
_STARTERS = frozenset(_STARTER_NAMES.split())
_FETCHERS = frozenset(("npx", "bunx", "pnpx", "uv", "uvx", "pipx", "dlx"))


class Unfit(ValueError):
    """The directory or the program cannot be vouched for; the text completes “it is not replayable: …”."""


def child_environment(env: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a replayed command: a few names from `env`, and what keeps runners quiet.

    No other variable gets through, tokens least of all. Relative entries of PATH are left out, since they would
    mean whatever lies in the directory of the run.
    """
    kept = {name: env[name] for name in _ENVIRONMENT if env.get(name) and _is_printable(env[name])}
    entries = (entry for entry in kept.get("PATH", os.defpath).split(os.pathsep))
    kept["PATH"] = os.pathsep.join(entry for entry in entries if entry.startswith("/"))
    return {**kept, **_FIXED}


def check_directory(text: str) -> tuple[int, ...]:
    """Device and inode of the directory `text`; raises `Unfit` when somebody else has a say in it."""
    _demand(_is_printable(text), "the name of its directory has control or invisible characters")
    _demand(text.startswith("/"), "its directory is not an absolute path")
    _demand(text.strip("/"), "its directory is the root of the machine")
    try:
        found = os.lstat(text)
        real = os.path.realpath(text, strict=True)
    except OSError as error:
        raise Unfit(f"its directory is not there: {error.strerror}") from None
    _demand(
        real == text and not stat.S_ISLNK(found.st_mode),
        f"its directory is reached through a link, to {plain(real)}",
    )
    _demand(stat.S_ISDIR(found.st_mode), "its directory is none")
    _demand(found.st_uid == os.geteuid(), "its directory belongs to another user")
    _demand(not found.st_mode & stat.S_IWOTH, "everybody may write into its directory")
    for parent in PurePosixPath(text).parents:
        _demand(
            _is_trusty(os.lstat(parent)), f"another user can replace its directory, in {plain(str(parent))}"
        )
    return found.st_dev, found.st_ino


def find_program(name: str, cwd: str, environment: Mapping[str, str]) -> tuple[str, tuple[int, ...]]:
    """The file that `name` starts in `cwd`, and its identity; raises `Unfit`."""
    candidates = (
        [Path(cwd, name)]
        if "/" in name
        else [Path(entry, name) for entry in environment["PATH"].split(os.pathsep) if entry]
    )
    for path in candidates:
        if path.is_file() and os.access(path, os.X_OK):
            return os.path.normpath(path), _identity_of_program(os.path.normpath(path))
    raise Unfit(f"there is no program {plain(name, limit=80)} here")


def notices(cwd: str, argv: Sequence[str], *, recorded_until: int) -> Iterator[str]:
    """What a person should know of files and arguments that decide what the command does.

    `recorded_until` is the wall time at which the run was last active: files changed later are not what it used.
    """
    if Path(argv[0]).name in _FETCHERS:
        yield f"{plain(Path(argv[0]).name)} may download what is not installed"
    named = [word for word in argv[1:] if word.split("=")[0] in _STARTERS]
    if named:
        yield f"it says {', '.join(named[:4])}, which can make the runner load or start something else"
    if not "".join(argv).isascii():
        yield "it has letters beyond ASCII, which may look like others"
    found = sorted(_influential(Path(cwd)))
    changed = [(name, at) for name, at, _ in found if at > recorded_until]
    foreign = [name for name, _, foreign in found if foreign]
    if foreign:
        yield f"another user owns or may change {_some(foreign)}"
    if changed:
        latest = max(at for _, at in changed)
        names = _some([name for name, _ in changed])
        yield f"changed since the run: {names} (latest {fmt.duration(latest - recorded_until)} after it)"


def _influential(cwd: Path) -> Iterator[tuple[str, int, bool]]:
    """Name, time of change in wall milliseconds, and whether another user has a hand in it."""
    scanned = 0
    for place in _PLACES:
        try:
            with os.scandir(cwd / place) as entries:
                for entry in entries:
                    scanned += 1
                    if scanned > _MAX_SCANNED:
                        return
                    if entry.name in _INFLUENTIAL or entry.name.startswith(_INFLUENTIAL_STEMS):
                        yield (f"{place}/{entry.name}".lstrip("/"), *_facts(entry))
        except OSError:
            continue


def _facts(entry: os.DirEntry[str]) -> tuple[int, bool]:
    found = entry.stat(follow_symlinks=False)
    foreign = found.st_uid not in (0, os.geteuid())
    shared = bool(found.st_mode & stat.S_IWOTH) and not entry.is_symlink()
    return found.st_mtime_ns // 1_000_000, foreign or shared


def _identity_of_program(path: str) -> tuple[int, ...]:
    try:
        real = Path(path).resolve(strict=True)
        found, place = real.stat(), real.parent.stat()
    except OSError as error:
        raise Unfit(f"its program cannot be looked at: {error.strerror}") from None
    _demand(_is_printable(path), "the name of its program has control or invisible characters")
    _demand(_is_trusty(found) and _is_trusty(place), f"another user can change its program {plain(path)}")
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _is_trusty(found: os.stat_result) -> bool:
    """Only this user or root can change what was looked at, or, in a sticky directory, replace what is in it."""
    shared = found.st_mode & stat.S_IWOTH and not (
        stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX
    )
    return found.st_uid in (0, os.geteuid()) and not shared


def _is_printable(text: str) -> bool:
    try:
        return bool(check_argument(text))
    except NeedsShell:
        return False


def _some(names: Sequence[str]) -> str:
    more = len(names) - _MAX_NAMED
    return ", ".join(plain(name, limit=60) for name in names[:_MAX_NAMED]) + (
        f" and {more} more" if more > 0 else ""
    )


def _demand(holds: object, objection: str) -> None:
    if not holds:
        raise Unfit(objection)
