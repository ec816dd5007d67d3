"""Credentials that have no name beside them: `Bearer …`, `Basic …`, and the flags of well-known programs."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from functools import cache

from buddy_core.safety.redaction.looks import is_placeholder, looks_random

Span = tuple[int, int]

_BEARER = re.compile(r"bearer(?:[ \t]{1,8}|%20|\+)([a-z0-9._~+/=\-]{8,}+)")
_BASIC = re.compile(r"basic(?:[ \t]{1,8}|%20)([a-z0-9+/_\-]{6,}+={0,2})")
_NETRC = re.compile(r"login[ \t]{1,8}\S{1,128}+\s{1,64}password[ \t]{1,8}(\S{1,512}+)")
_USER = re.compile(
    r"""(?:-u|--user|--proxy-user)(?<![a-z0-9]-u)(?:[ \t=]{1,8}|(?=[^\s-]))(?:\\*["'])?[^\s:"'\\]{1,128}+[:%]([^\s"'\\]{1,512}+)"""
)
_IN_SQL = r"""[ \t]{1,8}\\*'([^'\n\\]{1,512}+)"""
_BEHIND = r"""(?:\\*["'])?([^\s"'\\]{2,512}+)"""
_ARGUMENTS = r"[^\n|;&]{0,200}?[ \t]"
COMMANDS = {
    "sshpass": (" -p", rf"sshpass[ \t]{{1,8}}-p[ \t]{{0,8}}{_BEHIND}"),
    "mysql": (" -p", rf"mysql(?:dump|admin|sh)?{_ARGUMENTS}-p(?=[^ \t\n]){_BEHIND}"),
    "redis-cli": (" -a", rf"redis-cli{_ARGUMENTS}-a[ \t]{{1,8}}{_BEHIND}"),
    " login ": (" -p", rf" login{_ARGUMENTS}-p[ \t]{{1,8}}{_BEHIND}"),
    "zip ": (" -p", rf"zip{_ARGUMENTS}-p[ \t]{{0,8}}{_BEHIND}"),
    "7z ": (" -p", rf"7z{_ARGUMENTS}-p(?=[^ \t\n]){_BEHIND}"),
    "ldap": (" -w", rf"ldap[a-z]{{3,8}}{_ARGUMENTS}-w[ \t]{{1,8}}{_BEHIND}"),
    "-passin": ("", rf"-passin[ \t]{{1,8}}pass:{_BEHIND}"),
    "-passout": ("", rf"-passout[ \t]{{1,8}}pass:{_BEHIND}"),
    "mongo": (" -p", rf"mongo(?:sh|dump|restore|export|import)?{_ARGUMENTS}-p[ \t]{{1,8}}{_BEHIND}"),
    "identified": ("", rf"identified[ \t]{{1,8}}(?:with[ \t]{{1,8}}\w{{1,40}}[ \t]{{1,8}})?by{_IN_SQL}"),
    "password '": ("", rf"password{_IN_SQL}"),
    "auth": (
        "(",
        r"""auth[ \t]{0,4}=[ \t]{0,4}\([^()\n"']{0,40}["'][^"'\n]{1,128}["'],[ \t]{0,4}["']([^"'\n]{1,512}+)""",
    ),
    "env ": (
        "",
        r"env[ \t]{1,8}[a-z0-9_]{0,40}(?:password|secret|token|_key)[ \t]{1,8}([^\s=]{1,512}+)(?=[\n\r]|\Z)",
    ),
    "-u": ("", _USER.pattern),
    "-user": ("", _USER.pattern),
}
"""A word that stands in the command, the flag it takes, and where the password is; all in small letters."""


def find_credentials(text: str, low: str) -> Iterator[Span]:
    """`low` is `text` in small letters."""
    if "bearer" in low:
        yield from (m.span(1) for m in _BEARER.finditer(low) if looks_random(m[1]) or len(m[1]) >= 20)
    if "basic" in low:
        yield from (m.span(1) for m in _BASIC.finditer(low) if _is_pair(text[m.start(1) : m.end(1)]))
    if "login" in low and "password" in low:
        yield from (m.span(1) for m in _NETRC.finditer(low) if not is_placeholder(m[1]))
    for hint in [hint for hint, (flag, _) in COMMANDS.items() if hint in low and flag in low]:
        yield from (m.span(1) for m in _command(hint).finditer(low) if not is_placeholder(m[1]))


@cache
def _command(hint: str) -> re.Pattern[str]:
    return re.compile(COMMANDS[hint][1])


def _is_pair(encoded: str) -> bool:
    """True for base64 of printable text with a colon in it: a user and a password."""
    try:
        pair = urlsafe_b64decode(
            encoded[:4096] + "=="
        ).decode()  # of either alphabet, with signs at its end or without
    except ValueError:
        return False
    return ":" in pair and pair.isprintable()
