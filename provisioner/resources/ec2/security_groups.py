"""Security groups, and the removal of the rules that AWS adds to new groups by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.names import has_stack_tags
from provisioner.resources.ec2.base import MAX_FILTER_VALUES, Ec2ResourceType, Filters, equals_filters, stack_filters
from provisioner.resources.ec2.network_interfaces import OPERATIONS, interface_blockers
from provisioner.resources.ec2.security_group_rules import (
    ALLOW_ALL,
    GROUP_NOT_FOUND,
    RULE_NOT_FOUND,
    describe_rule,
    ip_permission,
    rules_in,
)
from provisioner.resources.ec2.vpc import VPC_NOT_FOUND
from provisioner.resources.field_owners.ec2 import SECURITY_GROUP
from provisioner.resources.tags import mapping
from provisioner.service_clients import EC2

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import IpPermissionTypeDef


class SecurityGroup(Ec2ResourceType):
    """A security group, without its rules, which are resources of their own."""

    deleted_at_reply = True
    ownership = SECURITY_GROUP
    pricing = FREE
    iam_type, id_paths, id_filter = "security-group", "GroupId", "group-id"
    name_property, name_filter = "GroupName", "group-name"
    discriminators = ("Description",)
    owns_children = True
    not_found_codes = GROUP_NOT_FOUND
    already_exists_codes = codes("InvalidGroup.Duplicate")
    retryable_codes = {"delete": codes("DependencyViolation", "InvalidGroup.InUse")}
    timeout = minutes(40)
    operations = declare_operations(
        remove_unmanaged="RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
        read="DescribeSecurityGroups",
        create="CreateSecurityGroup",
        delete="DeleteSecurityGroup",
        blockers=f"{OPERATIONS} DescribeSecurityGroups",
    )

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the groups that pass the filters (DescribeSecurityGroups)."""
        return list(ec2.describe_security_groups(Filters=filters)["SecurityGroups"])

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the group (CreateSecurityGroup)."""
        reply = ec2.create_security_group(**spec.props, TagSpecifications=self.tag_specifications(spec))
        return {**spec.props, "GroupId": reply["GroupId"]}

    def unmanaged(self, ec2: EC2, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the group's rules that nobody declared, read from the description of the group.

        The default egress rule is left out, because `NoDefaultEgress` removes it.
        """
        directions = (("ingress", "IngressRule", "IpPermissions"), ("egress", "EgressRule", "IpPermissionsEgress"))
        return [
            Unmanaged(
                f"{direction} {describe_rule(rule)}", {"way": direction, "rule": rule}, not_found_codes=RULE_NOT_FOUND
            )
            for direction, type_name, key in directions
            for rule in rules_in(actual.get(key, []))
            if not children.has({**rule, "GroupId": spec.id}, type_name) and (direction, rule) != ("egress", ALLOW_ALL)
        ]

    def remove_unmanaged(self, ec2: EC2, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Revoke a rule by its content (RevokeSecurityGroupIngress, RevokeSecurityGroupEgress)."""
        permissions = [ip_permission(unmanaged.request["rule"])]
        if unmanaged.request["way"] == "ingress":
            ec2.revoke_security_group_ingress(GroupId=spec.id, IpPermissions=permissions)
        else:
            ec2.revoke_security_group_egress(GroupId=spec.id, IpPermissions=permissions)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the group (DeleteSecurityGroup)."""
        ec2.delete_security_group(GroupId=spec.id)

    def blockers(self, ec2: EC2, spec: ResourceSpec) -> list[Blocker]:
        """Return the network interfaces in the group, and the groups with rules that refer to it."""
        groups = ec2.batch_scope.batch(spec.id, str(self), most=MAX_FILTER_VALUES)
        referring = [
            Blocker(
                f"a rule of {group['GroupId']}",
                has_stack_tags(mapping(group.get("Tags", [])), spec.suffix),
                _revoke_commands(ec2, group, spec),
            )
            for filter_name in ("ip-permission.group-id", "egress.ip-permission.group-id")
            for group in self.find(ec2, [{"Name": filter_name, "Values": groups}])
            if group["GroupId"] != spec.id and _refers_to(group, spec.id)
        ]
        interfaces = interface_blockers(ec2, {"group-id": spec.id}, spec.suffix, str(self))
        return interfaces + list(dict.fromkeys(referring))


def _refers_to(group: JsonObject, other: str) -> bool:
    """Return whether a rule of the group names the other group."""
    rules = rules_in([*group.get("IpPermissions", []), *group.get("IpPermissionsEgress", [])])
    return any(rule.get("ReferencedGroupId") == other for rule in rules)


def _revoke_commands(ec2: EC2, group: JsonObject, spec: ResourceSpec) -> str:
    """Return the commands that revoke the rules of `group` that refer to ours; "" if `group` is of the stack."""
    if has_stack_tags(mapping(group.get("Tags", [])), spec.suffix):
        return ""
    commands = []
    for direction, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        for rule in group.get(key, []):
            if any(pair.get("GroupId") == spec.id for pair in rule.get("UserIdGroupPairs", [])):
                permission = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
                permission["UserIdGroupPairs"] = [{"GroupId": spec.id}]
                commands.append(
                    f"`aws ec2 revoke-security-group-{direction} --group-id {group['GroupId']} "
                    f"--ip-permissions '{json.dumps([permission])}' --region {ec2.region}`"
                )
    return ", then ".join(commands)


class NoDefaultEgress(ResourceType):
    """The absence of the allow-all egress rule that AWS adds to each new group."""

    container_property = "GroupId"
    service, id_paths = "ec2", "GroupId"
    pricing = FREE
    ownership = SECURITY_GROUP
    tagged, deleted_with_parent = False, True
    lookup_properties = ("GroupId",)
    not_found_codes = GROUP_NOT_FOUND
    # The rule was revoked already.
    already_exists_codes = RULE_NOT_FOUND
    operations = declare_operations(read="DescribeSecurityGroups", create="RevokeSecurityGroupEgress")

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the group's id if it lacks the allow-all egress rule (DescribeSecurityGroups).

        None while the rule is there, and if the group is missing.
        """
        group = spec.props["GroupId"]
        for filters in (stack_filters(ec2, spec), equals_filters({"group-id": group})):
            for actual in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
                if actual["GroupId"] == group:
                    return None if ALLOW_ALL in rules_in(actual["IpPermissionsEgress"]) else {"GroupId": group}
        return None

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Revoke the allow-all egress rule (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=spec.props["GroupId"], IpPermissions=[ip_permission(ALLOW_ALL)])
        return dict(spec.props)

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Do nothing: the group is deleted as a whole."""


class _DefaultGroupWithoutRules(ResourceType):
    """The default security group of a VPC without rules in one direction.

    An interface that is put into the group by mistake then has no traffic.
    """

    container_property = "VpcId"
    service, id_paths = "ec2", "VpcId"
    pricing = FREE
    ownership = SECURITY_GROUP
    tagged, deleted_with_parent = False, True
    lookup_properties = ("VpcId",)
    not_found_codes = VPC_NOT_FOUND
    # The rule was revoked already.
    already_exists_codes = codes("InvalidPermission.NotFound")
    rules_key: str
    iam_type, untagged = "security-group", True
    operations = declare_operations(read="DescribeSecurityGroups")

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the VPC's id if the group has no rule (DescribeSecurityGroups).

        None while it has a rule, and if the VPC is missing.
        """
        group = self._read_group(ec2, spec)
        return {"VpcId": spec.props["VpcId"]} if group and not group[self.rules_key] else None

    def _read_group(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the default group of the VPC, or None if the VPC is missing."""
        filters = equals_filters({"vpc-id": spec.props["VpcId"], "group-name": "default"})
        return next(iter(ec2.describe_security_groups(Filters=filters)["SecurityGroups"]), None)

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Revoke all rules of the direction, in one call."""
        group = self._read_group(ec2, spec) or {}
        if group.get(self.rules_key):
            self.revoke_rules(ec2, group["GroupId"], group[self.rules_key])
        return {"VpcId": spec.props["VpcId"]}

    def revoke_rules(self, ec2: EC2, group: str, rules: list[IpPermissionTypeDef]) -> None:
        """Revoke the rules."""
        raise NotImplementedError

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Do nothing: the group is deleted with its VPC."""


class BareDefaultIngress(_DefaultGroupWithoutRules):
    """The default group without ingress rules."""

    rules_key = "IpPermissions"
    operations = declare_operations(create="RevokeSecurityGroupIngress DescribeSecurityGroups")

    def revoke_rules(self, ec2: EC2, group: str, rules: list[IpPermissionTypeDef]) -> None:
        """Revoke the ingress rules (RevokeSecurityGroupIngress)."""
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)


class BareDefaultEgress(_DefaultGroupWithoutRules):
    """The default group without egress rules."""

    rules_key = "IpPermissionsEgress"
    operations = declare_operations(create="RevokeSecurityGroupEgress DescribeSecurityGroups")

    def revoke_rules(self, ec2: EC2, group: str, rules: list[IpPermissionTypeDef]) -> None:
        """Revoke the egress rules (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rules)
