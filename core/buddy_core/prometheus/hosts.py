"""Which names the server answers to.

A web page may point a name of its own at 127.0.0.1 and read, through its visitor's browser, what a server
there says. The browser tells that name in `Host`: so only names that mean this server are answered.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

ALWAYS = ("localhost", "127.0.0.1", "::1")
"""Names that can only mean this machine."""

_WILDCARDS = ("0.0.0.0", "::")
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[^:\[\]/@\s]+))(?::\d{0,5})?")


class HostNames:
    """The names of one server: the loopback names, what it is bound to, and those it was given.

    A server that listens on every address also answers to any address, because a page cannot make a browser
    believe that an address is its own name.
    """

    def __init__(self, bound: Iterable[str], names: Iterable[str] = ()) -> None:
        bound = tuple(bound)
        self._names = frozenset(map(_normal, (*ALWAYS, *bound, *names)))
        self._any_address = any(one in _WILDCARDS for one in bound)

    def include(self, header: str | None) -> bool:
        """True when a request with this `Host` header may be answered; without one, no browser sent it."""
        if header is None:
            return True
        found = _HOST.fullmatch(header)
        if found is None:
            return False
        name = _normal(found["six"] or found["name"])
        return name in self._names or (self._any_address and _is_address(name))


def _normal(name: str) -> str:
    name = name.strip().strip("[]").lower().rstrip(".")
    return str(ipaddress.ip_address(name)) if _is_address(name) else name


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
