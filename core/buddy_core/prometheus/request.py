"""The head of an HTTP/1 request: as much of it as a scraper needs, read strictly and within limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

LINE_LIMIT = 4 * 1024
"""Bytes of the request line."""

HEAD_LIMIT = 8 * 1024
"""Bytes of request line and headers together."""

_LINE = re.compile(r"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.([0-9])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; `headers` under lower-case names, repeated ones joined by commas."""

    method: str
    path: str
    """Without the query, and otherwise as it was sent: nothing is decoded or resolved."""
    headers: Mapping[str, str] = field(default_factory=dict)


def read_head(received: bytes | bytearray) -> Request | HTTPStatus | None:
    """The request, or the status that refuses it; None while more must come."""
    line_end = received.find(b"\n")
    if (line_end if line_end >= 0 else len(received)) > LINE_LIMIT:
        return HTTPStatus.REQUEST_URI_TOO_LONG
    end = _END.search(received)
    if (end.end() if end else len(received)) > HEAD_LIMIT:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if end is None:
        return None
    first, *rest = bytes(received[: end.start()]).decode("latin-1").split("\n")
    return _parse(first.removesuffix("\r"), [line.removesuffix("\r") for line in rest])


def _parse(first: str, lines: list[str]) -> Request | HTTPStatus:
    line = _LINE.fullmatch(first)
    headers = _headers(lines)
    if line is None or headers is None:
        return HTTPStatus.BAD_REQUEST
    method, target, minor = line.groups()
    hosts = headers.get("host", "").count(",") + ("host" in headers)
    # A browser always says which host it means; without that no page's tricks with names could be noticed.
    if hosts > 1 or (hosts == 0 and minor != "0") or not target.startswith("/"):
        return HTTPStatus.BAD_REQUEST
    return Request(method, target.partition("?")[0], headers)


def _headers(lines: list[str]) -> dict[str, str] | None:
    """Headers by lower-case name; None when a line is none."""
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER.fullmatch(line)
        if found is None:
            return None
        name, value = found[1].lower(), found[2]
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
