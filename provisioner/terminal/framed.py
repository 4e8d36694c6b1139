"""A command's own output between two marks, the second with its exit code.

Session Manager passes no exit code on (aws/session-manager-plugin#59), and writes lines of its own around
what the command writes: so the command is run between two marks that a shell in the container prints.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

# A record separator: nobody types it, so nothing that is typed is held back.
_SIGN = b"\x1e"


class Framed:
    """Tells the inside of a frame from its outside; `code` is known once the second mark has come."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.began = False
        self.code: int | None = None
        self._held = b""
        self._mark = re.compile(_SIGN + token.encode() + rb"(?::(\d+))?" + _SIGN)

    def around(self, command: Sequence[str]) -> str:
        """The command line that prints the marks around what `command` prints."""
        mark = rf"\036{self.token}"
        script = rf"printf '{mark}\036'; {shlex.join(command)}; printf '{mark}:%d\036' $?"
        return shlex.join(["/bin/sh", "-c", script])

    def take(self, chunk: bytes) -> Iterator[tuple[bool, bytes]]:
        """What came, in pieces that are inside or outside; what may be half a mark waits for the next."""
        left = self._held + chunk
        while found := self._mark.search(left):
            yield self._is_inside, left[: found.start()]
            left = left[found.end() :]
            if found[1]:
                self.code = int(found[1])
            self.began = True
        at = left.rfind(_SIGN)
        cut = at if at >= 0 and len(left) - at < len(self.token) + 8 else len(left)
        self._held = left[cut:]
        yield self._is_inside, left[:cut]

    @property
    def _is_inside(self) -> bool:
        return self.began and self.code is None
