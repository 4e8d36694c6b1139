"""Interface endpoints take their time to come and to go."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.embedded.answers import Answered, Reply
from provisioner.embedded.clock import clock
from provisioner.embedded.corrections.ec2_endpoints import NOT_FOUND, unsuccessful
from provisioner.embedded.hooks import manners
from provisioner.embedded.inner import backend, do
from provisioner.embedded.manners.interfaces import Holder, adopt, hold, let_go
from provisioner.embedded.wire import Call, Place

CREATE, DELETE, LEAVE = 90.0, 60.0, 10.0  # go-to-k/cdkd, measured 1 to 3 minutes


def _endpoints(place: Place) -> dict[str, Any]:
    endpoints: dict[str, Any] = backend("ec2", place.account, place.region).vpc_end_points
    return endpoints


@manners.after("ec2", "CreateVpcEndpoint")
def create(call: Call, reply: Reply) -> None:
    """Begin pending, unless it is a gateway: that is only a route."""
    told = reply["VpcEndpoint"]
    if told["VpcEndpointType"] != "Interface":
        return
    endpoint = _endpoints(call.place)[told["VpcEndpointId"]]
    endpoint.state = told["State"] = "pending"
    for interface in endpoint.network_interface_ids:
        adopt(call.place, interface, _holder(endpoint.id))
    clock.later(CREATE, partial(_available, call.place, endpoint.id))


@manners.after("ec2", "ModifyVpcEndpoint")
def move(call: Call, _: Reply) -> None:
    """Leave the subnets that it is taken out of, and stand in those it is put into."""
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


def _holder(name: str) -> Holder:
    return Holder("amazon-aws", f"VPC Endpoint Interface {name}", "vpc_endpoint")


def _available(place: Place, name: str) -> None:
    endpoint = _endpoints(place).get(name)
    if endpoint is not None and endpoint.state == "pending":
        endpoint.state = "available"


@manners.before("ec2", "DeleteVpcEndpoints")
def delete(call: Call) -> None:
    """Begin deleting: interfaces stay until it is done; a gateway's route goes at once."""
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


def _gone(place: Place, name: str) -> None:
    do(place, "ec2", "DeleteVpcEndpoints", VpcEndpointIds=[name])
    del _endpoints(place)[name]
