"""Security groups, their single rules, and the removal of the default egress rule."""

from __future__ import annotations

import json
from typing import Any

from provisioner.aws.responses import created_in
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.blocker import Blocker
from provisioner.engine.types.data import codes, declare_operations, minutes
from provisioner.engine.types.resource_type import ResourceSpec, ResourceType
from provisioner.engine.types.unmanaged import KnownChildren, Unmanaged
from provisioner.names import has_stack_tags
from provisioner.resources.ec2.base import Ec2ResourceType, Filters, equals_filters, stack_filters
from provisioner.resources.ec2.network_interfaces import OPERATIONS, interface_blockers
from provisioner.resources.ec2.permissions import ALLOW_ALL, describe_rule, ip_permission, rules_in
from provisioner.resources.ownership.ec2 import SECURITY_GROUP, SECURITY_GROUP_RULE
from provisioner.resources.tags import mapping

GROUP_NOT_FOUND = codes("InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound")
_RULE_NOT_FOUND = codes("InvalidPermission.NotFound")


class SecurityGroup(Ec2ResourceType):
    """A security group, without its rules, which are resources of their own."""

    ownership = SECURITY_GROUP
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

    def find(self, ec2: Any, filters: Filters) -> list[JsonObject]:
        """Return the groups that pass the filters (DescribeSecurityGroups)."""
        return list(ec2.describe_security_groups(Filters=filters)["SecurityGroups"])

    def create(self, ec2: Any, spec: ResourceSpec) -> JsonObject:
        """Create the group (CreateSecurityGroup)."""
        made = ec2.create_security_group(**spec.props, TagSpecifications=self.tag_specifications(spec))
        return {**spec.props, "GroupId": made["GroupId"]}

    def unmanaged(self, ec2: Any, spec: ResourceSpec, actual: JsonObject, children: KnownChildren) -> list[Unmanaged]:
        """Return the group's rules that nobody declared, read from the description of the group.

        The default egress rule is left out, because `NoDefaultEgress` removes it.
        """
        ways = (("ingress", "IngressRule", "IpPermissions"), ("egress", "EgressRule", "IpPermissionsEgress"))
        return [
            Unmanaged(f"{way} {describe_rule(rule)}", {"way": way, "rule": rule}, not_found_codes=_RULE_NOT_FOUND)
            for way, type_name, key in ways
            for rule in rules_in(actual.get(key, []))
            if not children.has({**rule, "GroupId": spec.id}, type_name) and (way, rule) != ("egress", ALLOW_ALL)
        ]

    def remove_unmanaged(self, ec2: Any, spec: ResourceSpec, unmanaged: Unmanaged) -> None:
        """Revoke a rule by its content (RevokeSecurityGroupIngress, RevokeSecurityGroupEgress)."""
        permissions = [ip_permission(unmanaged.request["rule"])]
        if unmanaged.request["way"] == "ingress":
            ec2.revoke_security_group_ingress(GroupId=spec.id, IpPermissions=permissions)
        else:
            ec2.revoke_security_group_egress(GroupId=spec.id, IpPermissions=permissions)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the group (DeleteSecurityGroup)."""
        ec2.delete_security_group(GroupId=spec.id)

    def blockers(self, ec2: Any, spec: ResourceSpec) -> list[Blocker]:
        """Return the network interfaces in the group, and the groups with rules that refer to it."""
        naming = [
            Blocker(
                f"a rule of {one['GroupId']}",
                has_stack_tags(mapping(one.get("Tags", [])), spec.suffix),
                _revoke_commands(ec2, one, spec),
            )
            for way in ("ip-permission.group-id", "egress.ip-permission.group-id")
            for one in ec2.describe_security_groups(Filters=equals_filters({way: spec.id}))["SecurityGroups"]
            if one["GroupId"] != spec.id
        ]
        return interface_blockers(ec2, {"group-id": spec.id}, spec.suffix) + list(dict.fromkeys(naming))


def _revoke_commands(ec2: Any, group: JsonObject, spec: ResourceSpec) -> str:
    """Return the commands that revoke another group's rules about ours; "" for a group of the stack."""
    if has_stack_tags(mapping(group.get("Tags", [])), spec.suffix):
        return ""
    ends = []
    for way, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        for rule in group.get(key, []):
            named = [one for one in rule.get("UserIdGroupPairs", []) if one.get("GroupId") == spec.id]
            if named:
                shown = {name: rule[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in rule}
                shown["UserIdGroupPairs"] = [{"GroupId": spec.id}]
                ends.append(
                    f"`aws ec2 revoke-security-group-{way} --group-id {group['GroupId']} "
                    f"--ip-permissions '{json.dumps([shown])}' --region {ec2.region}`"
                )
    return ", then ".join(ends)


class NoDefaultEgress(ResourceType):
    """A group without the allow-all egress rule that AWS adds to each new group."""

    service, id_paths = "ec2", "GroupId"
    ownership = SECURITY_GROUP
    tagged, deleted_with_parent = False, True
    lookup_properties = ("GroupId",)
    not_found_codes = GROUP_NOT_FOUND
    # The rule was revoked already.
    already_exists_codes = _RULE_NOT_FOUND
    operations = declare_operations(read="DescribeSecurityGroups", create="RevokeSecurityGroupEgress")

    def read(self, ec2: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the group's id if it lacks the allow-all egress rule (DescribeSecurityGroups).

        None while the rule is there, and if the group is missing.
        """
        group = spec.props["GroupId"]
        for filters in (stack_filters(ec2, spec), equals_filters({"group-id": group})):
            for actual in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
                if actual["GroupId"] == group:
                    return None if ALLOW_ALL in rules_in(actual["IpPermissionsEgress"]) else {"GroupId": group}
        return None

    def create(self, ec2: Any, spec: ResourceSpec) -> JsonObject:
        """Revoke the allow-all egress rule (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=spec.props["GroupId"], IpPermissions=[ip_permission(ALLOW_ALL)])
        return dict(spec.props)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Do nothing: the group is deleted as a whole."""


_PEER_KEYS = ("CidrIpv4", "PrefixListId", "ReferencedGroupId")
_CONTENT_KEYS = ("GroupId", "IpProtocol", "FromPort", "ToPort", *_PEER_KEYS)


class _SecurityGroupRule(Ec2ResourceType):
    """One rule of a security group of the stack."""

    ownership = SECURITY_GROUP_RULE
    noun, iam_type, id_paths = "sgr", "security-group-rule", "SecurityGroupRuleId"
    id_filter = "security-group-rule-id"
    discriminators = ("Description",)
    lookup_properties = ("GroupId",)
    # AWS changes a rule in place at once, which would cut off connections that still need the old one. So a
    # new rule is made first, and the old one is deleted when nothing needs it.
    immutable = frozenset(_CONTENT_KEYS)
    unique_properties = _CONTENT_KEYS
    # A rule with the same content in a group of the stack is adopted, whoever made it.
    adopts_untagged = True
    consistency_seconds = 0
    not_found_codes = GROUP_NOT_FOUND | codes("InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound")
    already_exists_codes = codes("InvalidPermission.Duplicate")
    egress: bool
    operations = declare_operations(read="DescribeSecurityGroupRules", update="ModifySecurityGroupRules")

    def find(self, ec2: Any, filters: Filters) -> list[JsonObject]:
        """Return the rules that pass the filters (DescribeSecurityGroupRules)."""
        found = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return [_in_declared_form(actual) for actual in found]

    def read(self, ec2: Any, spec: ResourceSpec) -> JsonObject | None:
        """Return the rule by its id or tags, else the rule of the group with the same content."""
        found = super().read(ec2, spec)
        if found is None:
            rules = self.find(ec2, equals_filters({"group-id": spec.props["GroupId"]}))
            alike = (actual for actual in self._with_tags_as_dict(rules) if self._has_content_of(actual, spec))
            found = next(alike, None)
        return found

    def _has_content_of(self, actual: JsonObject, spec: ResourceSpec) -> bool:
        content = {key: value for key, value in spec.props.items() if key != "Description"}
        return actual["IsEgress"] == self.egress and content.items() <= actual.items()

    def update(self, ec2: Any, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the whole rule (ModifySecurityGroupRules)."""
        rule = {key: value for key, value in spec.props.items() if key != "GroupId"}
        ec2.modify_security_group_rules(
            GroupId=spec.props["GroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": spec.id, "SecurityGroupRule": rule}],
        )


class IngressRule(_SecurityGroupRule):
    """A rule for incoming traffic: from where, to which ports."""

    egress = False
    operations = declare_operations(create="AuthorizeSecurityGroupIngress", delete="RevokeSecurityGroupIngress")

    def create(self, ec2: Any, spec: ResourceSpec) -> JsonObject:
        """Create the rule (AuthorizeSecurityGroupIngress)."""
        made = ec2.authorize_security_group_ingress(
            GroupId=spec.props["GroupId"],
            IpPermissions=[ip_permission(spec.props)],
            TagSpecifications=self.tag_specifications(spec),
        )
        return _in_declared_form(created_in(made, "SecurityGroupRules"))

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the rule (RevokeSecurityGroupIngress)."""
        ec2.revoke_security_group_ingress(GroupId=spec.props["GroupId"], SecurityGroupRuleIds=[spec.id])


class EgressRule(_SecurityGroupRule):
    """A rule for outgoing traffic: to where, to which ports."""

    egress = True
    operations = declare_operations(create="AuthorizeSecurityGroupEgress", delete="RevokeSecurityGroupEgress")

    def create(self, ec2: Any, spec: ResourceSpec) -> JsonObject:
        """Create the rule (AuthorizeSecurityGroupEgress)."""
        made = ec2.authorize_security_group_egress(
            GroupId=spec.props["GroupId"],
            IpPermissions=[ip_permission(spec.props)],
            TagSpecifications=self.tag_specifications(spec),
        )
        return _in_declared_form(created_in(made, "SecurityGroupRules"))

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the rule (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=spec.props["GroupId"], SecurityGroupRuleIds=[spec.id])


def _in_declared_form(actual: JsonObject) -> JsonObject:
    # Put the id of a referenced group at the top level, as it is declared.
    other = (actual.get("ReferencedGroupInfo") or {}).get("GroupId")
    return {**actual, "ReferencedGroupId": other} if other else dict(actual)
