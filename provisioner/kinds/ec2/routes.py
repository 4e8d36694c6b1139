"""Route tables, what stands in them, and who follows them."""

from __future__ import annotations

from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import Item, Kind
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
    """A table of routes; its routes and associations are resources of their own."""

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
        """DescribeRouteTables."""
        return list(ec2.describe_route_tables(Filters=filters)["RouteTables"])

    def create(self, ec2: Any, it: Item) -> Doc:
        """CreateRouteTable, with our own token: the SDK's would differ on every attempt."""
        made = ec2.create_route_table(
            **it.props, ClientToken=it.token, TagSpecifications=self.specification(it)
        )
        return dict(made["RouteTable"])

    def extras(self, ec2: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """The routes that somebody made by CreateRoute, besides ours."""
        made = [route for route in doc["Routes"] if route.get("Origin", _BY_HAND) == _BY_HAND]
        told = [(route, _destination(route)) for route in made if not _is_an_endpoints(route)]
        return [
            Extra(f"route {next(iter(to.values()))} to {_leads_to(route)}", to, gone=Route.absent)
            for route, to in told
            if not inside.has(to, "Route")
        ]

    def remove(self, ec2: Any, it: Item, extra: Extra) -> None:
        """DeleteRoute."""
        ec2.delete_route(RouteTableId=it.id, **extra.doc)

    def delete(self, ec2: Any, it: Item) -> None:
        """DeleteRouteTable."""
        ec2.delete_route_table(RouteTableId=it.id)

    def holders(self, ec2: Any, it: Item) -> list[Holder]:
        """The subnets and the gateways that follow it; one that is ours, or gone, is about to let go."""
        tables = self.find(ec2, where({self.id_filter: it.id}))
        held = [one for table in tables for one in table["Associations"] if not one.get("Main")]
        listed = ec2.describe_subnets(Filters=where({"vpc-id": it.props["VpcId"]}))["Subnets"] if held else []
        theirs = {one["SubnetId"] for one in listed if not bears(mapping(one.get("Tags", [])), it.suffix)}
        return sorted((_follower(ec2, one, theirs) for one in held), key=lambda one: one.what)


def _follower(ec2: Any, association: Doc, theirs: set[str]) -> Holder:
    """What follows a table, and the command that lets it go; a gateway's is an edge association."""
    id_, subnet = association["RouteTableAssociationId"], association.get("SubnetId", "")
    end = f"`aws ec2 disassociate-route-table --association-id {id_} --region {ec2.region}`"
    if subnet:
        return Holder(f"subnet {subnet}", subnet not in theirs, end)
    return Holder(f"gateway {association.get('GatewayId', '?')}", passing=False, remedy=end)


class Route(Kind):
    """One route in one of our tables."""

    service, key = "ec2", ("RouteTableId", "DestinationCidrBlock")
    members = ROUTE
    tagged = False
    claims = ("RouteTableId", "DestinationCidrBlock")
    within = ("RouteTableId",)
    fixed = frozenset({"RouteTableId", "DestinationCidrBlock"})
    # What it led to is gone.
    failed, on_failure = {"State": "blackhole"}, "update"
    # botocore ec2 RouteState; an emulator may not tell it.
    states = (States("State", words("active"), unhealthy=words("blackhole filtered"), untold="healthy"),)
    absent = NO_TABLE | codes("InvalidRoute.NotFound")
    duplicate = codes("RouteAlreadyExists")
    transient = {
        "create": codes("InvalidGatewayID.NotFound", "InvalidNatGatewayID.NotFound"),
        "update": codes("InvalidGatewayID.NotFound", "InvalidNatGatewayID.NotFound"),
    }
    calls = calling(
        read="DescribeRouteTables", create="CreateRoute", update="ReplaceRoute", delete="DeleteRoute"
    )

    def read(self, ec2: Any, it: Item) -> Doc | None:
        """DescribeRouteTables: routes are told with their table."""
        table = _table(ec2, it, it.props["RouteTableId"])
        for route in (table or {}).get("Routes", []):
            if route.get("DestinationCidrBlock") == it.props["DestinationCidrBlock"]:
                return {"RouteTableId": it.props["RouteTableId"], **route}
        return None

    def create(self, ec2: Any, it: Item) -> Doc:
        """CreateRoute."""
        ec2.create_route(**it.props)
        return dict(it.props)

    def update(self, ec2: Any, it: Item, changed: Doc) -> None:
        """ReplaceRoute."""
        ec2.replace_route(**it.props)

    def delete(self, ec2: Any, it: Item) -> None:
        """DeleteRoute."""
        where_to = {key: it.props[key] for key in ("RouteTableId", "DestinationCidrBlock")}
        ec2.delete_route(**where_to)


class RouteTableAssociation(Kind):
    """Which table a subnet follows; a subnet follows one."""

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

    def read(self, ec2: Any, it: Item) -> Doc | None:
        """DescribeRouteTables: among our tables first, then wherever the subnet went."""
        subnet = it.props["SubnetId"]
        for filters in (of_stack(ec2, it), where({"association.subnet-id": subnet})):
            for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
                for one in table.get("Associations", []):
                    if one.get("SubnetId") == subnet:
                        state = (one.get("AssociationState") or {}).get("State", "associated")
                        return {**one, "State": state}
        return None

    def create(self, ec2: Any, it: Item) -> Doc:
        """AssociateRouteTable."""
        made = ec2.associate_route_table(**it.props)
        return {**it.props, "RouteTableAssociationId": made["AssociationId"]}

    def update(self, ec2: Any, it: Item, changed: Doc) -> None:
        """ReplaceRouteTableAssociation: no moment without a table."""
        now = self.read(ec2, it) or {}
        ec2.replace_route_table_association(
            AssociationId=now["RouteTableAssociationId"], RouteTableId=it.props["RouteTableId"]
        )

    def delete(self, ec2: Any, it: Item) -> None:
        """DisassociateRouteTable."""
        if now := self.read(ec2, it):
            ec2.disassociate_route_table(AssociationId=now["RouteTableAssociationId"])


_BY_HAND = "CreateRoute"
_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _destination(route: Doc) -> Doc:
    return {key: route[key] for key in _DESTINATIONS if route.get(key)}


def _is_an_endpoints(route: Doc) -> bool:
    """Whether a gateway endpoint made it, and takes it away again; `local` is AWS's own."""
    return str(route.get("GatewayId", "")).startswith(("vpce-", "local"))


def _leads_to(route: Doc) -> str:
    ways = (value for key, value in route.items() if key.endswith("Id") and key not in _DESTINATIONS)
    return next((str(way) for way in ways if way), "nothing")


def _table(ec2: Any, it: Item, id_: str) -> Doc | None:
    for filters in (of_stack(ec2, it), where({"route-table-id": id_})):
        for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
            if table["RouteTableId"] == id_:
                return dict(table)
    return None
