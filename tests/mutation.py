"""Change the code in thousands of small ways and see which changes no test notices.

`python tests/mutation.py [GROUP…] [--processes 2] [--only PATTERN]`: the groups, each some modules and the tests that
are to notice, stand in `pyproject.toml` under `tool.buddy-mutation`. mutmut does the work in a copy of the sources
below `build/mutation/`; what survives must be explained in MUTANTS.md, or the exit code is 1. What has been
tried is remembered in the copy, but for unexplained survivors: `--again` forgets all, for tests that have become fewer.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "mutation"
EXPLAINED = Path(__file__).with_name("MUTANTS.md")
_VERDICTS = {0: "survived", 1: "killed", 3: "killed", 5: "untested", 33: "untested", None: "not tried"}
_TIMES_OUT = (-24, 24, 36, 152, 255)

_SITE = """import os
import sys

sys.setrecursionlimit(4_000)  # each call of a changed function takes three more
if "MUTANT_UNDER_TEST" in os.environ:  # what a test has started, anywhere: mutmut reads its settings where it stands
    here = os.open(".", os.O_RDONLY)
    os.chdir({place!r})
    from mutmut.configuration import config

    config()
    os.fchdir(here)
    os.close(here)
"""


@dataclass(frozen=True)
class Mutant:
    """One changed function, and what the tests said to it."""

    module: str
    """Path below `buddy_core`."""
    name: str
    """As mutmut calls it."""
    verdict: str

    @property
    def function(self) -> str:
        """The changed function, with its class."""
        mangled = self.name.rpartition(".")[2].partition("__mutmut_")[0]
        return mangled.removeprefix("xǁ").replace("ǁ", ".") if mangled.startswith("xǁ") else mangled[2:]


def main() -> int:
    """Run the groups asked for and tell what survived; 1 when a survivor is not explained."""
    args = _arguments()
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    groups: dict[str, Any] = project["tool"]["buddy-mutation"]
    unexplained = 0
    for name in args.groups or _ready(groups):
        place = BUILD / name
        if args.again:
            shutil.rmtree(place, ignore_errors=True)
        _lay_out(place, groups[name], project)
        _forget_unexplained(place)
        _mutmut(place, "run", "--max-children", str(args.processes), *args.only)
        unexplained += _tell(name, place)
    return 1 if unexplained else 0


def _ready(groups: dict[str, Any]) -> list[str]:
    """The groups that have been gone through to their end; says which have not."""
    for name, group in groups.items():
        if "unfinished" in group:
            print(f"{name}: left out, {group['unfinished']}; ask for it by name")
    return [name for name, group in groups.items() if "unfinished" not in group]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "groups", nargs="*", help="groups of pyproject.toml; all finished ones without a name"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="forget what has been tried")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="PATTERN", help="names of mutants, * for any text"
    )
    return parser.parse_args()


def _lay_out(place: Path, group: dict[str, Any], project: dict[str, Any]) -> None:
    """A copy in which the library lies under `src`, where mutmut looks for it, and the project's own pytest settings."""
    place.mkdir(parents=True, exist_ok=True)
    ignored = shutil.ignore_patterns("__pycache__", "bench")
    for source, target in (("core", "src"), ("tui", "tui"), ("tests", "tests")):
        shutil.copytree(ROOT / source, place / target, ignore=ignored, dirs_exist_ok=True)
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/buddy_core/{module}" for module in group["modules"]],
        "also_copy": ["tui"],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist", *group.get("options", [])],
        "pytest_add_cli_args_test_selection": group["tests"],
        "timeout_multiplier": 6.0,
        "timeout_constant": 2.0,
        "use_git_change_detection": False,
    }
    lines = ["[tool.mutmut]", *(f"{key} = {json.dumps(value)}" for key, value in settings.items())]
    lines += ["[tool.pytest.ini_options]"]
    lines += [
        f"{key} = {json.dumps(value)}" for key, value in project["tool"]["pytest"]["ini_options"].items()
    ]
    (place / "pyproject.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _mutmut(place: Path, *words: str) -> str:
    """Run mutmut in a copy, or ask what it has changed (`changes`); its words."""
    paths = [place / "mutants" / part for part in ("src", "tui", ".")]
    for path in paths:
        path.mkdir(
            parents=True, exist_ok=True
        )  # Python would remember of a missing one that it holds nothing
    (place / "mutants" / "sitecustomize.py").write_text(_SITE.format(place=str(place)), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONHASHSEED": "0"}
    scratch = tempfile.mkdtemp(prefix="mutants-")
    done = subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("mutation_runner.py")), *words],
        cwd=place,
        env={**environment, "TMPDIR": scratch},
        capture_output=True,
        text=True,
        check=False,
    )
    subprocess.run(["rm", "-rf", scratch], check=True)  # which any depth of directories is nothing to
    if done.returncode:
        log = place / "pytest.log"
        tests = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        sys.exit(f"{tests[-8000:]}{done.stdout[-4000:]}{done.stderr}")
    return done.stdout


