"""The hosts that this process has reached: what tells a name that nobody knows from an outage."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

# In the order in which they were reached first.
_reached: dict[str, None] = {}
# So many of them are looked up: who answers for names may be away, and is waited for each time.
_LOOKED_UP = 2


def note_reached(host: str) -> None:
    """Remember that a connection to a host was made."""
    _reached.setdefault(host.lower())


def has_no_such_name(url: str) -> bool:
    """Whether no address is known for a URL's host, although there is for others.

    A host that was reached once is: it is the network, or who answers for names, that is away. So it is
    where no name that was reached is known any more.
    """
    host = (urlsplit(url).hostname or "").lower()
    return bool(host) and host not in _reached and (not _reached or any(_known()))


def _known() -> Iterator[bool]:
    for name in list(_reached)[:_LOOKED_UP]:
        with suppress(OSError):
            socket.getaddrinfo(name, None)
            yield True
