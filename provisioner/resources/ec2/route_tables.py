"""Route tables, their routes, and their associations with subnets."""

from __future__ import annotations

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.names import has_stack_tags
from provisioner.resources.ec2.base import Ec2ResourceType, Filters, equals_filters, stack_filters
from provisioner.resources.ec2.vpc import SUBNET_NOT_FOUND
from provisioner.resources.field_owners.ec2 import ASSOCIATION, ROUTE, ROUTE_TABLE
from provisioner.resources.tags import mapping
from provisioner.service_clients import EC2

TABLE_NOT_FOUND = codes("InvalidRouteTableID.NotFound", "InvalidRouteTableId.NotFound")


class RouteTable(Ec2ResourceType):
    """A route table. Its routes and associations are resources of their own."""

    deleted_at_reply = True
    ownership = ROUTE_TABLE
    pricing = FREE
    noun, iam_type, id_paths, id_filter = "routes", "route-table", "RouteTableId", "route-table-id"
    discriminators = ("VpcId",)
    owns_children = True
    not_found_codes = TABLE_NOT_FOUND
    retryable_codes = {"delete": codes("DependencyViolation")}
    operations = declare_operations(
        remove_unmanaged="DeleteRoute",
        read="DescribeRouteTables",
        create="CreateRouteTable",
        delete="DeleteRouteTable",
        blockers="DescribeRouteTables DescribeSubnets",
    )

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the tables that pass the filters (DescribeRouteTables)."""
        return list(ec2.describe_route_tables(Filters=filters)["RouteTables"])

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the table with a client token of ours: the SDK's would differ on every attempt."""
        reply = ec2.create_route_table(
            **spec.props, ClientToken=spec.token, TagSpecifications=self.tag_specifications(spec)
        )
        return dict(reply["RouteTable"])

    def unmanaged(self, ec2: EC2, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the routes that somebody made with CreateRoute and nobody declared."""
        created = [route for route in actual["Routes"] if route.get("Origin", _CREATE_ROUTE) == _CREATE_ROUTE]
        undeclared = [route for route in created if not children.has(_destination(route), "Route")]
        return [_unmanaged_route(route) for route in undeclared if not _is_removed_by_aws(route)]

    def remove_unmanaged(self, ec2: EC2, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Delete a route (DeleteRoute)."""
        ec2.delete_route(RouteTableId=spec.id, **unmanaged.request)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the table (DeleteRouteTable)."""
        ec2.delete_route_table(RouteTableId=spec.id)

    def blockers(self, ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
        """Return the subnets and gateways associated with the table.

        A subnet of the stack, or one that is gone, is a temporary blocker.
        """
        tables = self.find(ec2, equals_filters({self.id_filter: spec.id}))
        associations = [
            association for table in tables for association in table["Associations"] if not association.get("Main")
        ]
        foreign_subnets = _foreign_subnets(ec2, spec) if associations else set()
        blockers = (_association_blocker(ec2, association, foreign_subnets) for association in associations)
        return sorted(blockers, key=lambda blocker: blocker.description)


def _unmanaged_route(route: JsonObject) -> Unmanaged:
    """Return a route as unmanaged: its destination and its target."""
    destination = _destination(route)
    description = f"route {next(iter(destination.values()))} to {_target_of(route)}"
    return Unmanaged(description, destination, not_found_codes=Route.not_found_codes)


def _foreign_subnets(ec2: EC2, spec: ResourceSpec) -> set[str]:
    """Return the ids of the subnets in the table's VPC that lack the stack's tags (DescribeSubnets)."""
    subnets = ec2.describe_subnets(Filters=equals_filters({"vpc-id": spec.props["VpcId"]}))["Subnets"]
    return {each["SubnetId"] for each in subnets if not has_stack_tags(mapping(each.get("Tags", [])), spec.suffix)}


def _association_blocker(ec2: EC2, association: JsonObject, foreign_subnets: set[str]) -> Blocker:
    """Return an associated subnet or gateway as a blocker, with the command that disassociates it.

    A gateway is associated with a table by an edge association.
    """
    id_, subnet = association["RouteTableAssociationId"], association.get("SubnetId", "")
    remedy = f"`aws ec2 disassociate-route-table --association-id {id_} --region {ec2.region}`"
    if subnet:
        return Blocker(f"subnet {subnet}", subnet not in foreign_subnets, remedy)
    return Blocker(f"gateway {association.get('GatewayId', '?')}", temporary=False, remedy=remedy)


class Route(ResourceType):
    """One route in a table of the stack."""

    container_property, deleted_with_container, deleted_at_reply = "RouteTableId", True, True
    service, id_paths = "ec2", ("RouteTableId", "DestinationCidrBlock")
    pricing = FREE
    ownership = ROUTE
    tagged = False
    unique_properties = ("RouteTableId", "DestinationCidrBlock")
    lookup_properties = ("RouteTableId",)
    immutable = frozenset({"RouteTableId", "DestinationCidrBlock"})
    # The target of the route is gone.
    failed, on_failure = {"State": "blackhole"}, "update"
    # botocore ec2 RouteState; an emulator may not return it.
    status_classes = (
        StatusClasses(
            "State", in_lower_case("active"), unhealthy=in_lower_case("blackhole filtered"), when_missing="healthy"
        ),
    )
    not_found_codes = TABLE_NOT_FOUND | codes("InvalidRoute.NotFound")
    already_exists_codes = codes("RouteAlreadyExists")
    retryable_codes = {
        "create": codes("InvalidGatewayID.NotFound", "InvalidNatGatewayID.NotFound"),
        "update": codes("InvalidGatewayID.NotFound", "InvalidNatGatewayID.NotFound"),
    }
    operations = declare_operations(
        read="DescribeRouteTables", create="CreateRoute", update="ReplaceRoute", delete="DeleteRoute"
    )

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the route, which DescribeRouteTables lists with its table."""
        table = _read_table(ec2, spec, spec.props["RouteTableId"])
        for route in (table or {}).get("Routes", []):
            if route.get("DestinationCidrBlock") == spec.props["DestinationCidrBlock"]:
                return {"RouteTableId": spec.props["RouteTableId"], **route}
        return None

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the route (CreateRoute)."""
        ec2.create_route(**spec.props)
        return dict(spec.props)

    def update(self, ec2: EC2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the route's target (ReplaceRoute)."""
        ec2.replace_route(**spec.props)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the route (DeleteRoute)."""
        identity = {key: spec.props[key] for key in ("RouteTableId", "DestinationCidrBlock")}
        ec2.delete_route(**identity)


class RouteTableAssociation(ResourceType):
    """The association of a subnet with a route table. A subnet has one."""

    container_property = "SubnetId"
    deleted_at_reply = True
    service, id_paths = "ec2", "SubnetId"
    pricing = FREE
    ownership = ASSOCIATION
    tagged = False
    unique_properties = ("SubnetId",)
    lookup_properties = ("SubnetId",)
    immutable = frozenset({"SubnetId"})
    ready = {"State": "associated"}
    # botocore ec2 RouteTableAssociationStateCode
    status_classes = (
        StatusClasses(
            "State",
            in_lower_case("associated"),
            in_lower_case("associating"),
            in_lower_case("failed"),
            in_lower_case("disassociating disassociated"),
        ),
    )
    not_found_codes = TABLE_NOT_FOUND | SUBNET_NOT_FOUND | codes("InvalidAssociationID.NotFound")
    already_exists_codes = codes("Resource.AlreadyAssociated")
    operations = declare_operations(
        read="DescribeRouteTables",
        create="AssociateRouteTable",
        update="ReplaceRouteTableAssociation DescribeRouteTables",
        delete="DisassociateRouteTable DescribeRouteTables",
    )

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the association of the subnet (DescribeRouteTables).

        The stack's tables are searched first, then any table that the subnet is associated with.
        """
        subnet = spec.props["SubnetId"]
        for filters in (stack_filters(ec2, spec), equals_filters({"association.subnet-id": subnet})):
            for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
                for association in table.get("Associations", []):
                    if association.get("SubnetId") == subnet:
                        state = (association.get("AssociationState") or {}).get("State", "associated")
                        return {**association, "State": state}
        return None

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Associate the subnet with the table (AssociateRouteTable)."""
        reply = ec2.associate_route_table(**spec.props)
        return {
            **spec.props,
            **(reply.get("AssociationState") or {}),
            "RouteTableAssociationId": reply["AssociationId"],
        }

    def update(self, ec2: EC2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Associate the subnet with another table, without a gap (ReplaceRouteTableAssociation)."""
        actual = self.read(ec2, spec) or {}
        ec2.replace_route_table_association(
            AssociationId=actual["RouteTableAssociationId"], RouteTableId=spec.props["RouteTableId"]
        )

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Disassociate the subnet, if it is associated (DisassociateRouteTable)."""
        if actual := self.read(ec2, spec):
            ec2.disassociate_route_table(AssociationId=actual["RouteTableAssociationId"])


_CREATE_ROUTE = "CreateRoute"
_DESTINATION_KEYS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _destination(route: JsonObject) -> JsonObject:
    """Return the destination of a route, in the form that CreateRoute and DeleteRoute take."""
    return {key: route[key] for key in _DESTINATION_KEYS if route.get(key)}


def _is_removed_by_aws(route: JsonObject) -> bool:
    """Return whether AWS removes the route itself: it belongs to a gateway endpoint, or is the `local` route."""
    return str(route.get("GatewayId", "")).startswith(("vpce-", "local"))


def _target_of(route: JsonObject) -> str:
    """Return the id of the route's target; "nothing" if it has none."""
    targets = (value for key, value in route.items() if key.endswith("Id") and key not in _DESTINATION_KEYS)
    return next((str(target) for target in targets if target), "nothing")


def _read_table(ec2: EC2, spec: ResourceSpec, id_: str) -> JsonObject | None:
    """Return the route table with this id (DescribeRouteTables): one of the stack, else any."""
    for filters in (stack_filters(ec2, spec), equals_filters({"route-table-id": id_})):
        for table in ec2.describe_route_tables(Filters=filters)["RouteTables"]:
            if table["RouteTableId"] == id_:
                return dict(table)
    return None
