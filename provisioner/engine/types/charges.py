"""What AWS charges for a resource: by the hour or month, or by use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from provisioner.engine.resource_graph.references import Ref

if TYPE_CHECKING:
    from provisioner.engine.types.resource_type import ResourceType

Doc = Mapping[str, Any]
# AWS's own month (AWS Pricing Calculator).
HOURS_PER_MONTH = 730


def today() -> date:
    """Return the current day in UTC, in which AWS's dates are meant."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class MonthlyCharge:
    """One charge: the key of its price in the price table, and the least and the most units in a month."""

    name: str
    price_key: str
    min_units: float
    max_units: float

    @classmethod
    def flat(cls, name: str, price_key: str, units: float) -> MonthlyCharge:
        """Return a charge of a constant number of units."""
        return cls(name, price_key, units, units)


@dataclass(frozen=True)
class PricedResources:
    """All resources of a stack, existing or planned, as the charges need them.

    `types` and `props` are keyed by logical id; `ids` maps ids in AWS to logical ids.
    """

    types: Mapping[str, ResourceType] = field(default_factory=dict)
    props: Mapping[str, Doc] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    # The day for which prices count, as some charges begin on a certain day.
    today: date = field(default_factory=lambda: today())  # noqa: PLW0108 - looked up when it is asked

    def properties_of(self, reference: Any) -> Doc:
        """Return the properties of the resource that a reference or id names; {} if the stack has none."""
        logical_id = reference.logical_id if isinstance(reference, Ref) else self.ids.get(str(reference), "")
        return self.props.get(logical_id, {})

    def of_type(self, type_name: str) -> Iterator[Doc]:
        """Return the properties of each resource of a type."""
        return (self.props[name] for name, resource_type in self.types.items() if str(resource_type) == type_name)


ChargesOf = Callable[[Doc, PricedResources], Iterator[MonthlyCharge]]


@dataclass(frozen=True)
class Pricing:
    """What AWS charges for a resource type: nothing, if neither field is set."""

    # Yields the charges by the hour or month, given a resource's properties and all resources of the stack.
    charges: ChargesOf | None = None
    # The charge by use, in words: nobody can know it in advance.
    by_use: str = ""

    @classmethod
    def hourly(cls, name: str, price_key: str, by_use: str = "") -> Pricing:
        """Return the pricing of a type with one charge by the hour for each resource."""
        return cls(_constant(MonthlyCharge.flat(name, price_key, HOURS_PER_MONTH)), by_use)

    @classmethod
    def monthly(cls, name: str, price_key: str, units: float = 1, by_use: str = "") -> Pricing:
        """Return the pricing of a type with one charge by the month for each resource."""
        return cls(_constant(MonthlyCharge.flat(name, price_key, units)), by_use)


def _constant(charge: MonthlyCharge) -> ChargesOf:
    """Return the charges of a resource that costs the same whatever its properties are."""
    return lambda _props, _resources: iter((charge,))


FREE = Pricing()
