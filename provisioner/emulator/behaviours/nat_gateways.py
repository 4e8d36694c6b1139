"""NAT gateways: pending or deleting for about a minute, and listed for an hour when deleted."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from provisioner.emulator.behaviours.interfaces import InterfaceOwner, set_owner
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.patches.ec2_nat_gateways import release
from provisioner.emulator.wire import AccountRegion, Call

# Seconds. go-to-k/cdkd ec2-provider.ts: creation takes 1 to 2 minutes, deletion about one; a deleted one is
# listed for an hour (AWS doc).
CREATE, FAIL, DELETE, LISTED = 100.0, 30.0, 55.0, 3600.0
LISTED_AT_LEAST = 60.0  # real seconds, or at speed 0 no read would show a deleted one


@behaviours.after("ec2", "CreateNatGateway")
def create(call: Call, reply: Reply) -> None:
    """Start as pending; without an internet gateway, fail later (AWS doc, NAT gateways: troubleshooting)."""
    description = reply["NatGateway"]
    ec2 = backend("ec2", call.account, call.region)
    nat = ec2.nat_gateways[description["NatGatewayId"]]
    nat.state = description["State"] = "pending"
    set_owner(
        call.place, nat._eni.id, InterfaceOwner("amazon-aws", f"Interface for NAT Gateway {nat.id}", "nat_gateway")
    )
    attached = any(gateway.vpc and gateway.vpc.id == nat.vpc_id for gateway in ec2.internet_gateways.values())
    if attached or nat.connectivity_type == "private":
        clock.later(CREATE, partial(_end_pending, call.place, nat.id, "available"))
    else:
        clock.later(FAIL, partial(_end_pending, call.place, nat.id, "failed"))


def _end_pending(place: AccountRegion, name: str, state: str) -> None:
    """Make a pending NAT gateway available or failed; a failed one releases its address."""
    nat = backend("ec2", place.account, place.region).nat_gateways.get(name)
    if nat is None or nat.state != "pending":
        return
    nat.state = state
    if state == "failed":
        nat.failure_code = "Gateway.NotAttached"
        nat.failure_message = f"Network {nat.vpc_id} has no Internet gateway attached"
        release(place, name)
        clock.later(LISTED, partial(_remove_from_lists, place, name), at_least=LISTED_AT_LEAST)


@behaviours.before("ec2", "DeleteNatGateway")
def delete(call: Call) -> None:
    """Start the deletion; interface and address stay until it is complete (botocore ServiceModel).

    Raises:
        Answered: The deletion has started.

    """
    nat = backend("ec2", call.account, call.region).nat_gateways.get(call.params["NatGatewayId"])
    if nat is None:
        return
    if nat.state in ("pending", "available"):
        nat.state = "deleting"
        clock.later(DELETE, partial(_complete_deletion, call.place, nat.id))
    raise Answered({"NatGatewayId": nat.id})


def _complete_deletion(place: AccountRegion, name: str) -> None:
    """Complete the deletion: release interface and address, and keep the gateway in lists for an hour."""
    nat = backend("ec2", place.account, place.region).nat_gateways[name]
    nat.state, nat.ended = "deleted", datetime.fromtimestamp(clock.now(), UTC)
    release(place, name)
    clock.later(LISTED, partial(_remove_from_lists, place, name), at_least=LISTED_AT_LEAST)


@behaviours.after("ec2", "DescribeNatGateways")
def add_delete_time(call: Call, reply: Reply) -> None:
    """Add the time of deletion to deleted NAT gateways in the reply (botocore ServiceModel, NatGateway)."""
    gateways = backend("ec2", call.account, call.region).nat_gateways
    for description in reply["NatGateways"]:
        if description["State"] == "deleted":
            description["DeleteTime"] = gateways[description["NatGatewayId"]].ended


def _remove_from_lists(place: AccountRegion, name: str) -> None:
    """Remove a NAT gateway from lists."""
    backend("ec2", place.account, place.region).nat_gateways.pop(name, None)
