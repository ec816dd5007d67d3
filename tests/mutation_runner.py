"""mutmut, with tests that are collected once: a child forked for each mutant only runs them.

`tests/mutation.py` calls this in the copy it has laid out, in place of `mutmut`. A session of pytest for each mutant would
spend most of its time on starting: reading its settings, its plugins and the modules of the tests. `changes NAME…` tells
of mutants what they change, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import mutmut.__main__ as program
import pytest
from _pytest.config import _prepareconfig
from mutmut.configuration import Config
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.utils.file_utils import change_cwd
from mutmut.workers.isolation import ForkServerRunner, MutantRunner

LOG = "pytest.log"
"""What pytest said when it last ran on the code as it is."""


class CollectedTests(PytestRunner):
    """The tests of a group as one session of pytest that has been opened but not run."""

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, pytest.Item] = {}
        self._session: pytest.Session | None = None

    def warm_up(self) -> None:
        """Collect the tests; to be called before the forks, which then have them."""
        words = ["--rootdir=.", "-q", "-x", "--capture=sys", *self._pytest_add_cli_args]
        with change_cwd("mutants"):
            config = _prepareconfig([*words, *self._pytest_add_cli_args_test_selection])
            config._do_configure()
            _stop_at_first_counterexample()
            self._session = pytest.Session.from_config(config)
            config.hook.pytest_sessionstart(session=self._session)
            config.hook.pytest_collection(session=self._session)
        self._items = {item.nodeid: item for item in self._session.items}

    def run_stats(self, *, tests: Iterable[str]) -> int:
        """Which tests call which function, in a session of its own."""
        state()._stats = _Called()
        with _logged():
            return super().run_stats(tests=tests)

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run the tests, or all of them, the quickest first, up to the first that fails: 1 if one does."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(_logged() if mutant_name is None else _silent())
            if self._session is None:
                self.warm_up()
            _as_if_started()
            stack.enter_context(_own_room())
            stack.enter_context(change_cwd("mutants"))
            return self._run(
                sorted(tests or self._items, key=lambda test: state().duration_by_test.get(test, 0))
            )

    def _run(self, names: list[str]) -> int:
        session, items = self._session, [self._items[name] for name in names]
        assert session is not None
        for item, following in zip(items, [*items[1:], None], strict=True):
            _limit_time(state().duration_by_test.get(item.nodeid, 60.0))
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return 1
        return 0


class _Called(set[str]):
    """Functions that were called, also by threads that go on while they are gone through."""

    def __iter__(self) -> Iterator[str]:
        return iter(frozenset(self))


def _stop_at_first_counterexample() -> None:
    """A mutant is noticed by then: to make the example small takes longer than to find it."""
    from hypothesis import Phase, settings  # once pytest has loaded the plugin that comes with it

    settings.register_profile("mutants", phases=[Phase.explicit, Phase.reuse, Phase.generate])
    settings.load_profile("mutants")


def _as_if_started() -> None:
    """Give back the signals that the server of the forks listens to: tests send some."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def _limit_time(seconds: float) -> None:
    """End an endless loop soon after a test has worked longer than it took; mutmut's own limit is for all tests together."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(time.process_time() + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (limit if hard < 0 else min(limit, hard), hard))


@contextlib.contextmanager
def _own_room() -> Iterator[None]:
    """A directory for temporary files that goes with the mutant, whatever that has left there."""
    room = tempfile.mkdtemp()
    os.environ["PYTEST_DEBUG_TEMPROOT"] = room
    try:
        yield
    finally:
        with contextlib.suppress(RecursionError):  # a tree thousands deep is left to whoever made the place
            shutil.rmtree(room, ignore_errors=True)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """Standard output and errors of the tests, and of what they start, in a file."""
    with Path(LOG).open("w", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            yield


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Nothing of what the tests of a mutant start reaches the pipe that mutmut's own words go through."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        yield


class Runner(ForkServerRunner):
    """Forks a child for each mutant; tests that have just passed, while it was noted what they call, need not pass again."""

    _passed = False

    def collect_stats(self, tests: Iterable[str] | None) -> int:
        """Run the tests, or all of them, and note which of them call which function."""
        code = super().collect_stats(tests)
        self._passed = code == 0
        return code

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        """Run the tests on the code as it is: 0 when they pass."""
        return 0 if self._passed else super().run_clean_tests(tests)


def _more_tests_forget_nothing() -> None:
    """What was noticed stays noticed when a group gets another file of tests; what was not is tried again anyway."""
    known = Config.config_fingerprint

    def without_the_files(settings: Config) -> dict[str, str]:
        return {part: digest for part, digest in known(settings).items() if part != "test_selection"}

    Config.config_fingerprint = without_the_files  # type: ignore[assignment, method-assign]


def _runner(max_workers: int = 1) -> MutantRunner:
    return Runner(max_workers=max_workers, test_runner_class=CollectedTests, test_runner_args={})


if __name__ == "__main__":
    if sys.argv[1] == "changes":
        print(json.dumps({name: get_diff_for_mutant(name) for name in sys.argv[2:]}))
        sys.exit()
    _more_tests_forget_nothing()
    vars(program)["get_mutant_runner"] = _runner
    sys.exit(program.cli())
