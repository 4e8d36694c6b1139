"""VPC endpoints: gateway endpoints, which add to route tables, and interface endpoints, in subnets."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from provisioner.engine.faults import code_of
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.tagged import Ec2, Filters
from provisioner.kinds.members.ec2 import ENDPOINT

# A list of an endpoint, and the parameters of ModifyVpcEndpoint that add to it and remove from it.
_LISTS = {
    "RouteTableIds": ("AddRouteTableIds", "RemoveRouteTableIds"),
    "SubnetIds": ("AddSubnetIds", "RemoveSubnetIds"),
    "SecurityGroupIds": ("AddSecurityGroupIds", "RemoveSecurityGroupIds"),
}


class VpcEndpoint(Ec2):
    """A private connection from the VPC to one AWS service; this class is the gateway endpoint."""

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
        """Return the endpoints that pass the filters (DescribeVpcEndpoints), with states in lower case.

        AWS returns states in either case.
        """
        return [_as_asked(doc) for doc in ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]]

    def by_id(self, ec2: Any, id_: str) -> list[Doc]:
        """Return the endpoint of this id: not every emulator knows the filter by id."""
        return [_as_asked(doc) for doc in ec2.describe_vpc_endpoints(VpcEndpointIds=[id_])["VpcEndpoints"]]

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the endpoint with a client token of ours: the SDK fills none in (CreateVpcEndpoint)."""
        made = ec2.create_vpc_endpoint(**spec.props, ClientToken=spec.token, TagSpecifications=self.specification(spec))
        return dict(made["VpcEndpoint"])

    def update(self, ec2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Change private DNS, policy and lists (ModifyVpcEndpoint takes what to add and to remove)."""
        now = self.read(ec2, spec) or {}
        asked = {key: value for key, value in changed.items() if key == "PrivateDnsEnabled"}
        if "PolicyDocument" in changed:
            asked["PolicyDocument"] = json.dumps(changed["PolicyDocument"])
        for key, (join, leave) in _LISTS.items():
            if key in changed:
                seen, wanted = set(now.get(key, [])), set(spec.props[key])
                asked |= {join: sorted(wanted - seen), leave: sorted(seen - wanted)}
        ec2.modify_vpc_endpoint(VpcEndpointId=spec.id, **{key: one for key, one in asked.items() if one != []})

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the endpoint (DeleteVpcEndpoints).

        If one of its routes is gone already, its route tables are removed first.
        """
        try:
            self._delete(ec2, spec)
        except ClientError as error:
            # moto 5.2.5, for a table that was added later: ModifyVpcEndpoint makes no route in it.
            if code_of(error) != "InvalidRoute.NotFound":
                raise
            tables = (self.read(ec2, spec) or {}).get("RouteTableIds", [])
            ec2.modify_vpc_endpoint(VpcEndpointId=spec.id, RemoveRouteTableIds=tables)
            self._delete(ec2, spec)

    def _delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Raise the error from the reply: the call answers 200 with a list of what it did not delete."""
        for failed in ec2.delete_vpc_endpoints(VpcEndpointIds=[spec.id]).get("Unsuccessful", []):
            raise ClientError({"Error": failed["Error"]}, "DeleteVpcEndpoints")


class InterfaceEndpoint(VpcEndpoint):
    """An interface endpoint: an address in each of its subnets, under the service's own DNS name."""

    # go-to-k/cdkd: 1 to 3 min.
    takes, takes_to_go = 90, 60
    # The hidden DNS zone of a deleted one goes by itself (hashicorp/terraform-provider-aws#17535).
    transient = {"create": codes("InvalidParameter: conflicting DNS domain")}


def _as_asked(doc: Doc) -> Doc:
    # Bring an endpoint from DescribeVpcEndpoints into the form of the declared properties.
    groups = [group["GroupId"] for group in doc.get("Groups", [])]
    told = json.loads(doc.get("PolicyDocument") or "{}")
    policy = {key: value for key, value in told.items() if key not in ("Version", "Id")}
    return {
        **doc,
        "State": str(doc["State"]).lower(),
        "SecurityGroupIds": groups,
        **({"PolicyDocument": policy} if policy else {}),
    }
