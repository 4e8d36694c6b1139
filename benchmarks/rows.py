"""One row of the table of benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Row:
    """A measured value and its limit; `beside` is further information that is not compared with anything."""

    what: str
    measured: str
    wanted: str
    is_met: bool
    beside: str = ""


def at_most(what: str, values: Sequence[float], limit: float, unit: str = "s", beside: str = "") -> Row:
    """Return the row of the median of these values, which may be at most the limit."""
    middle = median(values)
    digits = 2 if unit == "s" else 0
    told = f"{middle:.{digits}f} {unit}".rstrip()
    if len(values) > 1:
        told += f" ({min(values):.{digits}f} to {max(values):.{digits}f})"
    return Row(what, told, f"at most {limit:.{digits}f} {unit}".rstrip(), middle <= limit, beside)
