"""The table of owners: every member that AWS tells of a resource type is classed, no row is out of date."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from provisioner.engine.kind import Kind
from provisioner.engine.owners import BELOW, Members
from provisioner.kinds import KINDS

# Rows of what botocore's models do not name, on purpose: keys of attributes, items of a collection by their
# names, members of a document, and what a resource type reads from a deeper place.
BEYOND_MODELS = {
    "BucketPolicy": {"Policy.Id"},
    "Boundary": {"PolicyDocument.Id"},
    "EdgeKey": {"Policy.Id"},
    "Key": {"Policy.Id"},
    "Role": {"AssumeRolePolicyDocument.Id"},
    "RolePolicy": {"PolicyDocument.Id"},
    "TopicPolicy": {"Policy.Id"},
    "WebACL": {"Rules.ShieldMitigationRuleGroup_*"},
    "Service": {"serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"},
}
# Named by keys that the documentation of a model tells, and not its shapes.
ATTRIBUTES = {"LoadBalancerAttributes", "TargetGroupAttributes"}
# What a reply bears besides the resource.
OF_REPLIES = {"NextToken", "nextToken", "Marker", "NextMarker", "nextMarker", "ETag"}


@cache
def model_of(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


def told(table: Members) -> Iterator[Shape]:
    """The shapes in which AWS tells one resource."""
    for line in table.told:
        service, operation, *path = line.split()
        shape = model_of(service).operation_model(operation).output_shape
        yield at(unlisted(shape), path[0].split(".") if path else [])


def unlisted(shape: Shape | None) -> Shape:
    """A shape, without the lists and maps around it."""
    assert shape is not None
    while isinstance(shape, ListShape | MapShape):
        shape = shape.member if isinstance(shape, ListShape) else shape.value
    return shape


def at(shape: Shape, path: list[str]) -> Shape:
    """The shape below by the names of members."""
    for name in path:
        assert isinstance(shape, StructureShape)
        shape = unlisted(shape.members[name])
    return shape


def has(shape: Shape, path: list[str]) -> bool:
    try:
        at(shape, path)
    except (AssertionError, KeyError):
        return False
    return True


def members(table: Members, shape: Shape, above: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted path of each member, down to where the table speaks of all that is below."""
    elsewhere = {line.rpartition(".")[2] for line in table.told}
    for name, whole in shape.members.items() if isinstance(shape, StructureShape) else ():
        path, inner = f"{above}{name}", unlisted(whole)
        yield path
        if inner.name not in seen and path + BELOW not in table.classed and path not in elsewhere:
            yield from members(table, inner, f"{path}.", (*seen, inner.name))


def unclassed(kind: Kind) -> list[str]:
    table = kind.members
    paths = [path for shape in told(table) for path in members(table, shape)]
    return [path for path in paths if path not in OF_REPLIES and table.of(path) is None]


def out_of_date(kind: Kind) -> list[str]:
    shapes = list(told(kind.members))
    rows = {row.removesuffix(BELOW) for row in kind.members.classed if row != "**"}
    known = {row for row in rows if any(has(shape, row.split(".")) for shape in shapes)}
    return sorted(rows - known - BEYOND_MODELS.get(str(kind), set()))


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_every_member_is_classed(kind: Kind) -> None:
    assert kind.members.told, f"{kind} bears no table of owners"
    assert not unclassed(kind), f"{kind}: class these in provisioner/kinds/members/"


@pytest.mark.parametrize("kind", [one for one in KINDS.values() if str(one) not in ATTRIBUTES], ids=str)
def test_no_row_is_out_of_date(kind: Kind) -> None:
    assert not out_of_date(kind), f"{kind}: botocore knows no such members"
