"""VPC endpoints: gateway endpoints, which add to route tables, and interface endpoints, in subnets."""

from __future__ import annotations

import json
from collections.abc import Iterator

from botocore.exceptions import ClientError

from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import HOURS_PER_MONTH, Doc, MonthlyCharge, PricedResources, Pricing
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ec2.base import Ec2ResourceType, Filters
from provisioner.resources.field_owners.ec2 import ENDPOINT
from provisioner.service_clients import EC2

# The lists of an endpoint, and the parameters of ModifyVpcEndpoint that add to a list and remove from it.
_LIST_PARAMETERS = {
    "RouteTableIds": ("AddRouteTableIds", "RemoveRouteTableIds"),
    "SubnetIds": ("AddSubnetIds", "RemoveSubnetIds"),
    "SecurityGroupIds": ("AddSecurityGroupIds", "RemoveSecurityGroupIds"),
}


def _endpoint_charges(props: Doc, _resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of an interface endpoint by the hour, once for each subnet."""
    if props.get("VpcEndpointType") == "Interface":
        hours = HOURS_PER_MONTH * len(props.get("SubnetIds") or [1])
        yield MonthlyCharge.flat("interface endpoints", "endpoint_hour", hours)


class VpcEndpoint(Ec2ResourceType):
    """A private connection from the VPC to one AWS service; this class is the gateway endpoint."""

    ownership = ENDPOINT
    pricing = Pricing(_endpoint_charges)
    noun, iam_type, id_paths, id_filter = "endpoint", "vpc-endpoint", "VpcEndpointId", "vpc-endpoint-id"
    # AWS refuses a list of ids of which one does not exist.
    ids_per_call = 1
    discriminators = ("ServiceName",)
    unique_properties = ("VpcId", "ServiceName")
    immutable = frozenset({"VpcId", "ServiceName", "VpcEndpointType"})
    ready, failed = {"State": "available"}, {"State": frozenset({"failed", "rejected", "expired"})}
    deleting, deleted = {"State": "deleting"}, {"State": "deleted"}
    # botocore ec2 State
    status_classes = (
        StatusClasses(
            "State",
            in_lower_case("Available"),
            in_lower_case("PendingAcceptance Pending"),
            in_lower_case("Rejected Failed Expired Partial"),
            in_lower_case("Deleting Deleted"),
        ),
    )
    on_failure = "replace"
    not_found_codes = codes("InvalidVpcEndpointId.NotFound", "InvalidVpcEndpoint.NotFound")
    timeout = minutes(15)
    operations = declare_operations(
        read="DescribeVpcEndpoints",
        create="CreateVpcEndpoint",
        update="ModifyVpcEndpoint DescribeVpcEndpoints",
        delete="DeleteVpcEndpoints DescribeVpcEndpoints ModifyVpcEndpoint",
    )

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the endpoints that pass the filters (DescribeVpcEndpoints), with states in lower case.

        AWS returns states in either case.
        """
        return [_in_declared_form(actual) for actual in ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]]

    def find_by_ids(self, ec2: EC2, ids: list[str]) -> list[JsonObject]:
        """Return the endpoint with this id in a list; not every emulator knows the filter by id."""
        endpoints = ec2.describe_vpc_endpoints(VpcEndpointIds=ids)["VpcEndpoints"]
        return [_in_declared_form(actual) for actual in endpoints]

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the endpoint with a client token of ours: the SDK fills none in (CreateVpcEndpoint)."""
        reply = ec2.create_vpc_endpoint(
            **spec.props, ClientToken=spec.token, TagSpecifications=self.tag_specifications(spec)
        )
        return _in_declared_form(reply["VpcEndpoint"])

    def update(self, ec2: EC2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Change private DNS, the policy and the lists of an endpoint (ModifyVpcEndpoint).

        Of a list, the call takes the ids to add and the ids to remove.
        """
        described = self.read(ec2, spec) or {}
        parameters = {key: value for key, value in changed.items() if key == "PrivateDnsEnabled"}
        if "PolicyDocument" in changed:
            parameters["PolicyDocument"] = json.dumps(changed["PolicyDocument"])
        for key, (add_key, remove_key) in _LIST_PARAMETERS.items():
            if key in changed:
                actual, desired = set(described.get(key, [])), set(spec.props[key])
                parameters |= {add_key: sorted(desired - actual), remove_key: sorted(actual - desired)}
        given = {key: value for key, value in parameters.items() if value != []}
        ec2.modify_vpc_endpoint(VpcEndpointId=spec.id, **given)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the endpoint (DeleteVpcEndpoints).

        If one of its routes is gone already, its route tables are removed first.
        """
        try:
            self._delete_or_raise(ec2, spec)
        except ClientError as error:
            # moto 5.2.5, for a table that was added later: ModifyVpcEndpoint makes no route in it.
            if code_of(error) != "InvalidRoute.NotFound":
                raise
            tables = (self.read(ec2, spec) or {}).get("RouteTableIds", [])
            ec2.modify_vpc_endpoint(VpcEndpointId=spec.id, RemoveRouteTableIds=tables)
            self._delete_or_raise(ec2, spec)

    def _delete_or_raise(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the endpoint, and raise the error in the reply: the call answers 200 even if it fails."""
        for failed in ec2.delete_vpc_endpoints(VpcEndpointIds=[spec.id]).get("Unsuccessful", []):
            raise ClientError({"Error": failed["Error"]}, "DeleteVpcEndpoints")


class InterfaceEndpoint(VpcEndpoint):
    """An interface endpoint: an address in each of its subnets, under the service's own DNS name."""

    # go-to-k/cdkd: 1 to 3 min.
    typical_create_seconds, typical_delete_seconds = 90, 60
    pricing = Pricing(_endpoint_charges, by_use="gigabytes through endpoints")
    # The hidden DNS zone of a deleted one goes by itself (hashicorp/terraform-provider-aws#17535).
    retryable_codes = {"create": codes("InvalidParameter: conflicting DNS domain")}


def _in_declared_form(actual: JsonObject) -> JsonObject:
    """Return an endpoint from DescribeVpcEndpoints in the form of the declared properties."""
    groups = [group["GroupId"] for group in actual.get("Groups", [])]
    document = json.loads(actual.get("PolicyDocument") or "{}")
    policy = {key: value for key, value in document.items() if key not in ("Version", "Id")}
    return {
        **actual,
        "State": str(actual["State"]).lower(),
        "SecurityGroupIds": groups,
        **({"PolicyDocument": policy} if policy else {}),
    }
