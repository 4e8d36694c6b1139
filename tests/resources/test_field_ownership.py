"""The table of owners: every member that AWS tells of a resource type is classed, no row is out of date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from provisioner.engine.types.field_ownership import BELOW, FieldOwnership
from provisioner.engine.types.resource_type import ResourceType
from provisioner.engine.types.unmanaged import additions
from provisioner.resources import RESOURCE_TYPES

# Rows of what botocore's models do not name, on purpose: keys of attributes, items of a collection by their
# names, members of a document, and what a resource type reads from a deeper place.
BEYOND_MODELS = {
    "BucketPolicy": {"Policy.Id", "Policy.Statement.AWSLogDelivery*"},
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


def told(table: FieldOwnership) -> Iterator[Shape]:
    """The shapes in which AWS tells one resource."""
    for line in table.shapes:
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


def members(table: FieldOwnership, shape: Shape, above: str = "", seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted path of each member, down to where the table speaks of all that is below."""
    elsewhere = {line.rpartition(".")[2] for line in table.shapes}
    for name, whole in shape.members.items() if isinstance(shape, StructureShape) else ():
        path, inner = f"{above}{name}", unlisted(whole)
        yield path
        if inner.name not in seen and path + BELOW not in table.classified and path not in elsewhere:
            yield from members(table, inner, f"{path}.", (*seen, inner.name))


def unclassed(resource_type: ResourceType) -> list[str]:
    table = resource_type.ownership
    paths = [path for shape in told(table) for path in members(table, shape)]
    return [path for path in paths if path not in OF_REPLIES and table.class_of(path) is None]


def out_of_date(resource_type: ResourceType) -> list[str]:
    shapes = list(told(resource_type.ownership))
    rows = {row.removesuffix(BELOW) for row in resource_type.ownership.classified if row != "**"}
    known = {row for row in rows if any(has(shape, row.split(".")) for shape in shapes)}
    return sorted(rows - known - BEYOND_MODELS.get(str(resource_type), set()))


@pytest.mark.parametrize("kind", RESOURCE_TYPES.values(), ids=str)
def test_every_member_is_classed(kind: ResourceType) -> None:
    assert kind.ownership.shapes, f"{kind} bears no table of owners"
    assert not unclassed(kind), f"{kind}: class these in provisioner/resources/field_owners/"


@pytest.mark.parametrize("kind", [one for one in RESOURCE_TYPES.values() if str(one) not in ATTRIBUTES], ids=str)
def test_no_row_is_out_of_date(kind: ResourceType) -> None:
    assert not out_of_date(kind), f"{kind}: botocore knows no such members"


def some(table: FieldOwnership, path: str, shape: Shape, depth: int = 0) -> Any:
    """A value that stands at a path, and that is no default there."""
    match shape:
        case ListShape():
            return [some(table, path, shape.member, depth)]
        case MapShape():
            return {"theirs": some(table, f"{path}.theirs", shape.value, depth)}
        case StructureShape():
            inner = shape.members.items() if depth < 4 else ()
            return {name: some(table, f"{path}.{name}", one, depth + 1) for name, one in inner}
    plain = {"boolean": True, "integer": 7, "long": 7, "double": 7.0, "float": 7.0}
    value = plain.get(shape.type_name, "theirs")
    return not value if shape.type_name == "boolean" and table.default(path) is True else value


# Read as the create call takes it: a boundary by its ARN alone.
BROUGHT_TO_ANOTHER_FORM = {("Role", "PermissionsBoundary")}


@pytest.mark.parametrize("kind", RESOURCE_TYPES.values(), ids=str)
def test_each_member_of_ours_that_nobody_stated_is_an_addition_and_no_other(kind: ResourceType) -> None:
    table = kind.ownership
    for shape in told(table):
        for name, inner in shape.members.items() if isinstance(shape, StructureShape) else ():
            if (str(kind), name) in BROUGHT_TO_ANOTHER_FORM:
                continue
            expected = table.is_ours(name) or table.has_ours_below(name)
            doc = {name: some(table, name, inner)}
            found = [path for path, _, _ in additions(table, doc, {})]
            assert bool(found) is expected, name
            assert all(path == name or path.startswith(f"{name}.") for path in found)


# Attributes that decide neither who gets in nor where a request goes.
LEFT_ALONE = {
    "LoadBalancerAttributes": [
        "access_logs.s3.bucket",
        "access_logs.s3.enabled",
        "access_logs.s3.prefix",
        "client_keep_alive.seconds",
        "connection_logs.s3.bucket",
        "connection_logs.s3.enabled",
        "connection_logs.s3.prefix",
        "deletion_protection.enabled",
        "health_check_logs.s3.bucket",
        "health_check_logs.s3.enabled",
        "health_check_logs.s3.prefix",
        "idle_timeout.timeout_seconds",
        "ipv6.deny_all_igw_traffic",
        "load_balancing.cross_zone.enabled",
        "zonal_shift.config.enabled",
    ],
    "TargetGroupAttributes": [
        "deregistration_delay.timeout_seconds",
        "lambda.multi_value_headers.enabled",
        "slow_start.duration_seconds",
        "stickiness.app_cookie.cookie_name",
        "stickiness.app_cookie.duration_seconds",
        "stickiness.lb_cookie.duration_seconds",
        "stickiness.type",
    ],
}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("LoadBalancerAttributes", "LoadBalancerAttribute"),
        ("TargetGroupAttributes", "TargetGroupAttribute"),
    ],
)
def test_every_attribute_that_botocore_documents_for_our_type_is_classed(name: str, shape: str) -> None:
    """Keys are told by the documentation alone; those of other types of balancers are left out of it."""
    text = model_of("elbv2").shape_for(shape).members["Key"].documentation
    parts = re.split(r"<p>The following attribute", text)
    ours = [one for one in parts if not re.match(r"[^<]*(only by|by only) (Network|Gateway)", one)]
    found = {key for one in ours for key in re.findall(r"<li> ?<p> ?<code>([a-z0-9_.]+)</code>", one)}
    keys = {key for key in found if "." in key}
    table = RESOURCE_TYPES[name].ownership
    assert len(keys) > 10, "the documentation is written otherwise: read its keys again"
    unknown = {key for key in keys if table.default(f"Attributes.{key}") is None} - set(LEFT_ALONE[name])
    assert unknown == set(), "class these in provisioner/resources/field_owners/elbv2.py, or leave them alone here"
