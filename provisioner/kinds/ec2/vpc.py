"""VPC and subnets."""

from __future__ import annotations

from typing import Any

from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.states import States, words
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.acls import acls_in, not_as_born
from provisioner.kinds.ec2.blockers import ASKED as IN_VPC
from provisioner.kinds.ec2.blockers import parts_of
from provisioner.kinds.ec2.guard_duty import is_guard_dutys
from provisioner.kinds.ec2.interfaces import ASKED, interfaces
from provisioner.kinds.ec2.tagged import Ec2, Filters, where
from provisioner.kinds.members.ec2 import SUBNET, VPC, VPC_DNS
from provisioner.kinds.setting import Setting
from provisioner.kinds.tags import mapping
from provisioner.kinds.vpc_origin import AMAZONS_GROUP
from provisioner.names import bears

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
        extras="DescribeNetworkAcls DescribeSecurityGroups DescribeSubnets",
        read="DescribeVpcs",
        create="CreateVpc",
        delete="DeleteVpc",
        holders=f"{ASKED} {IN_VPC}",
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """DescribeVpcs."""
        return list(ec2.describe_vpcs(Filters=filters)["Vpcs"])

    def create(self, ec2: Any, it: Item) -> Doc:
        """CreateVpc."""
        return dict(ec2.create_vpc(**it.props, TagSpecifications=self.specification(it))["Vpc"])

    def extras(self, ec2: Any, it: Item, doc: Doc, inside: Inside) -> list[Extra]:
        """DescribeSubnets, DescribeSecurityGroups, DescribeNetworkAcls: those not ours, and around ours."""
        filters = where({"vpc-id": it.id})
        subnets = ec2.describe_subnets(Filters=filters)["Subnets"]
        groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        known = inside.values("SubnetId") | inside.values("GroupId")
        told = [(one["SubnetId"], f"subnet {one['SubnetId']} {one['CidrBlock']}", one) for one in subnets]
        told += [
            (one["GroupId"], f"security group {one['GroupId']} {one['GroupName']}", one)
            for one in groups
            if one["GroupName"] not in ("default", AMAZONS_GROUP) and not is_guard_dutys(one)
        ]
        beside = [Extra(what, {}, _why_it_stays(it, one)) for id_, what, one in told if id_ not in known]
        return beside + not_as_born(acls_in(ec2, it.id), inside.values("SubnetId"), ec2.region)

    def delete(self, ec2: Any, it: Item) -> None:
        """DeleteVpc; default group, main table and default ACL go with it."""
        ec2.delete_vpc(VpcId=it.id)

    def holders(self, ec2: Any, it: Item) -> list[Holder]:
        """What is still in it and does not go with it; what an interface tells of is told once."""
        found = interfaces(ec2, {"vpc-id": it.id}, it.suffix)
        told = {one.remedy for one in found}
        return found + [one for one in parts_of(ec2, it) if one.remedy not in told]


class _VpcAttribute(Setting):
    """One DNS attribute; AWS takes one a call."""

    service, key = "ec2", "VpcId"
    members = VPC_DNS
    absent = NO_VPC
    attribute: str
    field: str
    calls = calling(read="DescribeVpcAttribute", create="ModifyVpcAttribute", update="ModifyVpcAttribute")

    def read(self, ec2: Any, it: Item) -> Doc | None:
        """DescribeVpcAttribute."""
        vpc = it.props["VpcId"]
        seen = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=self.attribute)
        return {"VpcId": vpc, self.field: seen[self.field]}

    def put(self, ec2: Any, props: Doc) -> None:
        """ModifyVpcAttribute."""
        ec2.modify_vpc_attribute(**props)


def _why_it_stays(it: Item, doc: Doc) -> str:
    """What is to be done about one in our VPC that no declaration and no state knows."""
    if bears(mapping(doc.get("Tags", [])), it.suffix):
        return (
            "it bears this stack's own tags, and the state file does not know it; delete it before a teardown"
        )
    return "it stands beside ours; delete it before a teardown, which it would hold up"


class DnsSupport(_VpcAttribute):
    """Whether the VPC's own resolver answers."""

    attribute, field = "enableDnsSupport", "EnableDnsSupport"


class DnsHostnames(_VpcAttribute):
    """Whether hosts in the VPC get names."""

    attribute, field = "enableDnsHostnames", "EnableDnsHostnames"


class Subnet(Ec2):
    """A block of addresses in one zone."""

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
    # Interfaces of a deleted load balancer may linger 35 min (terraform-provider-aws elbv2).
    patience = minutes(40)
    calls = calling(
        read="DescribeSubnets",
        create="CreateSubnet",
        update="ModifySubnetAttribute",
        delete="DeleteSubnet",
        holders=ASKED,
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """DescribeSubnets."""
        return list(ec2.describe_subnets(Filters=filters)["Subnets"])

    def create(self, ec2: Any, it: Item) -> Doc:
        """CreateSubnet; a new one gives no public addresses, as it is wanted."""
        asked = {key: value for key, value in it.props.items() if key in self.fixed}
        return dict(ec2.create_subnet(**asked, TagSpecifications=self.specification(it))["Subnet"])

    def update(self, ec2: Any, it: Item, changed: Doc) -> None:
        """ModifySubnetAttribute, one attribute a call: the addresses and names of what starts in it."""
        for key in ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64"):
            if key in changed:
                ec2.modify_subnet_attribute(SubnetId=it.id, **{key: {"Value": changed[key]}})

    def delete(self, ec2: Any, it: Item) -> None:
        """DeleteSubnet."""
        ec2.delete_subnet(SubnetId=it.id)

    def holders(self, ec2: Any, it: Item) -> list[Holder]:
        """The interfaces that are still in it."""
        return interfaces(ec2, {"subnet-id": it.id}, it.suffix)
