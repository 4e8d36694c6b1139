"""The default security group of a VPC, with the rules that AWS gives it revoked."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.resources.ec2.base import equals_filters
from provisioner.resources.ec2.vpc import VPC_NOT_FOUND
from provisioner.resources.ownership.ec2 import SECURITY_GROUP


class _DefaultGroupWithoutRules(ResourceType):
    """One direction of the default group without rules.

    An interface that is put into the group by mistake then reaches nothing.
    """

    service, id_paths = "ec2", "VpcId"
    ownership = SECURITY_GROUP
    tagged, deleted_with_parent = False, True
    lookup_properties = ("VpcId",)
    not_found_codes = VPC_NOT_FOUND
    # The rule was revoked already.
    already_exists_codes = codes("InvalidPermission.NotFound")
    rules_key: str
    iam_type, untagged = "security-group", True
    operations = declare_operations(read="DescribeSecurityGroups")

    def read(self, ec2: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the VPC's id if the group has no rule (DescribeSecurityGroups).

        None while it has a rule, and if the VPC is missing.
        """
        group = self._read_group(ec2, spec)
        return {"VpcId": spec.props["VpcId"]} if group and not group[self.rules_key] else None

    def _read_group(self, ec2: Any, spec: ResourceSpec) -> JsonObject | None:
        filters = equals_filters({"vpc-id": spec.props["VpcId"], "group-name": "default"})
        return next(iter(ec2.describe_security_groups(Filters=filters)["SecurityGroups"]), None)

    def create(self, ec2: Any, spec: ResourceSpec) -> JsonObject:
        """Revoke all rules of the direction in one call."""
        group = self._read_group(ec2, spec) or {}
        if group.get(self.rules_key):
            self.revoke_rules(ec2, group["GroupId"], group[self.rules_key])
        return {"VpcId": spec.props["VpcId"]}

    def revoke_rules(self, ec2: Any, group: str, rules: list[JsonObject]) -> None:
        """Revoke the rules."""
        raise NotImplementedError

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Do nothing: the group is deleted with its VPC."""


class BareDefaultIngress(_DefaultGroupWithoutRules):
    """The default group without ingress rules."""

    rules_key = "IpPermissions"
    operations = declare_operations(create="RevokeSecurityGroupIngress DescribeSecurityGroups")

    def revoke_rules(self, ec2: Any, group: str, rules: list[JsonObject]) -> None:
        """Revoke the ingress rules (RevokeSecurityGroupIngress)."""
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)


class BareDefaultEgress(_DefaultGroupWithoutRules):
    """The default group without egress rules."""

    rules_key = "IpPermissionsEgress"
    operations = declare_operations(create="RevokeSecurityGroupEgress DescribeSecurityGroups")

    def revoke_rules(self, ec2: Any, group: str, rules: list[JsonObject]) -> None:
        """Revoke the egress rules (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules)
