"""The security group that every VPC is born with, without the rules it is born with."""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import Item, Kind
from provisioner.engine.refs import Doc
from provisioner.engine.traits import calling, codes
from provisioner.kinds.ec2.tagged import where
from provisioner.kinds.ec2.vpc import NO_VPC
from provisioner.kinds.members.ec2 import SECURITY_GROUP


class _Bare(Kind):
    """One direction of it: whoever is put into the group by mistake can speak to nobody."""

    service, key = "ec2", "VpcId"
    members = SECURITY_GROUP
    tagged, vanishes = False, True
    within = ("VpcId",)
    absent = NO_VPC
    # Revoked already.
    duplicate = codes("InvalidPermission.NotFound")
    permissions: str
    resource, untagged = "security-group", True
    calls = calling(read="DescribeSecurityGroups")

    def read(self, ec2: Any, it: Item) -> Doc | None:
        """DescribeSecurityGroups: None while a rule is there, and where the VPC is not."""
        group = self._group(ec2, it)
        return {"VpcId": it.props["VpcId"]} if group and not group[self.permissions] else None

    def _group(self, ec2: Any, it: Item) -> Doc | None:
        filters = where({"vpc-id": it.props["VpcId"], "group-name": "default"})
        return next(iter(ec2.describe_security_groups(Filters=filters)["SecurityGroups"]), None)

    def create(self, ec2: Any, it: Item) -> Doc:
        """RevokeSecurityGroupIngress or -Egress: all its rules in one call."""
        group = self._group(ec2, it) or {}
        if group.get(self.permissions):
            self.revoke(ec2, group["GroupId"], group[self.permissions])
        return {"VpcId": it.props["VpcId"]}

    def revoke(self, ec2: Any, group: str, rules: list[Doc]) -> None:
        """Take the rules away."""
        raise NotImplementedError

    def delete(self, ec2: Any, it: Item) -> None:
        """It goes with its VPC."""


class BareDefaultIngress(_Bare):
    """Nobody may come in."""

    permissions = "IpPermissions"
    calls = calling(create="RevokeSecurityGroupIngress DescribeSecurityGroups")

    def revoke(self, ec2: Any, group: str, rules: list[Doc]) -> None:
        """RevokeSecurityGroupIngress."""
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)


class BareDefaultEgress(_Bare):
    """Nobody may go out."""

    permissions = "IpPermissionsEgress"
    calls = calling(create="RevokeSecurityGroupEgress DescribeSecurityGroups")

    def revoke(self, ec2: Any, group: str, rules: list[Doc]) -> None:
        """RevokeSecurityGroupEgress."""
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules)
