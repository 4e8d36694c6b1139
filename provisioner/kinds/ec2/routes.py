"""Route tables, their routes, and their associations with subnets."""

from __future__ import annotations

from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes
from provisioner.kinds.ec2.tagged import Ec2, Filters, of_stack, where
from provisioner.kinds.ec2.vpc import NO_SUBNET
from provisioner.kinds.members.ec2 import ASSOCIATION, ROUTE, ROUTE_TABLE
from provisioner.kinds.tags import mapping
from provisioner.names import bears

NO_TABLE = codes("InvalidRouteTableID.NotFound", "InvalidRouteTableId.NotFound")


class RouteTable(Ec2):
    """A route table. Its routes and associations are resources of their own."""

    members = ROUTE_TABLE
    noun, resource, key, id_filter = "routes", "route-table", "RouteTableId", "route-table-id"
    distinct = ("VpcId",)
    owns_inside = True
    absent = NO_TABLE
    transient = {"delete": codes("DependencyViolation")}
    calls = calling(
        remove="DeleteRoute",
        read="DescribeRouteTables",
        create="CreateRouteTable",
        delete="DeleteRouteTable",
        holders="DescribeRouteTables DescribeSubnets",
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the tables that pass the filters (DescribeRouteTables)."""
        return list(ec2.describe_route_tables(Filters=filters)["RouteTables"])

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the table with a client token of ours: the SDK's would differ on every attempt."""
        made = ec2.create_route_table(**spec.props, ClientToken=spec.token, TagSpecifications=self.specification(spec))
        return dict(made["RouteTable"])

    def extras(self, ec2: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the routes that somebody made with CreateRoute and nobody declared."""
        made = [route for route in doc["Routes"] if route.get("Origin", _BY_HAND) == _BY_HAND]
        told = [(route, _destination(route)) for route in made if not _is_an_endpoints(route)]
        return [
            Extra(f"route {next(iter(to.values()))} to {_leads_to(route)}", to, gone=Route.absent)
            for route, to in told
            if not inside.has(to, "Route")
        ]

    def remove(self, ec2: Any, spec: ResourceSpec, extra: Extra) -> None:
        """Delete a route (DeleteRoute)."""
        ec2.delete_route(RouteTableId=spec.id, **extra.doc)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the table (DeleteRouteTable)."""
        ec2.delete_route_table(RouteTableId=spec.id)

    def holders(self, ec2: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the subnets and gateways associated with the table.

        A subnet of the stack, or one that is gone, is a temporary blocker.
        """
        tables = self.find(ec2, where({self.id_filter: spec.id}))
        held = [one for table in tables for one in table["Associations"] if not one.get("Main")]
        listed = ec2.describe_subnets(Filters=where({"vpc-id": spec.props["VpcId"]}))["Subnets"] if held else []
        theirs = {one["SubnetId"] for one in listed if not bears(mapping(one.get("Tags", [])), spec.suffix)}
        return sorted((_follower(ec2, one, theirs) for one in held), key=lambda one: one.what)


def _follower(ec2: Any, association: Doc, theirs: set[str]) -> Holder:
    """Return a subnet or gateway as a blocker, with the command that disassociates it.

    A gateway is associated with a table by an edge association.
    """
    id_, subnet = association["RouteTableAssociationId"], association.get("SubnetId", "")
    end = f"`aws ec2 disassociate-route-table --association-id {id_} --region {ec2.region}`"
    if subnet:
        return Holder(f"subnet {subnet}", subnet not in theirs, end)
    return Holder(f"gateway {association.get('GatewayId', '?')}", passing=False, remedy=end)


class Route(Kind):
    """One route in a table of the stack."""

    service, key = "ec2", ("RouteTableId", "DestinationCidrBlock")
    members = ROUTE
    tagged = False
    claims = ("RouteTableId", "DestinationCidrBlock")
    within = ("RouteTableId",)
    fixed = frozenset({"RouteTableId", "DestinationCidrBlock"})
    # The target of the route is gone.
    failed, on_failure = {"State": "blackhole"}, "update"
    # botocore ec2 RouteState; an emulator may not return it.
    states = (States("State", words("active"), unhealthy=words("blackhole filtered"), untold="healthy"),)
    absent = NO_TABLE | codes("InvalidRoute.NotFound")
    duplicate = codes("RouteAlreadyExists")
    transient = {
        "create": codes("InvalidGatewayID.NotFound", "InvalidNatGatewayID.NotFound"),
        "update": codes("InvalidGatewayID.NotFound", "InvalidNatGatewayID.NotFound"),
    }
    calls = calling(read="DescribeRouteTables", create="CreateRoute", update="ReplaceRoute", delete="DeleteRoute")

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the route, which DescribeRouteTables lists with its table."""
        table = _table(ec2, spec, spec.props["RouteTableId"])
        for route in (table or {}).get("Routes", []):
            if route.get("DestinationCidrBlock") == spec.props["DestinationCidrBlock"]:
                return {"RouteTableId": spec.props["RouteTableId"], **route}
        return None

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the route (CreateRoute)."""
        ec2.create_route(**spec.props)
        return dict(spec.props)

    def update(self, ec2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the route's target (ReplaceRoute)."""
        ec2.replace_route(**spec.props)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the route (DeleteRoute)."""
        where_to = {key: spec.props[key] for key in ("RouteTableId", "DestinationCidrBlock")}
        ec2.delete_route(**where_to)


class RouteTableAssociation(Kind):
    """The association of a subnet with a route table. A subnet has one."""

    service, key = "ec2", "SubnetId"
    members = ASSOCIATION
    tagged = False
    claims = ("SubnetId",)
    within = ("SubnetId",)
    fixed = frozenset({"SubnetId"})
    ready = {"State": "associated"}
    # botocore ec2 RouteTableAssociationStateCode
    states = (
        States(
            "State",
            words("associated"),
            words("associating"),
            words("failed"),
            words("disassociating disassociated"),
        ),
    )
    absent = NO_TABLE | NO_SUBNET | codes("InvalidAssociationID.NotFound")
    duplicate = codes("Resource.AlreadyAssociated")
    calls = calling(
        read="DescribeRouteTables",
        create="AssociateRouteTable",
        update="ReplaceRouteTableAssociation DescribeRouteTables",
        delete="DisassociateRouteTable DescribeRouteTables",
    )

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the association of the subnet (DescribeRouteTables).

        The stack's tables are looked at first, then any table that the subnet is associated with.
        """
        subnet = spec.props["SubnetId"]
        for filters in (of_stack(ec2, spec), where({"association.subnet-id": subnet})):
            for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
                for one in table.get("Associations", []):
                    if one.get("SubnetId") == subnet:
                        state = (one.get("AssociationState") or {}).get("State", "associated")
                        return {**one, "State": state}
        return None

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Associate the subnet with the table (AssociateRouteTable)."""
        made = ec2.associate_route_table(**spec.props)
        return {**spec.props, "RouteTableAssociationId": made["AssociationId"]}

    def update(self, ec2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Move the subnet to another table; it is never without one (ReplaceRouteTableAssociation)."""
        now = self.read(ec2, spec) or {}
        ec2.replace_route_table_association(
            AssociationId=now["RouteTableAssociationId"], RouteTableId=spec.props["RouteTableId"]
        )

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Disassociate the subnet, if it is associated (DisassociateRouteTable)."""
        if now := self.read(ec2, spec):
            ec2.disassociate_route_table(AssociationId=now["RouteTableAssociationId"])


_BY_HAND = "CreateRoute"
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _destination(route: Doc) -> Doc:
    return {key: route[key] for key in _DESTINATIONS if route.get(key)}


def _is_an_endpoints(route: Doc) -> bool:
    """Return whether a gateway endpoint made the route and will remove it, or it is AWS's `local` route."""
    return str(route.get("GatewayId", "")).startswith(("vpce-", "local"))


def _leads_to(route: Doc) -> str:
    # The id of the route's target.
    ways = (value for key, value in route.items() if key.endswith("Id") and key not in _DESTINATIONS)
    return next((str(way) for way in ways if way), "nothing")


def _table(ec2: Any, spec: ResourceSpec, id_: str) -> Doc | None:
    for filters in (of_stack(ec2, spec), where({"route-table-id": id_})):
        for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
            if table["RouteTableId"] == id_:
                return dict(table)
    return None
