"""The resources that a run reads, known from the states, so that one call can read several together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from state.stack_state import StackState

Doc = dict[str, Any]


@dataclass(frozen=True)
class BatchResource:
    """One resource to read; `recorded` holds the recorded properties if it was ready, else None."""

    type_name: str
    name: str
    id: str
    region: str
    recorded: Doc | None


@dataclass(frozen=True)
class BatchScope:
    """All resources of the stacks that are read, and the suffixes of those stacks."""

    resources: tuple[BatchResource, ...] = ()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, *states: StackState) -> BatchScope:
        """Return the resources of these states whose ids are known."""
        return cls(tuple(_batch_resources(states)), tuple(sorted(state.suffix for state in states)))

    @classmethod
    def of_deleted(cls, state: StackState) -> BatchScope:
        """Return the deleted resources of which the state has tombstones."""
        region = state.location.region
        return cls(
            tuple(
                BatchResource(
                    tombstone.type_name, tombstone.aws_name, tombstone.id, tombstone.region or region, recorded=None
                )
                for tombstone in state.tombstones
            )
        )

    def in_region(self, region: str) -> BatchScope:
        """Return the resources of one region."""
        return BatchScope(tuple(resource for resource in self.resources if resource.region == region), self.suffixes)

    def get(self, id_: str) -> BatchResource | None:
        """Return the resource of this id, or None."""
        return next((resource for resource in self.resources if resource.id == id_), None)

    def suffix_batch(self, own: str, *, most: int) -> list[str]:
        """Return the suffix `own` and those that one call may read with it, at most `most`.

        The list is the same for each suffix in it.
        """
        return _batch_with(self.suffixes, own, most)

    def batch(
        self, own: str, *type_names: str, by: Literal["id", "name"] = "id", most: int, among: str = ""
    ) -> list[str]:
        """Return `own` and the ids or names that one call may read with it, at most `most`.

        The list is the same for each resource in it, so each of them makes the same call and the answer is
        shared.

        Args:
            own: The id or name of the resource that is read.
            type_names: The names of the resource types that the call can read.
            by: Whether the call takes ids or names.
            most: How many resources one call takes.
            among: A text that the ids must contain.

        """
        ids = ((getattr(resource, by), resource.id) for resource in self.resources if resource.type_name in type_names)
        values = sorted({value for value, id_ in ids if value and among in id_})
        return _batch_with(values, own, most)


def _batch_with(values: Sequence[str], own: str, most: int) -> list[str]:
    if own not in values:
        return [own]
    # The list is cut into batches of `most` from its beginning; all members of a batch get the same batch.
    start = values.index(own) // most * most
    return list(values[start : start + most])


def _batch_resources(states: Sequence[StackState]) -> Iterator[BatchResource]:
    for state in states:
        for resource_state in state.resources.values():
            if resource_state.id:
                recorded = resource_state.recorded if resource_state.phase == "ready" else None
                region = resource_state.region or state.location.region
                yield BatchResource(
                    resource_state.type_name, resource_state.aws_name, resource_state.id, region, recorded
                )
