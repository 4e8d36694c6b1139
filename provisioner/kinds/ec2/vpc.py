"""The VPC with its DNS attributes, and the subnet."""

from __future__ import annotations

from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.blockers import ASKED as IN_VPC
from provisioner.kinds.ec2.blockers import parts_of
from provisioner.kinds.ec2.interfaces import ASKED, interfaces
from provisioner.kinds.ec2.tagged import Ec2, Filters
from provisioner.kinds.ec2.unmanaged import unmanaged
from provisioner.kinds.members.ec2 import SUBNET, VPC, VPC_DNS
from provisioner.kinds.setting import Setting

# Both spellings occur (terraform-provider-aws ec2/errors.go).
NO_SUBNET = codes("InvalidSubnetID.NotFound", "InvalidSubnetId.NotFound")
NO_VPC = codes("InvalidVpcID.NotFound")


class Vpc(Ec2):
    """A virtual private cloud."""

    members = VPC
    noun, resource, key, id_filter = "vpc", "vpc", "VpcId", "vpc-id"
    holds_data = True
    ready = {"State": "available"}
    # botocore ec2 VpcState
    states = (States("State", words("available"), words("pending"), gone=words("deleting")),)
    absent = NO_VPC
    transient = {"delete": codes("DependencyViolation")}
    patience = minutes(20)
    calls = calling(
        extras=IN_VPC,
        read="DescribeVpcs",
        create="CreateVpc",
        delete="DeleteVpc",
        holders=f"{ASKED} {IN_VPC}",
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the VPCs that pass the filters (DescribeVpcs)."""
        return list(ec2.describe_vpcs(Filters=filters)["Vpcs"])

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the VPC (CreateVpc)."""
        return dict(ec2.create_vpc(**spec.props, TagSpecifications=self.specification(spec))["Vpc"])

    def extras(self, ec2: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return what is in the VPC and not declared, and the changed ACLs around our subnets."""
        return unmanaged(ec2, spec, inside)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the VPC with its default group, main route table and default ACL (DeleteVpc)."""
        ec2.delete_vpc(VpcId=spec.id)

    def holders(self, ec2: Any, spec: ResourceSpec) -> list[Holder]:
        """Return what is still in the VPC and is not deleted with it.

        A part that an interface already stands for is left out: both have the same remedy.
        """
        found = interfaces(ec2, {"vpc-id": spec.id}, spec.suffix)
        told = {one.remedy for one in found}
        return found + [one for one in parts_of(ec2, spec) if one.remedy not in told]


class _VpcAttribute(Setting):
    """One DNS attribute of a VPC. AWS reads and changes one per call."""

    service, key = "ec2", "VpcId"
    members = VPC_DNS
    absent = NO_VPC
    attribute: str
    field: str
    calls = calling(read="DescribeVpcAttribute", create="ModifyVpcAttribute", update="ModifyVpcAttribute")

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the attribute (DescribeVpcAttribute)."""
        vpc = spec.props["VpcId"]
        seen = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=self.attribute)
        return {"VpcId": vpc, self.field: seen[self.field]}

    def put(self, ec2: Any, props: Doc) -> None:
        """Set the attribute (ModifyVpcAttribute)."""
        ec2.modify_vpc_attribute(**props)


class DnsSupport(_VpcAttribute):
    """Whether the VPC's own DNS resolver answers."""

    attribute, field = "enableDnsSupport", "EnableDnsSupport"


class DnsHostnames(_VpcAttribute):
    """Whether hosts in the VPC get DNS names."""

    attribute, field = "enableDnsHostnames", "EnableDnsHostnames"


class Subnet(Ec2):
    """A subnet: a block of addresses in one zone."""

    members = SUBNET
    noun, resource, key, id_filter = "subnet", "subnet", "SubnetId", "subnet-id"
    distinct = ("CidrBlock",)
    ready = {"State": "available"}
    # botocore ec2 SubnetState
    states = (
        States(
            "State",
            words("available"),
            words("pending"),
            unhealthy=words("unavailable failed failed-insufficient-capacity"),
        ),
    )
    fixed = frozenset({"VpcId", "AvailabilityZone", "CidrBlock"})
    claims, ranges = ("VpcId", "CidrBlock"), frozenset({"CidrBlock"})
    holds_data = True
    absent = NO_SUBNET
    transient = {"delete": codes("DependencyViolation")}
    # Interfaces of a deleted load balancer may remain for 35 min (terraform-provider-aws elbv2).
    patience = minutes(40)
    calls = calling(
        read="DescribeSubnets",
        create="CreateSubnet",
        update="ModifySubnetAttribute",
        delete="DeleteSubnet",
        holders=ASKED,
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the subnets that pass the filters (DescribeSubnets)."""
        return list(ec2.describe_subnets(Filters=filters)["Subnets"])

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the subnet (CreateSubnet). A new one assigns no public addresses, as is declared."""
        asked = {key: value for key, value in spec.props.items() if key in self.fixed}
        return dict(ec2.create_subnet(**asked, TagSpecifications=self.specification(spec))["Subnet"])

    def update(self, ec2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Set the address and DNS attributes of the subnet, one per call (ModifySubnetAttribute)."""
        for key in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"):
            if key in changed:
                ec2.modify_subnet_attribute(SubnetId=spec.id, **{key: {"Value": changed[key]}})

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the subnet (DeleteSubnet)."""
        ec2.delete_subnet(SubnetId=spec.id)

    def holders(self, ec2: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the network interfaces that are still in the subnet."""
        return interfaces(ec2, {"subnet-id": spec.id}, spec.suffix)
