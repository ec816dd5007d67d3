"""The socket that waits for scrapers, and the words for why there cannot be one."""

from __future__ import annotations

import errno
import os
import socket

from buddy_core.errors import PortUnavailable

BACKLOG = 128
"""Connections the kernel holds until they are accepted."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that does not block; port 0 takes any that is free. Raises `PortUnavailable`."""
    if not host.strip():
        raise PortUnavailable("no host to listen on: name one, or 0.0.0.0 for every address of this machine")
    if not 0 <= port <= 65_535:
        raise PortUnavailable(f"there is no port {port}: choose one from 1 to 65535, or 0 for any")
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # “localhost” is often both, and most scrapers are told 127.0.0.1.
        family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        return _bound(socket.socket(family, kind, protocol), address)
    except (OSError, UnicodeError) as error:
        raise PortUnavailable(_reason(error, host, port)) from error


def _bound(listener: socket.socket, address: tuple[object, ...]) -> socket.socket:
    try:
        if os.name == "posix":  # elsewhere this option lets two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _reason(error: OSError | UnicodeError, host: str, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: choose another, or stop what listens there"
    if number == errno.EACCES:
        return f"port {port} on {host} is not for this user: choose one from 1024 up"
    if number == errno.EADDRNOTAVAIL or isinstance(error, (socket.gaierror, UnicodeError)):
        return f"{host} is no address of this machine: listen on 127.0.0.1, or on 0.0.0.0 for all of them"
    return f"cannot listen on port {port} of {host}: {getattr(error, 'strerror', None) or error}"
