"""Network interfaces that AWS services own in a VPC; they block the deletion of subnets and groups."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from provisioner.emulator.clock import clock
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import AccountRegion, Call

OURS = ("attachment.", "requester-", "description", "interface-type", "status")


@dataclass(frozen=True)
class InterfaceOwner:
    """The owner of a network interface, in the terms of DescribeNetworkInterfaces."""

    owner: str
    description: str
    kind: str = "interface"
    public: bool = False


def _ec2(place: AccountRegion | Call) -> Any:
    """Return moto's EC2 backend."""
    return backend("ec2", place.account, place.region)


def create_interface(place: AccountRegion, subnet: str, groups: list[str], owner: InterfaceOwner) -> str:
    """Create a network interface for a service; return its id."""
    request: dict[str, Any] = {"SubnetId": subnet, "Description": owner.description}
    if groups:
        request["Groups"] = groups
    interface = ask_moto(place, "ec2", "CreateNetworkInterface", **request)["NetworkInterface"]
    set_owner(place, interface["NetworkInterfaceId"], owner)
    return str(interface["NetworkInterfaceId"])


def set_owner(place: AccountRegion, name: str, holder: InterfaceOwner) -> None:
    """Make a service the owner of an existing network interface."""
    interface = _ec2(place).enis[name]
    interface.description, interface.interface_type = holder.description, holder.kind
    interface.requester_id, interface.requester_managed = holder.owner, True
    interface.status = "in-use"
    interface.holder = holder
    if holder.public and not interface.public_ip:
        interface.public_ip = f"203.0.113.{int(name[-4:], 16) % 254 + 1}"  # RFC 5737


def delete_interfaces_later(place: AccountRegion, names: Iterable[str], seconds: float) -> None:
    """Delete network interfaces after `seconds` of AWS's time."""
    for name in names:
        clock.later(seconds, partial(_ec2(place).enis.pop, name, None))


def interfaces_with_description(place: AccountRegion | Call, description: str) -> list[str]:
    """Return the ids of the network interfaces with a description."""
    return [name for name, e in _ec2(place).enis.items() if e.description == description]


def set_groups(place: AccountRegion | Call, names: Iterable[str], groups: list[str]) -> None:
    """Set the security groups of network interfaces."""
    ec2 = _ec2(place)
    for name in names:
        ec2.enis[name]._group_set[:] = [ec2.get_security_group_from_id(group) for group in groups]


@behaviours.before("ec2", "DescribeNetworkInterfaces")
def describe(call: Call) -> Reply | None:
    """Describe interfaces with their owners' attachments, and filter by owner: moto has neither.

    The filters here take wildcards.
    """
    filters = call.params.get("Filters", [])
    owner_filters = [f for f in filters if f["Name"].startswith(OURS)]
    request = call.params | {"Filters": [f for f in filters if f not in owner_filters]}
    reply = ask_moto(call, "ec2", "DescribeNetworkInterfaces", **request)
    for interface in reply["NetworkInterfaces"]:
        _add_attachment(call, interface)
    interfaces = [
        i for i in reply["NetworkInterfaces"] if all(_passes_filter(i, owner_filter) for owner_filter in owner_filters)
    ]
    return reply | {"NetworkInterfaces": interfaces}


def _add_attachment(call: Call, interface: dict[str, Any]) -> None:
    """Add the attachment to the description of an interface that a service owns."""
    moto_interface = _ec2(call).enis[interface["NetworkInterfaceId"]]
    interface_owner: InterfaceOwner | None = getattr(moto_interface, "holder", None)
    if interface_owner is not None:
        # terraform-provider-aws elbv2/load_balancer.go finds interfaces by this owner
        owner = interface_owner.owner if interface_owner.owner.startswith("amazon-elb") else "amazon-aws"
        attachment = f"ela-attach-{interface['NetworkInterfaceId'][4:]}"
        interface["Attachment"] = {
            "AttachmentId": attachment,
            "InstanceOwnerId": owner,
            "DeviceIndex": 1,
            "Status": "attached",
            "DeleteOnTermination": False,
        }


def _passes_filter(interface: dict[str, Any], filter_: dict[str, Any]) -> bool:
    """Return whether an interface passes one filter."""
    attachment = interface.get("Attachment", {})
    values = {
        "description": interface.get("Description"),
        "interface-type": interface.get("InterfaceType"),
        "status": interface.get("Status"),
        "requester-id": interface.get("RequesterId"),
        "requester-managed": str(interface.get("RequesterManaged", False)).lower(),
        "attachment.instance-owner-id": attachment.get("InstanceOwnerId"),
        "attachment.status": attachment.get("Status"),
        "attachment.attachment-id": attachment.get("AttachmentId"),
    }
    value = values.get(filter_["Name"])
    return any(fnmatch.fnmatchcase(str(value), pattern) for pattern in filter_["Values"])


@behaviours.before("ec2", "DeleteNetworkInterface")
def delete(call: Call) -> None:
    """Refuse to delete an interface in use by a service: AWS doc, requester-managed network interfaces.

    Raises:
        AwsError: InvalidParameterValue.

    """
    name = call.params["NetworkInterfaceId"]
    interface = _ec2(call).enis.get(name)
    if interface is not None and interface.status == "in-use":
        message = f"Network interface '{name}' is currently in use."
        raise AwsError("InvalidParameterValue", message)