def _mutants(place: Path) -> Iterator[Mutant]:
    """Everything mutmut has noted down about the copy."""
    below = place / "mutants" / "src" / "buddy_core"
    for file in sorted(below.rglob("*.meta")):
        noted = json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        for name, code in noted.items():
            verdict = "timeout" if code in _TIMES_OUT else _VERDICTS.get(code, "crashed")
            yield Mutant(str(file.relative_to(below)).removesuffix(".meta"), name, verdict)


def _tell(group: str, place: Path) -> int:
    """Print the counts of every module and what survived; how many of the survivors nobody has explained."""
    found = list(_mutants(place))
    for module in dict.fromkeys(one.module for one in found):
        counts = Counter(one.verdict for one in found if one.module == module)
        print(
            f"| `{module}` | " + ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
        )
    unexplained = 0
    for one, change, known in _unnoticed(place):
        unexplained += not known
        print(f"{group}: {one.verdict}{'' if known else ', UNEXPLAINED'}: {one.name}")
        print(f"| `{one.module}` `{one.function}` | {change} | |")
    return unexplained


def _unnoticed(place: Path) -> Iterator[tuple[Mutant, str, bool]]:
    """What no test noticed, with what it changes, and whether that is explained."""
    found = [one for one in _mutants(place) if one.verdict not in ("killed", "timeout", "not tried")]
    changes = json.loads(_mutmut(place, "changes", *(one.name for one in found))) if found else {}
    explained = _squeezed(EXPLAINED.read_text(encoding="utf-8")) if EXPLAINED.exists() else ""
    for one in found:
        change = _change(changes[one.name])
        where = _squeezed(f"`{one.module}` `{one.function}`")
        yield one, change, where in explained and _squeezed(change) in explained


def _forget_unexplained(place: Path) -> None:
    """Survivors that nobody has explained are tried again: there may be a test for them by now."""
    names = {one.name for one, _, known in _unnoticed(place) if not known}
    for file in (place / "mutants" / "src").rglob("*.meta") if names else ():
        noted = json.loads(file.read_text(encoding="utf-8"))
        codes = noted["exit_code_by_key"]
        noted["exit_code_by_key"] = {name: None if name in names else code for name, code in codes.items()}
        file.write_text(json.dumps(noted), encoding="utf-8")


def _change(diff: str) -> str:
    """The lines that differ, as MUTANTS.md shows them: `old` → `new`."""
    lines = diff.splitlines()
    old, new = (
        " ⏎ ".join(
            line[1:].strip()
            for line in lines
            if re.match(rf"{re.escape(sign)}(?!{re.escape(sign * 2)})", line)
        )
        for sign in "-+"
    )
    return f"`{old}` → `{new}`".replace("|", "\\|")


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


if __name__ == "__main__":
    sys.exit(main())
