"""The output of a command in a container, between two marks; the second mark holds the exit code.

Session Manager does not pass on the exit code (aws/session-manager-plugin#59), and writes lines of its own
around the output. So a shell in the container prints one mark before the command and one after it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

# The record separator. Nobody types it, so that the echo of typed text is never held back.
_SEPARATOR = b"\x1e"
# The characters of a mark besides its token: two separators, a colon, and an exit code, with some to spare.
_MAX_MARK_REST = 8


class OutputFrame:
    """A parser that separates the output of a command from the output of Session Manager.

    `token` is the text in the marks. `has_begun` tells whether the first mark has come; `exit_code` is None until
    the second mark has come.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.has_begun = False
        self.exit_code: int | None = None
        self._undecided = b""
        self._mark = re.compile(_SEPARATOR + token.encode() + rb"(?::(\d+))?" + _SEPARATOR)

    def wrap_command(self, command: Sequence[str]) -> str:
        """Return the command line that runs `command` and prints a mark before and after its output."""
        mark = rf"\036{self.token}"
        script = rf"printf '{mark}\036'; {shlex.join(command)}; printf '{mark}:%d\036' $?"
        return shlex.join(["/bin/sh", "-c", script])

    def split(self, chunk: bytes) -> Iterator[tuple[bool, bytes]]:
        """Split the next output into parts; yield whether a part is the command's own output, and its bytes.

        Bytes at the end that may be the beginning of a mark are held back until the next call.
        """
        remaining = self._undecided + chunk
        while match := self._mark.search(remaining):
            yield self._is_inside, remaining[: match.start()]
            remaining = remaining[match.end() :]
            if match[1]:
                self.exit_code = int(match[1])
            self.has_begun = True
        separator, end = remaining.rfind(_SEPARATOR), len(remaining)
        if separator >= 0 and end - separator < len(self.token) + _MAX_MARK_REST:
            end = separator
        self._undecided = remaining[end:]
        yield self._is_inside, remaining[:end]

    @property
    def _is_inside(self) -> bool:
        """Whether the first mark has come and the second has not."""
        return self.has_begun and self.exit_code is None
