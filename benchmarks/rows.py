"""One row of the table: what was measured, what is wanted, and whether that is met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """What was measured beside what is wanted; `beside` is told, and not held against anything."""

    what: str
    measured: str
    wanted: str
    is_met: bool
    beside: str = ""


def at_most(what: str, values: Sequence[float], limit: float, unit: str = "s", beside: str = "") -> Row:
    """The median of the values, which may be as much as the limit."""
    middle = median(values)
    digits = 2 if unit == "s" else 0
    told = f"{middle:.{digits}f} {unit}".rstrip()
    if len(values) > 1:
        told += f" ({min(values):.{digits}f} to {max(values):.{digits}f})"
    return Row(what, told, f"at most {limit:.{digits}f} {unit}".rstrip(), middle <= limit, beside)
