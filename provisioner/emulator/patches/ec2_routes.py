"""Route tables: targets must exist, a subnet has one table, and routes to deleted gateways are blackholes."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call


@always.before("ec2", "CreateRoute", "ReplaceRoute")
def refuse_missing_target(call: Call) -> None:
    """Refuse a route to a NAT gateway that does not exist or was deleted."""
    nat = call.params.get("NatGatewayId")
    gateway = backend("ec2", call.account, call.region).nat_gateways.get(nat)
    if nat and (gateway is None or gateway.state == "deleted"):
        raise AwsError("InvalidNatGatewayID.NotFound", f"The natGateway ID '{nat}' does not exist")


@always.before("ec2", "AssociateRouteTable")
def associate(call: Call) -> None:
    """Refuse a subnet that has a route table; moto returns the old association and changes nothing."""
    subnet = call.params.get("SubnetId")
    for table in backend("ec2", call.account, call.region).route_tables.values():
        if subnet and subnet in table._associations.values():
            message = (
                f"the specified association for route table {call.params['RouteTableId']} conflicts with"
                " an existing association"
            )
            raise AwsError("Resource.AlreadyAssociated", message)


@always.before("ec2", "DeleteRoute")
def refuse_endpoint_route(call: Call) -> None:
    """Refuse to delete the route of a gateway endpoint (AWS doc, VPC, gateway endpoints)."""
    prefix_list = call.params.get("DestinationPrefixListId")
    if prefix_list is None:
        return
    table = call.params["RouteTableId"]
    for endpoint in backend("ec2", call.account, call.region).vpc_end_points.values():
        if endpoint.destination_prefix_list_id == prefix_list and table in endpoint.route_table_ids:
            message = f"cannot remove VPC endpoint route {prefix_list} in route table {table}"
            raise AwsError("InvalidParameterValue", message)


@always.after("ec2", "DescribeRouteTables")
def mark_blackholes(call: Call, reply: Reply) -> None:
    """Set the state `blackhole` on routes whose gateway was deleted (botocore ServiceModel, Route.State)."""
    ec2 = backend("ec2", call.account, call.region)
    for table in reply["RouteTables"]:
        for route in table["Routes"]:
            if _leads_nowhere(ec2, route):
                route["State"] = "blackhole"


def _leads_nowhere(ec2: Any, route: dict[str, str]) -> bool:
    """Return whether the NAT gateway or internet gateway of a route is gone or being deleted."""
    nat, gateway = route.get("NatGatewayId"), route.get("GatewayId", "")
    if nat:
        return nat not in ec2.nat_gateways or ec2.nat_gateways[nat].state in ("deleting", "deleted")
    return gateway.startswith("igw-") and gateway not in ec2.internet_gateways
