"""The plan of a teardown: which resources are deleted, in which order, and what is lost with them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter

from provisioner.engine.critical import End, ends, inverted
from provisioner.engine.plan import Plan, ResourceTypes
from provisioner.engine.refs import JsonObject, redact
from state.stack_state import StackState


@dataclass(frozen=True)
class Going:
    """One resource that a teardown deletes, and what is lost with it, in words."""

    node: str
    piece: str
    kind: str
    name: str
    id: str
    region: str
    loses: str = ""
    # Why it is retained; "" where it is deleted.
    stays: str = ""


@dataclass(frozen=True)
class Ending:
    """A teardown in waves: the resources of one wave wait for resources of the wave before."""

    waves: tuple[tuple[Going, ...], ...]
    # The stages that each stage of a deletion waits for.
    order: Mapping[End, Collection[End]]
    # All resources that are deleted, in the order of their declaration.
    in_order: tuple[Going, ...] = ()

    @property
    def going(self) -> list[Going]:
        """All resources that are deleted, the first to go first."""
        return [one for wave in self.waves for one in wave]


def foresee(made: Plan, state: StackState, names: Collection[str], resource_types: ResourceTypes) -> Ending:
    """Plan the deletion of the named resources, from the state and the plan's reads; make no call."""
    needs = {name: [one for one in _needs(made, state, name) if one in names] for name in names}
    kind_of = {name: _kind(made, state, name) for name in names}

    def beside(name: str, other: str) -> bool:
        return kind_of[other] in resource_types[kind_of[name]].deleted_alongside

    going = {name: _going(made, state, name, resource_types) for name in names}
    waves = tuple(tuple(going[name] for name in wave) for wave in _waves(inverted(needs)))
    return Ending(waves, ends(needs, beside), tuple(going.values()))


def _waves(order: Mapping[str, Collection[str]]) -> Iterator[list[str]]:
    sorter: TopologicalSorter[str] = TopologicalSorter(order)
    sorter.prepare()
    while sorter.is_active():
        wave = sorter.get_ready()
        place = {name: at for at, name in enumerate(order)}
        yield sorted(wave, key=place.__getitem__)
        sorter.done(*wave)


def _kind(made: Plan, state: StackState, name: str) -> str:
    resource_state = state.resources.get(name)
    return resource_state.type_name if resource_state else str(made.stack.resources[name].type)


def _needs(made: Plan, state: StackState, name: str) -> list[str]:
    resource_state = state.resources.get(name)
    return resource_state.depends_on if resource_state else made.stack.resources[name].depends_on


def _going(made: Plan, state: StackState, name: str, resource_types: ResourceTypes) -> Going:
    # From the entry in the state where there is one, else from what the plan found.
    resource_state, resource = state.resources.get(name), made.stack.resources.get(name)
    declared: JsonObject = resource.props if resource else {}
    if resource_state:
        resource_type = resource_types[resource_state.type_name]
        props = redact({**resource_state.desired, **resource_type.delete_options(resource_state.desired, declared)})
        one = Going(
            name,
            resource_state.step,
            resource_state.type_name,
            resource_state.aws_name,
            resource_state.id,
            resource_state.region,
        )
    else:
        change, resource_type, props = made.changes[name], made.stack.resources[name].type, redact(declared)
        region = made.stack.resources[name].region
        one = Going(name, change.piece, change.kind, change.name, change.id, region)
    return replace(one, loses=resource_type.data_loss(props), stays=resource_type.declared_retention_reason(props))
