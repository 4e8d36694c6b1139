"""Interface endpoints take their time to come and to go."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.embedded.answers import Answered, Reply
from provisioner.embedded.clock import clock
from provisioner.embedded.corrections.ec2_endpoints import NOT_FOUND, unsuccessful
from provisioner.embedded.hooks import manners
from provisioner.embedded.inner import backend, do
from provisioner.embedded.manners.interfaces import Holder, adopt
from provisioner.embedded.wire import Call, Place

CREATE, DELETE = 90.0, 60.0  # go-to-k/cdkd, measured 1 to 3 minutes


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
        holder = Holder("amazon-aws", f"VPC Endpoint Interface {endpoint.id}", "vpc_endpoint")
        adopt(call.place, interface, holder)
    clock.later(CREATE, partial(_available, call.place, endpoint.id))


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
