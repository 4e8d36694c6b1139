"""A kind that is no AWS service, for tests of the engine."""

from __future__ import annotations

from typing import Any, Self, TypeVar, cast

from provisioner.engine.calls.clients import Client
from provisioner.engine.resource_graph.graph import Edge, Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.field_ownership import FieldOwner
from provisioner.engine.types.resource_type import ResourceType
from provisioner.names import tags_of
from state.stack_state import Intent, Phase, ResourceState

Service = TypeVar("Service", bound=Client)
SUFFIX = "prod"
OURS = tags_of(SUFFIX, "us-east-1", "thing", "ml-api-thing-prod", {})


class Thing(ResourceType):
    """Has a colour that can change, a shape that cannot, and a state."""

    service, id_paths = "things", "Id"
    immutable = frozenset({"Shape"})
    field_owners = {"Count": FieldOwner("the crowd")}  # noqa: RUF012 - as kinds declare it
    write_only = frozenset({"Ending"})
    defaults = {"Colour": "grey"}  # noqa: RUF012 - as kinds declare it
    ready, failed = {"State": "up"}, {"State": "broken"}
    deleting, deleted = {"State": "leaving"}, {"State": "left"}

    def read(self, *_: Any) -> JsonObject | None:
        raise AssertionError("tests of decisions make no call")

    create = update = delete = read  # type: ignore[assignment]


class Part(Thing):
    """Goes with something else, and bears no tags."""

    tagged = False


class Treasure(Thing):
    """Cannot be made again without a loss."""

    holds_data = True


class Hidden(Thing):
    """What differs in its shape is refused, with what to do instead."""

    change_remedies = {"Shape": "buy a second one"}  # noqa: RUF012 - as kinds declare it


class Ageing(Thing):
    """Its colour grows darker, and never lighter."""

    irreversible = {"Colour": lambda seen, wanted: "it is darker" if seen > wanted else ""}  # noqa: RUF012 - so too


class Recalled(Thing):
    """A person can set its end going, and call it back."""

    suspended = {"State": "left"}  # noqa: RUF012 - as kinds declare it
    resume_hint = "recall {Id}"


class Known(Thing):
    """Its name is its id: whoever makes another one gives it the same."""

    name_property = "Id"


class Guest(Thing):
    """AWS may have made it before us."""

    adopts_untagged = True


class Phoenix(Thing):
    """Only a new one helps where one failed."""

    on_failure = "replace"


class Patient(Thing):
    """A change heals one that failed."""

    on_failure = "update"


def as_client(service: type[Service], double: object) -> Service:
    """Return a double as the client of a service, which it stands for in the calls that a test makes."""
    return cast("Service", double)


class WholeLists:
    """A base of a client's double whose lists are short: it answers the same, however much of a list is asked for."""

    @property
    def one_page(self) -> Self:
        """Itself."""
        return self

    def up_to(self, _max_items: int) -> Self:
        """Return itself."""
        return self


def node(resource_type: type[ResourceType] = Thing, edges: tuple[Edge, ...] = (), **props: Any) -> Resource:
    """A declared thing."""
    tags = OURS if resource_type.tagged else {}
    return Resource(resource_type(), "thing", "ml-api-thing-prod", "piece", props, tags, edges)


def seen(state: str = "up", tags: Any = None, **fields: Any) -> JsonObject:
    """What AWS says of a thing: ours, unless it bears other tags."""
    return {"Id": "t-1", "State": state, "Tags": OURS if tags is None else tags, **fields}


def entry(id_: str = "t-1", phase: Phase = "ready", intent: str = "", **confirmed: Any) -> ResourceState:
    """What the ledger knows of a thing."""
    made = Intent(intent, "token", 0.0) if intent else None
    return ResourceState("Thing", "ml-api-thing-prod", "piece", "", phase, id_, confirmed, confirmed, [], made)
