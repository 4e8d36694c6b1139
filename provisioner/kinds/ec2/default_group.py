"""The default security group of a VPC, with the rules that AWS gives it revoked."""

from __future__ import annotations

from typing import Any

from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.traits import calling, codes
from provisioner.kinds.ec2.tagged import where
from provisioner.kinds.ec2.vpc import NO_VPC
from provisioner.kinds.members.ec2 import SECURITY_GROUP


class _Bare(Kind):
    """One direction of the default group without rules.

    An interface that is put into the group by mistake then reaches nothing.
    """

    service, key = "ec2", "VpcId"
    members = SECURITY_GROUP
    tagged, vanishes = False, True
    within = ("VpcId",)
    absent = NO_VPC
    # The rule was revoked already.
    duplicate = codes("InvalidPermission.NotFound")
    permissions: str
    resource, untagged = "security-group", True
    calls = calling(read="DescribeSecurityGroups")

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the VPC's id if the group has no rule (DescribeSecurityGroups).

        None while it has a rule, and if the VPC is missing.
        """
        group = self._group(ec2, spec)
        return {"VpcId": spec.props["VpcId"]} if group and not group[self.permissions] else None

    def _group(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        filters = where({"vpc-id": spec.props["VpcId"], "group-name": "default"})
        return next(iter(ec2.describe_security_groups(Filters=filters)["SecurityGroups"]), None)

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Revoke all rules of the direction in one call."""
        group = self._group(ec2, spec) or {}
        if group.get(self.permissions):
            self.revoke(ec2, group["GroupId"], group[self.permissions])
        return {"VpcId": spec.props["VpcId"]}

    def revoke(self, ec2: Any, group: str, rules: list[Doc]) -> None:
        """Revoke the rules."""
        raise NotImplementedError

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Do nothing: the group is deleted with its VPC."""


class BareDefaultIngress(_Bare):
    """The default group without ingress rules."""

    permissions = "IpPermissions"
    calls = calling(create="RevokeSecurityGroupIngress DescribeSecurityGroups")

    def revoke(self, ec2: Any, group: str, rules: list[Doc]) -> None:
        """Revoke the ingress rules (RevokeSecurityGroupIngress)."""
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)


class BareDefaultEgress(_Bare):
    """The default group without egress rules."""

    permissions = "IpPermissionsEgress"
    calls = calling(create="RevokeSecurityGroupEgress DescribeSecurityGroups")

    def revoke(self, ec2: Any, group: str, rules: list[Doc]) -> None:
        """Revoke the egress rules (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules)
