"""Which slow tests run today: a seventh each day, so that a week runs all of them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True)
class DayShare:
    """The share number `number` (1 to `count`) of the slow tests."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> DayShare:
        """Return the share that is written as `NUMBER/COUNT`.

        Raises:
            ValueError: The text is no such share.

        """
        number, count = (int(part) for part in text.split("/"))
        if not 1 <= number <= count:
            raise ValueError(f"{text} is no share: write 1/7 to 7/7, for example")
        return cls(number, count)

    def includes(self, node_id: str) -> bool:
        """Return whether a test is in this share; each test is in exactly one of them."""
        return zlib.crc32(node_id.encode()) % self.count == self.number - 1
