"""Colours for source code: comments, texts, numbers and the common words of the language.

A lexer of its own, one expression per family of languages, in time linear in the text: what is coloured was
written by whoever may, and a general highlighter's expressions can be made to run for minutes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from buddy_core.safety.text import Plain
from buddy_top.drawing.cells import Cell, Span

_TEXT = r"\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?"
_NUMBER = r"\b\d[\w.]*"
_WORD = r"[A-Za-z_]\w*"
_REST = r"\s+|."

_WORDS = {
    "hash": """
        and as assert async await break case class continue def del do done elif else end esac except export fi
        finally for from function global if import in is lambda local match module none not or pass raise require
        return self set then try while with yield true false True False None nil unless until
    """,
    "slash": """
        abstract as async await bool boolean break byte case catch char class const continue crate default defer
        delete do double else enum export extends extern false final finally float fn for from func function go if
        impl implements import in int interface let long loop match mod module mut namespace new nil null package
        private protected pub public range return self short static string struct super switch this throw throws
        trait true try type typeof undefined unsigned use using var void where while yield
    """,
    "sql": """
        select from where and or not insert into update delete create table index view drop alter add join left
        right inner outer on as group by order having limit offset union all distinct values set null is in like
        between primary key foreign references default unique case when then else end begin commit rollback
    """,
    "json": "true false null",
}
_COMMENT = {"hash": r"(?<![\w$])#.*", "slash": r"//.*|/\*.*?(?:\*/|$)", "sql": r"--.*", "json": r"(?!)"}
_FAMILIES = {
    "hash": "python py python3 sh bash shell zsh fish console yaml yml toml ruby rb perl r make makefile dockerfile ini conf",
    "slash": "javascript js jsx typescript ts tsx go rust rs java kotlin kt swift c h cpp c++ cc cs csharp scala php dart css scss",
    "sql": "sql sqlite psql",
    "json": "json jsonc json5",
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names.split()}
_LANGUAGE_WORDS = {family: frozenset(words.split()) for family, words in _WORDS.items()}
_SCANNERS = {
    family: re.compile(f"(?P<c>{comment})|(?P<t>{_TEXT})|(?P<n>{_NUMBER})|(?P<w>{_WORD})|(?P<o>{_REST})")
    for family, comment in _COMMENT.items()
}
_FENCES = ('"""', "'''")


def code_lines(lines: Sequence[Plain], language: str) -> list[Cell]:
    """The lines in the inks of their language; all in one where it is not known."""
    family = _FAMILY.get(language.lower())
    if family is None:
        return [(Span(line),) for line in lines]
    inside: str | None = None
    coloured: list[Cell] = []
    for line in lines:
        cell, inside = _line(line, family, inside)
        coloured.append(cell)
    return coloured


def _line(line: Plain, family: str, inside: str | None) -> tuple[Cell, str | None]:
    """One line, and what goes on below it: a comment (`*/`) or a text (a fence) that has not ended."""
    if inside is not None:
        end = line.find(inside)
        if end < 0:
            return (Span(line, "dim" if inside == "*/" else "ok"),), inside
        head, tail = line[: end + len(inside)], line[end + len(inside) :]
        rest, inside_now = _line(Plain(tail), family, None)
        return (Span(Plain(head), "dim" if inside == "*/" else "ok"), *rest), inside_now
    if family == "hash":
        fence = next((one for one in _FENCES if line.count(one) == 1), None)
        if fence is not None:
            head, _, tail = line.partition(fence)
            return (*_spans(head, family), Span(Plain(fence + tail), "ok")), fence
    opened = family == "slash" and line.rfind("/*") > line.rfind("*/")
    return _spans(line, family), "*/" if opened else None


def _spans(line: str, family: str) -> Cell:
    spans: list[Span] = []
    words = _LANGUAGE_WORDS[family]
    for found in _SCANNERS[family].finditer(line):
        ink = _ink(found.lastgroup or "o", found.group(), words, family)
        if spans and spans[-1].ink == ink:
            before, _ = spans[-1]
            spans[-1] = Span(Plain(before + found.group()), ink)
        else:
            spans.append(Span(Plain(found.group()), ink))
    if family == "json":
        return tuple(_with_names(spans))
    return tuple(spans)


def _ink(group: str, word: str, words: frozenset[str], family: str) -> str:
    if group == "w":
        return "accent" if (word.lower() if family == "sql" else word) in words else "value"
    return {"c": "dim", "t": "ok", "n": "info"}.get(group, "value")


def _with_names(spans: Sequence[Span]) -> list[Span]:
    """Of JSON: the texts before a colon are names."""
    return [
        Span(span.text, "label")
        if span.ink == "ok" and index + 1 < len(spans) and spans[index + 1].text.startswith(":")
        else span
        for index, span in enumerate(spans)
    ]
