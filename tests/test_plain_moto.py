"""An AWS behind AWS_ENDPOINT_URL that is not ours: what it lacks stands in nobody's way at the end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from moto import mock_aws

from provisioner.answers import UnknownCall
from provisioner.aws import Aws
from provisioner.engine.clients import Clients
from provisioner.engine.clock import Clock
from provisioner.engine.kind import Item
from provisioner.engine.target import read
from provisioner.kinds.ec2.endpoints import VpcEndpoint
from provisioner.kinds.vpc_origin import VpcOrigin


def test_an_aws_of_ones_own_that_knows_no_vpc_origins_holds_none() -> None:
    def list_vpc_origins() -> None:
        raise UnknownCall

    cloudfront = SimpleNamespace(list_vpc_origins=list_vpc_origins)
    it = SimpleNamespace(id="", props={"Name": "ml-api-origin-prod"}, shunned=())
    target = SimpleNamespace(kind=VpcOrigin(), it=it, region="us-east-1")

    assert read(cast(Any, SimpleNamespace(client=lambda *_: cloudfront)), cast(Any, target)) is None


@mock_aws
def test_a_gateway_endpoint_ends_though_a_table_that_joined_later_has_no_route_of_it() -> None:
    ec2 = Clients(Aws("us-east-1"), Clock()).client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    first, later = (ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2))
    made = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Gateway", ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[first]
    )["VpcEndpoint"]["VpcEndpointId"]
    ec2.modify_vpc_endpoint(VpcEndpointId=made, AddRouteTableIds=[later])

    VpcEndpoint().delete(ec2, Item("endpoint-s3", "ml-api-endpoint-s3-a", "a", {}, {}, id=made))

    [seen] = ec2.describe_vpc_endpoints(VpcEndpointIds=[made])["VpcEndpoints"]
    assert seen["State"].lower() == "deleted"
