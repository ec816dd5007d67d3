"""Credentials that have no name beside them: `Bearer …`, `Basic …`, and the flags of well-known programs."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

from buddy_core.safety.redaction.looks import is_placeholder, looks_random

Span = tuple[int, int]

_BEARER = re.compile(r"(?i)\bbearer(?:[ \t]+|%20|\+)([A-Za-z0-9._~+/=\-]{8,}+)")
_BASIC = re.compile(r"(?i)\bbasic(?:[ \t]+|%20)([A-Za-z0-9+/_\-]{6,}+={0,2})")
_USER_FLAG = re.compile(
    r"""(?:(?<=\s)|(?<=^))(?:-u|--user|-U|--proxy-user)[ \t=]*(?:\\*["'])?([^\s:"'\\]{1,128}+)[:%]([^\s"'\\]{1,512}+)"""
)
_PASS_FLAG = re.compile(
    r"""\b(?:sshpass[ \t]+-p|mysql(?:dump|admin)?\b[^\n|;&]{0,200}?[ \t]-p(?=[^ \t\n])|redis-cli\b[^\n|;&]{0,200}?[ \t]-a[ \t]"""
    r"""|(?:docker|podman|helm|az|oc|npm)\b[^\n|;&]{0,60}?\blogin\b[^\n|;&]{0,200}?[ \t]-p[ \t]|(?:unzip|zip)\b[^\n|;&]{0,60}?[ \t]-P[ \t]"""
    r"""|7z\b[^\n|;&]{0,60}?[ \t]-p(?=[^ \t\n])|ldap[a-z]{3,8}\b[^\n|;&]{0,200}?[ \t]-w[ \t]|-pass(?:in|out)[ \t]+pass:"""
    r"""|(?:sqlplus|mongo(?:sh|dump)?|clickhouse-client)\b[^\n|;&]{0,200}?[ \t]-p[ \t])"""
    r"""[ \t]*(?:\\*["'])?([^\s"'\\]{2,512}+)"""
)
_IDENTIFIED = re.compile(
    r"""(?i)\b(?:identified[ \t]+(?:with[ \t]+\w+[ \t]+)?by|password)[ \t]+\\*'([^'\n\\]{1,512})"""
)
_NETRC = re.compile(r"(?i)\blogin[ \t]+\S{1,128}[ \t\n]+password[ \t]+(\S{1,512}+)")


def find_credentials(text: str, low: str) -> Iterator[Span]:
    """`low` is `text` in small letters."""
    if "bearer" in low:
        yield from (m.span(1) for m in _BEARER.finditer(text) if looks_random(m[1]) or len(m[1]) >= 20)
    if "basic" in low:
        yield from (m.span(1) for m in _BASIC.finditer(text) if _is_pair(m[1]))
    if " -" in text or text.startswith("-"):
        yield from (m.span(2) for m in _USER_FLAG.finditer(text) if not is_placeholder(m[2]))
        yield from (m.span(1) for m in _PASS_FLAG.finditer(text) if not is_placeholder(m[1]))
    if "password" in low or "identified" in low:
        yield from (m.span(1) for m in _IDENTIFIED.finditer(text) if not is_placeholder(m[1]))
        yield from (m.span(1) for m in _NETRC.finditer(text) if not is_placeholder(m[1]))


def _is_pair(encoded: str) -> bool:
    """True for base64 of printable text with a colon in it: a user and a password."""
    body = encoded.rstrip("=").replace("-", "+").replace("_", "/")[:4096]
    try:
        pair = b64decode(body + "=" * (-len(body) % 4)).decode()
    except ValueError:
        return False
    return ":" in pair and pair.isprintable()
