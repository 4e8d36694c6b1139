"""VPC interface endpoints: creation and deletion take about a minute."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.behaviours.interfaces import (
    InterfaceOwner,
    create_interface,
    delete_interfaces_later,
    set_owner,
)
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.ec2_endpoints import NOT_FOUND, unsuccessful
from provisioner.emulator.wire import AccountRegion, Call

CREATE, DELETE, LEAVE = 90.0, 60.0, 10.0  # seconds; go-to-k/cdkd measured 1 to 3 minutes


def _endpoints(place: AccountRegion) -> dict[str, Any]:
    """Return moto's VPC endpoints by id."""
    endpoints: dict[str, Any] = backend("ec2", place.account, place.region).vpc_end_points
    return endpoints


@behaviours.after("ec2", "CreateVpcEndpoint")
def create(call: Call, reply: Reply) -> None:
    """Start an interface endpoint as pending; a gateway endpoint is only a route and available at once."""
    description = reply["VpcEndpoint"]
    if description["VpcEndpointType"] != "Interface":
        return
    endpoint = _endpoints(call.place)[description["VpcEndpointId"]]
    endpoint.state = description["State"] = "pending"
    for interface in endpoint.network_interface_ids:
        set_owner(call.place, interface, _owner(endpoint.id))
    clock.later(CREATE, partial(_complete_creation, call.place, endpoint.id))


@behaviours.after("ec2", "ModifyVpcEndpoint")
def change_subnets(call: Call, _: Reply) -> None:
    """Create interfaces in the endpoint's added subnets, and delete those in removed ones after a while."""
    endpoint = _endpoints(call.place)[call.params["VpcEndpointId"]]
    if endpoint.vpc_endpoint_type != "Interface":
        return
    enis = backend("ec2", call.account, call.region).enis
    interfaces_by_subnet = {enis[name].subnet.id: name for name in endpoint.network_interface_ids}
    removed = {subnet: name for subnet, name in interfaces_by_subnet.items() if subnet not in endpoint.subnet_ids}
    delete_interfaces_later(call.place, removed.values(), LEAVE)
    added = [
        create_interface(call.place, subnet, endpoint.security_group_ids, _owner(endpoint.id))
        for subnet in endpoint.subnet_ids
        if subnet not in interfaces_by_subnet
    ]
    remaining = [name for subnet, name in interfaces_by_subnet.items() if subnet not in removed]
    endpoint.network_interface_ids = remaining + added


def _owner(name: str) -> InterfaceOwner:
    """Return the owner of the interfaces of an endpoint."""
    return InterfaceOwner("amazon-aws", f"VPC Endpoint Interface {name}", "vpc_endpoint")


def _complete_creation(place: AccountRegion, name: str) -> None:
    """Make a pending endpoint available."""
    endpoint = _endpoints(place).get(name)
    if endpoint is not None and endpoint.state == "pending":
        endpoint.state = "available"


@behaviours.before("ec2", "DeleteVpcEndpoints")
def delete(call: Call) -> None:
    """Start the deletion; interfaces stay until it is complete, but a gateway's route goes at once.

    Raises:
        Answered: The deletion has started.

    """
    endpoints = _endpoints(call.place)
    failures = []
    for name in call.params["VpcEndpointIds"]:
        endpoint = endpoints.get(name)
        if endpoint is None:
            failures.append(unsuccessful(name, NOT_FOUND, "does not exist"))
        elif endpoint.vpc_endpoint_type != "Interface":
            _complete_deletion(call.place, name)
        elif endpoint.state != "deleting":
            endpoint.state = "deleting"
            clock.later(DELETE, partial(_complete_deletion, call.place, name))
    raise Answered({"Unsuccessful": failures})


def _complete_deletion(place: AccountRegion, name: str) -> None:
    """Delete the endpoint in moto."""
    ask_moto(place, "ec2", "DeleteVpcEndpoints", VpcEndpointIds=[name])
    del _endpoints(place)[name]
