"""Private ways from the VPC to AWS: gateway endpoints add to route tables, interface endpoints to subnets."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import code_of
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.tagged import Ec2, Filters
from provisioner.kinds.members.ec2 import ENDPOINT

# A list of an endpoint, and how ModifyVpcEndpoint calls what joins it and what leaves it.
_LISTS = {
    "RouteTableIds": ("AddRouteTableIds", "RemoveRouteTableIds"),
    "SubnetIds": ("AddSubnetIds", "RemoveSubnetIds"),
    "SecurityGroupIds": ("AddSecurityGroupIds", "RemoveSecurityGroupIds"),
}


class VpcEndpoint(Ec2):
    """A private way from the VPC to one AWS service; as it stands here, one that adds to route tables."""

    members = ENDPOINT
    noun, resource, key, id_filter = "endpoint", "vpc-endpoint", "VpcEndpointId", "vpc-endpoint-id"
    distinct = ("ServiceName",)
    claims = ("VpcId", "ServiceName")
    fixed = frozenset({"VpcId", "ServiceName", "VpcEndpointType"})
    ready, failed = {"State": "available"}, {"State": frozenset({"failed", "rejected", "expired"})}
    going, gone = {"State": "deleting"}, {"State": "deleted"}
    # botocore ec2 State
    states = (
        States(
            "State",
            words("Available"),
            words("PendingAcceptance Pending"),
            words("Rejected Failed Expired Partial"),
            words("Deleting Deleted"),
        ),
    )
    on_failure = "replace"
    absent = codes("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
    patience = minutes(15)
    calls = calling(
        read="DescribeVpcEndpoints",
        create="CreateVpcEndpoint",
        update="ModifyVpcEndpoint DescribeVpcEndpoints",
        delete="DeleteVpcEndpoints DescribeVpcEndpoints ModifyVpcEndpoint",
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """DescribeVpcEndpoints; AWS spells states in either case."""
        return [_as_asked(doc) for doc in ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]]

    def by_id(self, ec2: Any, id_: str) -> list[Doc]:
        """DescribeVpcEndpoints by id: the filter by id is not known everywhere."""
        return [_as_asked(doc) for doc in ec2.describe_vpc_endpoints(VpcEndpointIds=[id_])["VpcEndpoints"]]

    def create(self, ec2: Any, it: Item) -> Doc:
        """CreateVpcEndpoint; its token is not filled in by the SDK."""
        made = ec2.create_vpc_endpoint(
            **it.props, ClientToken=it.token, TagSpecifications=self.specification(it)
        )
        return dict(made["VpcEndpoint"])

    def update(self, ec2: Any, it: Item, changed: Doc) -> None:
        """ModifyVpcEndpoint: what joins each list and what leaves it, its private names and its policy."""
        now = self.read(ec2, it) or {}
        asked = {key: value for key, value in changed.items() if key == "PrivateDnsEnabled"}
        if "PolicyDocument" in changed:
            asked["PolicyDocument"] = json.dumps(changed["PolicyDocument"])
        for key, (join, leave) in _LISTS.items():
            if key in changed:
                seen, wanted = set(now.get(key, [])), set(it.props[key])
                asked |= {join: sorted(wanted - seen), leave: sorted(seen - wanted)}
        ec2.modify_vpc_endpoint(VpcEndpointId=it.id, **{key: one for key, one in asked.items() if one != []})

    def delete(self, ec2: Any, it: Item) -> None:
        """DeleteVpcEndpoints; where a route of it is gone already, its tables leave it first."""
        try:
            self._delete(ec2, it)
        except ClientError as error:
            # moto 5.2.5, for a table that has joined later: ModifyVpcEndpoint makes no route there.
            if code_of(error) != "InvalidRoute.NotFound":
                raise
            tables = (self.read(ec2, it) or {}).get("RouteTableIds", [])
            ec2.modify_vpc_endpoint(VpcEndpointId=it.id, RemoveRouteTableIds=tables)
            self._delete(ec2, it)

    def _delete(self, ec2: Any, it: Item) -> None:
        """It answers 200 with a list of what it did not delete."""
        for failed in ec2.delete_vpc_endpoints(VpcEndpointIds=[it.id]).get("Unsuccessful", []):
            raise ClientError({"Error": failed["Error"]}, "DeleteVpcEndpoints")


class InterfaceEndpoint(VpcEndpoint):
    """One with an address in each of its subnets, behind the service's own name."""

    # go-to-k/cdkd: 1 to 3 min.
    takes, takes_to_go = 90, 60
    # The hidden zone of a deleted one goes by itself (hashicorp/terraform-provider-aws#17535).
    transient = {"create": codes("InvalidParameter: conflicting DNS domain")}


def _as_asked(doc: Doc) -> Doc:
    groups = [group["GroupId"] for group in doc.get("Groups", [])]
    told = json.loads(doc.get("PolicyDocument") or "{}")
    policy = {key: value for key, value in told.items() if key not in ("Version", "Id")}
    return {
        **doc,
        "State": str(doc["State"]).lower(),
        "SecurityGroupIds": groups,
        **({"PolicyDocument": policy} if policy else {}),
    }
