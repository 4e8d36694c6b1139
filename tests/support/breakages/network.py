"""What breaks in the network: routes, gateways, endpoints, and addresses."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.patches.ec2_nat_gateways import release
from provisioner.emulator.wire import AccountRegion
from tests.support.breakages.deed import Act, Break, close_out, state
from tests.support.live_stack import ACCOUNT, LiveStack, tags
from tests.support.manual_changes import table


def _endpoint(live_stack: LiveStack, service: str) -> Any:
    listed = live_stack.ec2("describe_vpc_endpoints", "VpcEndpoints")
    return next(one for one in listed if one["ServiceName"].endswith(f".{service}"))


def _unhook_endpoint(live_stack: LiveStack) -> None:
    one = _endpoint(live_stack, "s3")
    live_stack.aws("ec2").modify_vpc_endpoint(
        VpcEndpointId=one["VpcEndpointId"], RemoveRouteTableIds=one["RouteTableIds"]
    )


def _fail_endpoint(live_stack: LiveStack) -> None:
    id_ = _endpoint(live_stack, "dynamodb")["VpcEndpointId"]
    state(live_stack, "ec2").vpc_end_points[id_].state = "failed"


def _cut_off(live_stack: LiveStack) -> None:
    """The NAT gateway of one zone goes, and leaves a route that leads nowhere."""
    gateway = live_stack.ec2("describe_nat_gateways", "NatGateways")[0]
    live_stack.aws("ec2").delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])


def _lose_the_way(live_stack: LiveStack) -> None:
    live_stack.aws("ec2").delete_route(
        RouteTableId=table(live_stack, "routes-private-1"), DestinationCidrBlock="0.0.0.0/0"
    )


def fail_gateway(live_stack: LiveStack) -> None:
    """A gateway that could not be brought up: AWS frees its address."""
    known = state(live_stack, "ec2").nat_gateways.values()
    one = next(one for one in known if one.state == "available")
    one.state, one.failure_code, one.failure_message = "failed", "InternalError", "It was not to be."
    release(AccountRegion(ACCOUNT, live_stack.region), one.id)


def _fill(free: int) -> Act:
    """Let others take the addresses of the private subnets, or give them back."""

    def fill(live_stack: LiveStack) -> None:
        private = [
            one["SubnetId"]
            for one in live_stack.ec2("describe_subnets", "Subnets")
            if any(tag["Value"].startswith("private-") for tag in one["Tags"])
        ]
        for zone in state(live_stack, "ec2").subnets.values():
            for id_ in zone.keys() & set(private):
                zone[id_]._available_ip_addresses += free

    return fill


def _deny(rule: int, *, out: bool, first: int, last: int) -> Act:
    """Somebody denies some ports in the VPC's own network ACL."""

    def deny(live_stack: LiveStack) -> None:
        entry = {"Protocol": "6", "RuleAction": "deny", "CidrBlock": "0.0.0.0/0", "RuleNumber": rule}
        acl = next(one["NetworkAclId"] for one in _acls(live_stack) if one["IsDefault"])
        span = {"From": first, "To": last}
        live_stack.aws("ec2").create_network_acl_entry(NetworkAclId=acl, Egress=out, PortRange=span, **entry)

    return deny


def _allow_nothing(live_stack: LiveStack) -> None:
    """Somebody takes the one rule out that lets everything in."""
    acl = next(one["NetworkAclId"] for one in _acls(live_stack) if one["IsDefault"])
    live_stack.aws("ec2").delete_network_acl_entry(NetworkAclId=acl, Egress=False, RuleNumber=100)


def _wall_in(node: str) -> Act:
    """Somebody puts an ACL around a subnet and forgets to say what it allows."""

    def put(live_stack: LiveStack) -> None:
        ec2, acls = live_stack.aws("ec2"), _acls(live_stack)
        subnet = next(
            one["SubnetId"]
            for one in live_stack.ec2("describe_subnets", "Subnets")
            if tags(one["Tags"])["ml-api:node"] == node
        )
        follows = next(each for one in acls for each in one["Associations"] if each["SubnetId"] == subnet)
        made = ec2.create_network_acl(VpcId=live_stack.vpc)["NetworkAcl"]["NetworkAclId"]
        association = follows["NetworkAclAssociationId"]
        ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=made)

    return put


def _acls(live_stack: LiveStack) -> list[Any]:
    return live_stack.ec2("describe_network_acls", "NetworkAcls", vpc_id=live_stack.vpc)


def _close_the_door(live_stack: LiveStack) -> None:
    live_stack.aws("ec2").delete_route(
        RouteTableId=table(live_stack, "routes-public"), DestinationCidrBlock="0.0.0.0/0"
    )


def _resolve_nothing(live_stack: LiveStack) -> None:
    live_stack.aws("ec2").modify_vpc_attribute(VpcId=live_stack.vpc, EnableDnsSupport={"Value": False})


BREAKS = (
    Break("routes", "way-out-gone", _cut_off, "which is gone"),
    Break("routes", "no-way-out", _lose_the_way, "has no route out and no endpoint for ecr.api", turn=0),
    Break("nat", "nat-not-open", fail_gateway, "is failed: It was not to be.", turn=0),
    Break("endpoints", "endpoint-off-route", _unhook_endpoint, "adds no route to"),
    Break("endpoints", "endpoint-not-open", _fail_endpoint, "dynamodb", turn=0),
    Break("way-to-aws", "tasks-shut-in", close_out("sg-tasks", 443), "lets them out on port 443"),
    Break(
        "addresses",
        "no-addresses-left",
        _fill(-250),
        "free addresses",
        "aws ec2 describe-network-interfaces",
        meanwhile=_fill(250),
        turn=2,
    ),
    Break("way-in", "no-way-in", _close_the_door, "no live route", also={"nat-shut-in"}, turn=0),
    Break("nat", "nat-shut-in", _close_the_door, "has no way out", also={"no-way-in"}, turn=0),
    Break("names", "names-unresolved", _resolve_nothing, "enableDnsSupport is off"),
    Break(
        "path",
        "acl-stops",
        _deny(50, out=True, first=5000, last=6000),
        "stops the tasks' queries on port 5432, out: by its rule 50",
        "aws ec2 delete-network-acl-entry",
        turn=2,
    ),
    Break(
        "nat",
        "acl-stops",
        _wall_in("public-1"),
        "stops what goes through NAT on port 443, out: no rule of it allows that",
        "aws ec2 replace-network-acl-association",
        also={"acl-stops"},
        turn=2,
    ),
    Break(
        "path-in",
        "acl-stops",
        _allow_nothing,
        "stops CloudFront's requests on port 443, in: no rule of it allows that",
        "aws ec2 create-network-acl-entry",
        also={"acl-stops"},
        turn=0,
    ),
)
