"""The positions of resources in a picture of the graph: a band for each step, a column for each level."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from graphlib import TopologicalSorter

from provisioner.engine.resource_graph.graph import Resource, Stack
from provisioner.terminal.graph import resources_by_step


@dataclass(frozen=True)
class Cell:
    """A position: the column counted from the left, the row from the top."""

    column: int
    row: int


@dataclass(frozen=True)
class Layout:
    """The position of each resource, and the first row and the height of each step's band."""

    cells: dict[str, Cell]
    bands: dict[str, tuple[int, int]]

    @property
    def columns(self) -> int:
        """The number of columns."""
        return max((cell.column for cell in self.cells.values()), default=0) + 1

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(height for _, height in self.bands.values())


def lay_out_graph(stack: Stack) -> Layout:
    """Return the positions of all resources; each is to the right of all resources that it depends on."""
    columns = _columns(stack)
    cells: dict[str, Cell] = {}
    bands: dict[str, tuple[int, int]] = {}
    first_row = 0
    for step, resources in resources_by_step(stack).items():
        used_rows: Counter[int] = Counter()
        for resource in resources:
            column = columns[resource.logical_id]
            cells[resource.logical_id] = Cell(column, first_row + used_rows[column])
            used_rows[column] += 1
        bands[step] = (first_row, max(used_rows.values()))
        first_row += bands[step][1]
    return Layout(cells, bands)


def _in_dependency_order(stack: Stack) -> list[Resource]:
    """Return the resources sorted so that each comes after the resources that it depends on."""
    order = TopologicalSorter({resource.logical_id: resource.depends_on for resource in stack}).static_order()
    return [stack.resources[name] for name in order]


def _columns(stack: Stack) -> dict[str, int]:
    """Return the column of each resource: the length of the longest path that leads to it."""
    columns: dict[str, int] = {}
    for resource in _in_dependency_order(stack):
        columns[resource.logical_id] = max((columns[name] + 1 for name in resource.depends_on), default=0)
    return columns


def implied_edges(stack: Stack) -> set[tuple[str, str]]:
    """Return the edges that follow from other edges, as pairs of logical ids.

    An edge from A to B follows from others if a longer path leads from A to B too.
    """
    ancestors: dict[str, set[str]] = {}
    for resource in _in_dependency_order(stack):
        farther = (ancestors[name] for name in resource.depends_on)
        ancestors[resource.logical_id] = set(resource.depends_on).union(*farther)
    return {
        (name, resource.logical_id)
        for resource in stack
        for name in resource.depends_on
        if any(name in ancestors[other] for other in resource.depends_on)
    }
