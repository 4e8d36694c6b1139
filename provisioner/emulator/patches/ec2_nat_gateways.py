"""NAT gateways: unknown ids are refused, failed creates leave nothing, deleted ones free their address."""

from __future__ import annotations

import fnmatch
from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import AccountRegion, Call


def _refuse_unknown(call: Call, nat: str) -> None:
    """Refuse the id of a NAT gateway that was never created."""
    if nat not in backend("ec2", call.account, call.region).nat_gateways:
        # terraform-provider-aws ec2/errors.go: this code does not begin with "Invalid", as others do
        raise AwsError("NatGatewayNotFound", f"NAT gateway {nat} was not found")


@always.before("ec2", "DescribeNatGateways")
def describe(call: Call) -> None:
    """Refuse an id that was never given out; moto answers with an empty list."""
    for nat in call.params.get("NatGatewayIds", []):
        _refuse_unknown(call, nat)


@always.after("ec2", "DescribeNatGateways")
def filter_by_tag(call: Call, reply: Reply) -> None:
    """Apply the tag filters, which moto ignores."""
    filters = call.params.get("Filters", call.params.get("Filter", []))
    for tag_filter in filters:
        if tag_filter["Name"].startswith("tag"):
            reply["NatGateways"] = [n for n in reply["NatGateways"] if _has_tag(n.get("Tags", []), tag_filter)]


def _has_tag(tags: list[dict[str, str]], tag_filter: dict[str, Any]) -> bool:
    """Return whether tags match a `tag:KEY` filter by value, or a `tag-key` filter; wildcards are allowed."""
    _, _, key = tag_filter["Name"].partition(":")
    texts = [tag["Value"] for tag in tags if tag["Key"] == key] if key else [tag["Key"] for tag in tags]
    return any(fnmatch.fnmatchcase(value, pattern) for value in texts for pattern in tag_filter["Values"])


@always.before("ec2", "CreateNatGateway")
def create(call: Call) -> None:
    """Refuse an unknown or associated address first: moto creates the network interface before it checks."""
    allocation = call.params.get("AllocationId")
    ec2 = backend("ec2", call.account, call.region)
    addresses = {address.allocation_id: address for address in ec2.addresses}
    if allocation and allocation not in addresses:
        message = f"Elastic IP address [{allocation}] not found"
        raise AwsError("InvalidAllocationID.NotFound", message)
    if allocation and addresses[allocation].association_id:
        message = f"Elastic IP address [{allocation}] is already associated"
        raise AwsError("Resource.AlreadyAssociated", message)


@always.before("ec2", "DeleteNatGateway")
def delete(call: Call) -> None:
    """Refuse an id that was never given out; moto crashes on it."""
    _refuse_unknown(call, call.params["NatGatewayId"])


@always.after("ec2", "DeleteNatGateway")
def release_after_delete(call: Call, _: Reply) -> None:
    """Delete the gateway's network interface and disassociate its address, which stays allocated."""
    release(call.place, call.params["NatGatewayId"])


def release(place: AccountRegion, name: str) -> None:
    """Disassociate the addresses of a NAT gateway and delete its network interface."""
    ec2 = backend("ec2", place.account, place.region)
    nat = ec2.nat_gateways[name]
    for address in ec2.addresses:
        if address.eni is nat._eni:
            address.eni = None
            address.association_id = None
    ec2.enis.pop(nat._eni.id, None)
