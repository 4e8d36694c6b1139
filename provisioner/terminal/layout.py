"""Where each node of a graph stands in a picture: a band a piece, a column a step of the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from graphlib import TopologicalSorter

from provisioner.engine.graph import Node, Stack
from provisioner.terminal.graph import by_piece


@dataclass(frozen=True)
class Spot:
    """A place, counted in columns from the left and in rows from the top."""

    column: int
    row: int


@dataclass(frozen=True)
class Layout:
    """The place of each node, and of each band its first row and how many it has."""

    spots: dict[str, Spot]
    bands: dict[str, tuple[int, int]]

    @property
    def columns(self) -> int:
        """How many there are."""
        return max((spot.column for spot in self.spots.values()), default=0) + 1

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(height for _, height in self.bands.values())


def lay_out(stack: Stack) -> Layout:
    """Each node right of all that it comes after, so that every edge leads to the right."""
    columns = _columns(stack)
    spots: dict[str, Spot] = {}
    bands: dict[str, tuple[int, int]] = {}
    top = 0
    for piece, nodes in by_piece(stack).items():
        filled: Counter[int] = Counter()
        for node in nodes:
            column = columns[node.name]
            spots[node.name] = Spot(column, top + filled[column])
            filled[column] += 1
        bands[piece] = (top, max(filled.values()))
        top += bands[piece][1]
    return Layout(spots, bands)


def _in_order(stack: Stack) -> list[Node]:
    """Each node after all that it needs."""
    order = TopologicalSorter({node.name: node.needs for node in stack}).static_order()
    return [stack.nodes[name] for name in order]


def _columns(stack: Stack) -> dict[str, int]:
    """How many steps lie before each node at the most."""
    columns: dict[str, int] = {}
    for node in _in_order(stack):
        columns[node.name] = max((columns[name] + 1 for name in node.needs), default=0)
    return columns


def implied(stack: Stack) -> set[tuple[str, str]]:
    """The edges that others imply: the one end comes after the other by a longer way too."""
    before: dict[str, set[str]] = {}
    for node in _in_order(stack):
        before[node.name] = set(node.needs).union(*(before[name] for name in node.needs))
    return {
        (name, node.name)
        for node in stack
        for name in node.needs
        if any(name in before[other] for other in node.needs)
    }
