"""The rule of promise C6, held against the source: observed text reaches the screen by one way only.

Widgets draw `Plain` text, which only `plain()`, `shown()` and their `_lines` make of what was observed; a cast
`Plain(...)` is for the program's own words. Toolkit ways that read a string as markup are not used at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import buddy_top

SOURCE = Path(buddy_top.__file__).parent
MODULES = sorted(SOURCE.rglob("*.py"))

MARKUP_READERS = frozenset(
    {
        "Static", "Label", "Markdown", "MarkdownViewer", "RichLog", "Log", "DataTable", "Tree", "OptionList",
        "ListView", "Button", "Collapsible", "TabbedContent", "Header", "Footer", "Toast", "Tooltip",
        "notify", "from_markup", "render_markup", "from_ansi", "Text", "assemble", "highlight",
    }
)  # fmt: skip
"""Names whose strings are read as markup or ANSI somewhere on the way to the screen."""

MARKUP_ATTRIBUTES = frozenset(
    {"border_title", "border_subtitle", "tooltip", "sub_title", "placeholder", "loading_message"}
)
"""Attributes of widgets that are read as markup when a string is assigned to them."""

OBSERVED = frozenset(
    {
        "objective", "name", "message", "text", "error", "detail", "argument", "model", "provider", "cwd", "tags",
        "stack", "context", "title", "type", "run_id", "session_id", "channel", "fork_reason", "parent_run_id",
        "artifacts", "notes", "step", "problem", "user_id", "recorded_status", "fingerprint", "key",
    }
)  # fmt: skip
"""Fields of records that hold what a run wrote, or what an error of the system says of it."""

OWN_TEXT = {
    ("drawing/cells.py", "text"),  # a Span's text is Plain already
    ("widgets/text/wrap.py", "text"),
    ("widgets/text/matches.py", "text"),
    ("widgets/frame/tabs.py", "title"),  # a TabLabel's title is Plain
    ("terminal/crash.py", "stack"),  # file names of our own source
}
"""Where a field of that name is the interface's own."""


def slips(source: str, module: str = "example.py") -> Iterator[str]:
    """What in this source text breaks the rule, as sentences."""
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Call):
            called = _name_of(node.func)
            if called in MARKUP_READERS:
                yield f"{module}:{line}: {called}() reads its text as markup"
            if called in ("Plain", "literal") and node.args:
                yield from (
                    f"{module}:{line}: {called}({told})" for told in _observed_in(node.args[0], module)
                )
            if called == "Content" and not (node.args and _is_cleaned(node.args[0])):
                yield f"{module}:{line}: Content() of something else than a cleaned name"
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr in MARKUP_ATTRIBUTES:
                    yield f"{module}:{line}: {target.attr} is read as markup"


def _name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _observed_in(argument: ast.expr, module: str) -> Iterator[str]:
    """Fields of records within an argument, but for those that go through a cleaning or counting function."""
    cleaning = ("plain", "shown", "len", "count", "plural")
    if isinstance(argument, ast.Call) and _name_of(argument.func) in cleaning:
        return
    if isinstance(argument, ast.Attribute):
        own = (module, argument.attr) in OWN_TEXT
        if argument.attr in OBSERVED and not own:
            yield f"…{argument.attr}"
    for child in ast.iter_child_nodes(argument):
        if isinstance(child, ast.expr | ast.FormattedValue):
            yield from _observed_in(child, module)


def _is_cleaned(argument: ast.expr) -> bool:
    """Names of the palette's entries are cleaned where they are made (tests/tui/screens/test_hostile_screens.py)."""
    return ast.unparse(argument) in ("entry.name", "name")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_observed_text_goes_where_text_is_markup(module: Path) -> None:
    """Promise C6."""
    assert list(slips(module.read_text("utf-8"), str(module.relative_to(SOURCE)))) == []


def test_only_the_library_turns_observed_text_into_plain_text() -> None:
    """`cast` and `type: ignore` are no way around it."""
    for module in MODULES:
        tree = ast.parse(module.read_text("utf-8"))
        casts = [
            ast.unparse(node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and _name_of(node.func) == "cast"
        ]
        assert not [told for told in casts if "Plain" in told], module


SLIPS = {
    "a widget that reads markup": "from textual.widgets import Static\nStatic(run.objective)",
    "a title": "panel.border_title = run.objective",
    "an annotated title": "self.border_title: str = 'x'",
    "a toast": "self.app.notify(error.message)",
    "markup by name": "Content.from_markup(row.title)",
    "the palette's highlighter": "matcher.highlight(entry.name)",
    "content of anything": "Content(run.objective)",
    "a cast": "Span(Plain(run.objective))",
    "a cast within a sentence": "Plain(f'run {run.objective!r} of {count}')",
    "a cast of a part": "Plain(record.message[:40].upper())",
    "a cast of a joined list": "Plain(' '.join(run.tags))",
    "own words that are not": "literal(tool.name)",
    "a rich text": "Text(row.detail)",
}


@pytest.mark.parametrize("source", SLIPS.values(), ids=SLIPS)
def test_the_rule_notices_a_slip(source: str) -> None:
    """The negative control."""
    assert list(slips(source)) != []


GOOD = (
    "Span(plain(run.objective))",
    "Plain(f'{len(run.tags)} tags')",
    "Plain(plain(run.objective)[:3])",
    "Plain('own words')",
    "panel.set_title(plain(run.objective))",
)


@pytest.mark.parametrize("source", GOOD)
def test_the_rule_lets_good_code_pass(source: str) -> None:
    assert list(slips(source)) == []
