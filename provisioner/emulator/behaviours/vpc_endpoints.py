"""VPC interface endpoints: creation and deletion take about a minute."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.behaviours.interfaces import InterfaceOwner, adopt, hold, let_go
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
    told = reply["VpcEndpoint"]
    if told["VpcEndpointType"] != "Interface":
        return
    endpoint = _endpoints(call.place)[told["VpcEndpointId"]]
    endpoint.state = told["State"] = "pending"
    for interface in endpoint.network_interface_ids:
        adopt(call.place, interface, _holder(endpoint.id))
    clock.later(CREATE, partial(_available, call.place, endpoint.id))


@behaviours.after("ec2", "ModifyVpcEndpoint")
def move(call: Call, _: Reply) -> None:
    """Create interfaces in the endpoint's added subnets, and delete those in removed ones after a while."""
    endpoint = _endpoints(call.place)[call.params["VpcEndpointId"]]
    if endpoint.vpc_endpoint_type != "Interface":
        return
    enis = backend("ec2", call.account, call.region).enis
    stands = {enis[name].subnet.id: name for name in endpoint.network_interface_ids}
    left = {subnet: name for subnet, name in stands.items() if subnet not in endpoint.subnet_ids}
    let_go(call.place, left.values(), LEAVE)
    joined = [
        hold(call.place, subnet, endpoint.security_group_ids, _holder(endpoint.id))
        for subnet in endpoint.subnet_ids
        if subnet not in stands
    ]
    stay = [name for subnet, name in stands.items() if subnet not in left]
    endpoint.network_interface_ids = stay + joined


def _holder(name: str) -> InterfaceOwner:
    """Return the owner of the interfaces of an endpoint."""
    return InterfaceOwner("amazon-aws", f"VPC Endpoint Interface {name}", "vpc_endpoint")


def _available(place: AccountRegion, name: str) -> None:
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
    there = _endpoints(call.place)
    failures = []
    for name in call.params["VpcEndpointIds"]:
        endpoint = there.get(name)
        if endpoint is None:
            failures.append(unsuccessful(name, NOT_FOUND, "does not exist"))
        elif endpoint.vpc_endpoint_type != "Interface":
            _gone(call.place, name)
        elif endpoint.state != "deleting":
            endpoint.state = "deleting"
            clock.later(DELETE, partial(_gone, call.place, name))
    raise Answered({"Unsuccessful": failures})


def _gone(place: AccountRegion, name: str) -> None:
    """Delete the endpoint in moto."""
    ask_moto(place, "ec2", "DeleteVpcEndpoints", VpcEndpointIds=[name])
    del _endpoints(place)[name]
