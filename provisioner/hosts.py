"""The hosts that this process has reached: they distinguish an unknown name from a network outage."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

# In the order of their first connection.
_reached: dict[str, None] = {}
# How many of them are looked up: each lookup waits for its timeout if the name server is away.
_LOOKED_UP = 2


def note_reached(host: str) -> None:
    """Remember that a connection to a host was made."""
    _reached.setdefault(host.lower())


def has_no_such_name(url: str) -> bool:
    """Return whether a URL's host has no address although other hosts have one.

    A host that was reached once has a name: if it fails now, the network or the name server is away. The same
    holds if none of the names that were reached can be looked up any more.
    """
    host = (urlsplit(url).hostname or "").lower()
    return bool(host) and host not in _reached and (not _reached or any(_known()))


def _known() -> Iterator[bool]:
    """Yield True for each of the first hosts reached whose name can be looked up now."""
    for name in list(_reached)[:_LOOKED_UP]:
        with suppress(OSError):
            socket.getaddrinfo(name, None)
            yield True
