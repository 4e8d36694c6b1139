"""The VPC with its DNS attributes, and the subnet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.health_status import StatusClasses, in_lower_case
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.resources.ec2.base import Ec2ResourceType, Filters
from provisioner.resources.ec2.network_interfaces import OPERATIONS, interface_blockers
from provisioner.resources.ec2.vpc_blockers import OPERATIONS as IN_VPC
from provisioner.resources.ec2.vpc_blockers import vpc_blockers
from provisioner.resources.ec2.vpc_unmanaged import unmanaged_in_vpc
from provisioner.resources.field_owners.ec2 import SUBNET, VPC, VPC_DNS
from provisioner.resources.subresource import SubresourceType
from provisioner.service_clients import EC2

if TYPE_CHECKING:
    from types_boto3_ec2.literals import VpcAttributeNameType

# Both spellings occur (terraform-provider-aws ec2/errors.go).
SUBNET_NOT_FOUND = codes("InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound")
VPC_NOT_FOUND = codes("InvalidVpcID.NotFound")


class Vpc(Ec2ResourceType):
    """A virtual private cloud."""

    deleted_at_reply = True
    ownership = VPC
    pricing = FREE
    noun, iam_type, id_paths, id_filter = "vpc", "vpc", "VpcId", "vpc-id"
    holds_data = True
    ready = {"State": "available"}
    # botocore ec2 VpcState
    status_classes = (
        StatusClasses("State", in_lower_case("available"), in_lower_case("pending"), gone=in_lower_case("deleting")),
    )
    not_found_codes = VPC_NOT_FOUND
    retryable_codes = {"delete": codes("DependencyViolation")}
    timeout = minutes(20)
    operations = declare_operations(
        unmanaged=IN_VPC,
        read="DescribeVpcs",
        create="CreateVpc",
        delete="DeleteVpc",
        blockers=f"{OPERATIONS} {IN_VPC}",
    )

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the VPCs that pass the filters (DescribeVpcs)."""
        return list(ec2.describe_vpcs(Filters=filters)["Vpcs"])

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the VPC (CreateVpc)."""
        return dict(ec2.create_vpc(**spec.props, TagSpecifications=self.tag_specifications(spec))["Vpc"])

    def unmanaged(self, ec2: EC2, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the undeclared resources in the VPC, and the changed network ACLs around our subnets."""
        return unmanaged_in_vpc(ec2, spec, children)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the VPC with its default group, main route table and default ACL (DeleteVpc)."""
        ec2.delete_vpc(VpcId=spec.id)

    def blockers(self, ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
        """Return the resources that are still in the VPC and are not deleted with it.

        A resource is left out if one of its network interfaces is returned, which has the same remedy.
        """
        by_interface = interface_blockers(ec2, {"vpc-id": spec.id}, spec.suffix)
        remedies = {blocker.remedy for blocker in by_interface}
        return by_interface + [blocker for blocker in vpc_blockers(ec2, spec) if blocker.remedy not in remedies]


class _VpcAttribute(SubresourceType):
    """One DNS attribute of a VPC. AWS reads and changes one per call."""

    service, id_paths = "ec2", "VpcId"
    ownership = VPC_DNS
    not_found_codes = VPC_NOT_FOUND
    attribute: VpcAttributeNameType
    field: str
    operations = declare_operations(
        read="DescribeVpcAttribute", create="ModifyVpcAttribute", update="ModifyVpcAttribute"
    )

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the attribute (DescribeVpcAttribute)."""
        vpc = spec.props["VpcId"]
        actual: JsonObject = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=self.attribute)
        return {"VpcId": vpc, self.field: actual[self.field]}

    def apply(self, ec2: EC2, props: JsonObject) -> None:
        """Set the attribute (ModifyVpcAttribute)."""
        ec2.modify_vpc_attribute(**props)


class DnsSupport(_VpcAttribute):
    """Whether the VPC's own DNS resolver answers."""

    attribute, field = "enableDnsSupport", "EnableDnsSupport"


class DnsHostnames(_VpcAttribute):
    """Whether hosts in the VPC get DNS names."""

    attribute, field = "enableDnsHostnames", "EnableDnsHostnames"


class Subnet(Ec2ResourceType):
    """A subnet: a block of addresses in one zone."""

    deleted_at_reply = True
    ownership = SUBNET
    pricing = FREE
    noun, iam_type, id_paths, id_filter = "subnet", "subnet", "SubnetId", "subnet-id"
    discriminators = ("CidrBlock",)
    ready = {"State": "available"}
    # botocore ec2 SubnetState
    status_classes = (
        StatusClasses(
            "State",
            in_lower_case("available"),
            in_lower_case("pending"),
            unhealthy=in_lower_case("unavailable failed failed-insufficient-capacity"),
        ),
    )
    immutable = frozenset({"VpcId", "AvailabilityZone", "CidrBlock"})
    unique_properties, cidr_properties = ("VpcId", "CidrBlock"), frozenset({"CidrBlock"})
    holds_data = True
    not_found_codes = SUBNET_NOT_FOUND
    retryable_codes = {"delete": codes("DependencyViolation")}
    # Interfaces of a deleted load balancer may remain for 35 min (terraform-provider-aws elbv2).
    timeout = minutes(40)
    operations = declare_operations(
        read="DescribeSubnets",
        create="CreateSubnet",
        update="ModifySubnetAttribute",
        delete="DeleteSubnet",
        blockers=OPERATIONS,
    )

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the subnets that pass the filters (DescribeSubnets)."""
        return list(ec2.describe_subnets(Filters=filters)["Subnets"])

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the subnet (CreateSubnet). A new subnet assigns no public addresses, as is declared."""
        parameters = {key: value for key, value in spec.props.items() if key in self.immutable}
        return dict(ec2.create_subnet(**parameters, TagSpecifications=self.tag_specifications(spec))["Subnet"])

    def update(self, ec2: EC2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Set the address and DNS attributes of the subnet, one per call (ModifySubnetAttribute)."""
        for key in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"):
            if key in changed:
                value: JsonObject = {key: {"Value": changed[key]}}
                ec2.modify_subnet_attribute(SubnetId=spec.id, **value)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the subnet (DeleteSubnet)."""
        ec2.delete_subnet(SubnetId=spec.id)

    def blockers(self, ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
        """Return the network interfaces that are still in the subnet."""
        return interface_blockers(ec2, {"subnet-id": spec.id}, spec.suffix, str(self))
