"""The output of a command in a container, between two marks; the second mark holds the exit code.

Session Manager does not pass on the exit code (aws/session-manager-plugin#59), and writes lines of its own
around the output. So a shell in the container prints one mark before the command and one after it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

# The record separator. Nobody types it, so that the echo of typed text is never held back.
_SIGN = b"\x1e"


class OutputFrame:
    """A parser that separates the output of a command from the output of Session Manager.

    `token` is the text in the marks. `began` tells whether the first mark has come, and `code` is the exit
    code once the second mark has come.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.began = False
        self.code: int | None = None
        self._held = b""
        self._mark = re.compile(_SIGN + token.encode() + rb"(?::(\d+))?" + _SIGN)

    def around(self, command: Sequence[str]) -> str:
        """Return the command line that runs `command` and prints a mark before and after its output."""
        mark = rf"\036{self.token}"
        script = rf"printf '{mark}\036'; {shlex.join(command)}; printf '{mark}:%d\036' $?"
        return shlex.join(["/bin/sh", "-c", script])

    def take(self, chunk: bytes) -> Iterator[tuple[bool, bytes]]:
        """Split the next output into parts; yield whether a part is the command's own output, and its bytes.

        Bytes at the end that may be the beginning of a mark are held back until the next call.
        """
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
        """Whether the first mark has come and the second has not."""
        return self.began and self.code is None
