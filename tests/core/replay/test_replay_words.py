"""Which lines mean the same without a shell, and which of them run tests. Case 92."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from buddy_core.runs.replay.shellwords import NeedsShell, parse_line, pieces
from buddy_core.runs.replay.testers import is_test_command


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("pytest", ("pytest",)),
        ("  pytest   -q  ", ("pytest", "-q")),
        ("pytest -k 'a and not b'", ("pytest", "-k", "a and not b")),
        ('pytest -k "login or out" tests', ("pytest", "-k", "login or out", "tests")),
        ("pytest 'tests/test_a.py::test_b[one two]'", ("pytest", "tests/test_a.py::test_b[one two]")),
        ("pytest -k 'a'\"b\"c", ("pytest", "-k", "abc")),
        ("pytest ''", ("pytest", "")),
        ("npm test 2>&1", ("npm", "test")),
        ("go test ./...", ("go", "test", "./...")),
        ("go test ./... -run Test=x,y:z@1%+", ("go", "test", "./...", "-run", "Test=x,y:z@1%+")),
    ],
)
def test_plain_words_and_quotes_are_understood(line: str, words: tuple[str, ...]) -> None:
    assert parse_line(line) == (words, ())


def test_changing_the_directory_first_is_understood() -> None:
    assert parse_line("cd web && cd app && npm test 2>&1") == (("npm", "test"), ("web", "app"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("pytest | tail -3", "a pipe"),
        ("pytest; rm -rf x", "several commands"),
        ("pytest && rm -rf x", "several commands"),
        ("pytest || true", "a pipe"),
        ("pytest &", "background"),
        ("pytest&", "background"),
        ("pytest > out.txt", "a redirection"),
        ("pytest >out.txt 2>&1", "a redirection"),
        ("pytest 2>&1 -q", "a redirection"),
        ("pytest < in.txt", "a redirection"),
        ("pytest 2>/dev/null", "a redirection"),
        ("(pytest)", "a subshell"),
        ("pytest $(id)", "a substitution"),
        ("pytest $HOME", "a variable"),
        ("pytest ${HOME}", "a variable"),
        ("pytest `id`", "a substitution"),
        ('pytest "$(id)"', "a variable, a substitution"),
        ('pytest "`id`"', "a variable, a substitution"),
        ('pytest "a\\"b"', "a backslash"),
        ("pytest tests/*.py", "a file pattern"),
        ("pytest tests/test_?.py", "a file pattern"),
        ("pytest tests/test_a.py::test_b[1]", "a file pattern"),
        ("pytest {a,b}", "a brace expansion"),
        ("pytest ~/x", "a home directory"),
        ("make test X=~root", "a home directory"),
        ("pytest a\\ b", "a backslash"),
        ("pytest # all of them", "a comment"),
        ("FOO=1 pytest", "environment variables"),
        ("PATH+=:/x pytest", "environment variables"),
        ("pytest 'a", "a quote is not closed"),
        ("pytest\nrm -rf x", "several lines"),
        ("pytest\r", "several lines"),
        ("pytest \x00", "control characters"),
        ("pytest \x1b[2K\rls", "several lines"),
        ("pytest \x1b[8m", "control characters"),
        ("pytest \u202egpj.exe", "control characters"),
        ("pytest \u200b", "control characters"),
        ("pytest\ttests", "control characters"),
        ("pytest\u00a0-q", "control characters"),
        ("pytest \u2028", "control characters"),
        ("pytest \ud83c", "control characters"),
        ("pytest " + "x" * 493, "incomplete"),
        ("pytest tests/test_a…", "incomplete"),
        ("pytest tests/test_a… [truncated]", "incomplete"),
        ("cd - && pytest", "cd"),
        ("cd -P x && pytest", "several commands"),
        ("cd $X && pytest", "a variable"),
        ("cd x || pytest", "a pipe"),
        ("cd x; pytest", "several commands"),
        ("cd && pytest", "several commands"),
        ("! pytest", "a negation"),
    ],
)
def test_whatever_a_shell_would_do_something_with_is_refused_by_name(line: str, reason: str) -> None:
    with pytest.raises(NeedsShell, match=reason):
        parse_line(line)


ALPHABET = "abtest012-_=:,./@%+ '\"~#!$&|;<>()*?[]{}\\^"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash to compare with")
@settings(max_examples=150, deadline=None)
@given(st.text(ALPHABET, max_size=24))
def test_what_is_accepted_means_to_bash_exactly_these_words(tail: str) -> None:
    """The one thing that must hold: no accepted line means something else to a shell."""
    try:
        line = parse_line(f"pytest {tail}")
    except NeedsShell:
        return
    script = f'pytest() {{ for word in "$@"; do printf \'%s\\0\' "$word"; done; }}; pytest {tail}'
    told = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script], capture_output=True, check=True
    ).stdout
    assert tuple(word.decode() for word in told.split(b"\0")[:-1]) == line.words[1:]


@pytest.mark.parametrize(
    "line",
    [
        "pytest",
        "py.test -x",
        "/usr/bin/pytest -q",
        ".venv/bin/pytest",
        "python -m pytest",
        "python3.11 -m pytest -q",
        "python -W error -m unittest discover",
        "python manage.py test app",
        "uv run pytest",
        "uv run python -m pytest",
        "poetry run pytest",
        "npm test",
        "npm t",
        "npm run test",
        "npm run test:unit",
        "npm run -s test-e2e",
        "npx jest --ci",
        "npx --yes vitest run",
        "yarn test",
        "yarn run test",
        "pnpm exec vitest",
        "bun test",
        "node --test",
        "cargo test --all",
        "cargo nextest run",
        "go test ./...",
        "make test",
        "make -j4 test",
        "make check",
        "jest",
        "vitest run",
        "mocha",
        "tox -e py311",
        "nox",
        "mvn -q test",
        "./mvnw test",
        "gradle test",
        "./gradlew :app:test",
        "dotnet test",
        "mix test",
        "bundle exec rspec",
        "rspec",
        "phpunit",
        "ctest",
        "deno test",
        "swift test",
        "mise run test",
        "just test",
        "rake test",
    ],
)
def test_the_usual_ways_of_running_tests_are_known(line: str) -> None:
    assert is_test_command(line.split())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ls",
        "test -f x",
        "git add tests/test_a.py",
        "cat test.py",
        "rm -rf test",
        "npm install jest",
        "npm run build",
        "cargo build",
        "go build ./...",
        "python test.py",
        "python -m http.server",
        "python -c test",
        "make all",
        "npx create-react-app test",
        "sudo pytest",
        "env X=1 pytest",
        "sh -c pytest",
        "xargs pytest",
        "docker run test",
        "echo pytest",
        "pip install pytest",
        "mise run build",
        "uv run uv run uv run uv run pytest",
    ],
)
def test_other_commands_are_not_taken_for_tests(line: str) -> None:
    assert not is_test_command(line.split())


def test_a_line_with_shell_syntax_is_still_seen_to_be_about_tests() -> None:
    assert any(map(is_test_command, pieces("go build ./... && X=1 go test ./... 2>&1 | tail -20")))
    assert not any(map(is_test_command, pieces("git add a_test.go && git commit -m 'test'")))
