"""Tables without borders, which fit the width of a terminal.

What people copy or type back, such as an address or a name, stays whole: where it is wider than its column, the row
goes on below. The tables of rich would wrap it within its column, or cut it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from provisioner.terminal.fitting import fit_line, shorten, visible_length

_GAP, _INDENT = 2, 4
Row = tuple[str, ...]


@dataclass(frozen=True)
class Narrowing:
    """What gives way in a table that is wider than the terminal, in this order, until it fits.

    Attributes:
        left_out: Columns that are left out.
        below: Columns that go below the row, each on a line of its own.
        shortened: Columns of ids, which lose their middle, with the least width of each.
        continued: Columns of values that stay whole, with the least width of each; a row goes on below a wider value.

    """

    left_out: Sequence[str] = ()
    below: Sequence[str] = ()
    shortened: Mapping[str, int] = field(default_factory=dict)
    continued: Mapping[str, int] = field(default_factory=dict)


NOTHING_NARROWED = Narrowing()


def table_lines(
    rows: Iterable[Sequence[str]],
    heading: Sequence[str],
    width: int | None = None,
    narrowing: Narrowing = NOTHING_NARROWED,
) -> list[str]:
    """Return the rows as lines with aligned columns, without borders; the heading comes first.

    Args:
        rows: The cells of each row.
        heading: The name of each column.
        width: The greatest width of a line; None for no limit.
        narrowing: What gives way if the table is wider.

    """
    table, limit = [tuple(heading), *map(tuple, rows)], width or sys.maxsize
    for name in narrowing.left_out:
        if not _fits(table, narrowing, limit):
            table, _ = _split_columns(table, [name])
    details: list[Row] = [()] * len(table)
    if narrowing.below and not _fits(table, narrowing, limit):
        table, (_, *below) = _split_columns(table, narrowing.below)
        details = [(), *below]
    widths = _column_widths(table, narrowing, limit)
    return [
        line
        for row, below in zip(table, details, strict=True)
        for line in _row_lines(_shorten_ids(row, table[0], widths, narrowing), widths, below, limit)
    ]


def _split_columns(table: Sequence[Row], names: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Return the table without the columns of these names, and a table of these columns."""
    is_named = [name in names for name in table[0]]
    others = [not named for named in is_named]
    return [tuple(compress(row, others)) for row in table], [tuple(compress(row, is_named)) for row in table]


def _fits(table: Sequence[Row], narrowing: Narrowing, limit: int) -> bool:
    """Return whether the columns fit side by side, as far as they may be narrowed."""
    return _line_width(_column_widths(table, narrowing, limit)) <= limit


def _line_width(widths: Sequence[int]) -> int:
    """Return the width of a line with columns of these widths."""
    return sum(widths) + _GAP * (len(widths) - 1)


def _column_widths(table: Sequence[Row], narrowing: Narrowing, limit: int) -> list[int]:
    """Return the widths of the columns: those of their widest cells, narrowed until a line has the width `limit`."""
    widths = [max(map(visible_length, cells)) for cells in zip(*table, strict=True)]
    for name, least in {**narrowing.shortened, **narrowing.continued}.items():
        if name in table[0]:
            at = table[0].index(name)
            excess = max(_line_width(widths) - limit, 0)
            widths[at] = max(widths[at] - excess, min(widths[at], least))
    return widths


def _shorten_ids(row: Row, heading: Row, widths: Sequence[int], narrowing: Narrowing) -> Row:
    """Return the row with each id as wide as its column at most."""
    cells = zip(row, heading, widths, strict=True)
    return tuple(shorten(cell, width) if name in narrowing.shortened else cell for cell, name, width in cells)


def _row_lines(row: Row, widths: Sequence[int], below: Row, limit: int) -> Iterator[str]:
    """Yield the lines of a row: its cells at the places of their columns, then the cells that go below it.

    A cell whose place is taken by the one before it is on the next line. One that is too wide for its place begins
    further left.
    """
    lines, place = [""], 0
    for cell, width in zip(row, widths, strict=True):
        start = place if place + visible_length(cell) <= limit else min(place, _INDENT)
        if cell and lines[-1] and visible_length(lines[-1]) + _GAP > start:
            lines.append("")
        if cell:
            lines[-1] += " " * (start - visible_length(lines[-1])) + cell
        place += width + _GAP
    for line in (*lines, *(" " * _INDENT + cell for cell in below if cell)):
        yield from fit_line(line, limit).split("\n")
