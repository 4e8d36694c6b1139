"""Security groups, their single rules, and the removal of the default egress rule."""

from __future__ import annotations

import json
from typing import Any

from provisioner.answers import made_in
from provisioner.engine.extras import Extra, Inside
from provisioner.engine.kind import Kind, ResourceSpec
from provisioner.engine.refs import Doc
from provisioner.engine.refused import Holder
from provisioner.engine.traits import calling, codes, minutes
from provisioner.kinds.ec2.interfaces import ASKED, interfaces
from provisioner.kinds.ec2.permissions import EVERYWHERE, contents, in_words, permission
from provisioner.kinds.ec2.tagged import Ec2, Filters, of_stack, where
from provisioner.kinds.members.ec2 import SECURITY_GROUP, SECURITY_GROUP_RULE
from provisioner.kinds.tags import mapping
from provisioner.names import bears

NO_GROUP = codes("InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound")
_REVOKED = codes("InvalidPermission.NotFound")


class SecurityGroup(Ec2):
    """A security group, without its rules, which are resources of their own."""

    members = SECURITY_GROUP
    resource, key, id_filter = "security-group", "GroupId", "group-id"
    named, name_filter = "GroupName", "group-name"
    distinct = ("Description",)
    owns_inside = True
    absent = NO_GROUP
    duplicate = codes("InvalidGroup.Duplicate")
    transient = {"delete": codes("DependencyViolation", "InvalidGroup.InUse")}
    patience = minutes(40)
    calls = calling(
        remove="RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
        read="DescribeSecurityGroups",
        create="CreateSecurityGroup",
        delete="DeleteSecurityGroup",
        holders=f"{ASKED} DescribeSecurityGroups",
    )

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the groups that pass the filters (DescribeSecurityGroups)."""
        return list(ec2.describe_security_groups(Filters=filters)["SecurityGroups"])

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the group (CreateSecurityGroup)."""
        made = ec2.create_security_group(**spec.props, TagSpecifications=self.specification(spec))
        return {**spec.props, "GroupId": made["GroupId"]}

    def extras(self, ec2: Any, spec: ResourceSpec, doc: Doc, inside: Inside) -> list[Extra]:
        """Return the group's rules that nobody declared, read from the description of the group.

        The default egress rule is left out, because `NoDefaultEgress` removes it.
        """
        ways = (("ingress", "IngressRule", "IpPermissions"), ("egress", "EgressRule", "IpPermissionsEgress"))
        return [
            Extra(f"{way} {in_words(rule)}", {"way": way, "rule": rule}, gone=_REVOKED)
            for way, kind, key in ways
            for rule in contents(doc.get(key, []))
            if not inside.has({**rule, "GroupId": spec.id}, kind) and (way, rule) != ("egress", EVERYWHERE)
        ]

    def remove(self, ec2: Any, spec: ResourceSpec, extra: Extra) -> None:
        """Revoke a rule by its content (RevokeSecurityGroupIngress, RevokeSecurityGroupEgress)."""
        permissions = [permission(extra.doc["rule"])]
        if extra.doc["way"] == "ingress":
            ec2.revoke_security_group_ingress(GroupId=spec.id, IpPermissions=permissions)
        else:
            ec2.revoke_security_group_egress(GroupId=spec.id, IpPermissions=permissions)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the group (DeleteSecurityGroup)."""
        ec2.delete_security_group(GroupId=spec.id)

    def holders(self, ec2: Any, spec: ResourceSpec) -> list[Holder]:
        """Return the network interfaces in the group, and the groups with rules that refer to it."""
        naming = [
            Holder(
                f"a rule of {one['GroupId']}",
                bears(mapping(one.get("Tags", [])), spec.suffix),
                _revoked(ec2, one, spec),
            )
            for way in ("ip-permission.group-id", "egress.ip-permission.group-id")
            for one in ec2.describe_security_groups(Filters=where({way: spec.id}))["SecurityGroups"]
            if one["GroupId"] != spec.id
        ]
        return interfaces(ec2, {"group-id": spec.id}, spec.suffix) + list(dict.fromkeys(naming))


def _revoked(ec2: Any, group: Doc, spec: ResourceSpec) -> str:
    """Return the commands that revoke another group's rules about ours; "" for a group of the stack."""
    if bears(mapping(group.get("Tags", [])), spec.suffix):
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


class NoDefaultEgress(Kind):
    """A group without the allow-all egress rule that AWS adds to each new group."""

    service, key = "ec2", "GroupId"
    members = SECURITY_GROUP
    tagged, vanishes = False, True
    within = ("GroupId",)
    absent = NO_GROUP
    # The rule was revoked already.
    duplicate = _REVOKED
    calls = calling(read="DescribeSecurityGroups", create="RevokeSecurityGroupEgress")

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the group's id if it lacks the allow-all egress rule (DescribeSecurityGroups).

        None while the rule is there, and if the group is missing.
        """
        group = spec.props["GroupId"]
        for filters in (of_stack(ec2, spec), where({"group-id": group})):
            for doc in ec2.describe_security_groups(Filters=filters)["SecurityGroups"]:
                if doc["GroupId"] == group:
                    return None if EVERYWHERE in contents(doc["IpPermissionsEgress"]) else {"GroupId": group}
        return None

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Revoke the allow-all egress rule (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=spec.props["GroupId"], IpPermissions=[permission(EVERYWHERE)])
        return dict(spec.props)

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Do nothing: the group is deleted as a whole."""


_PEERS = ("CidrIpv4", "PrefixListId", "ReferencedGroupId")
_CONTENT = ("GroupId", "IpProtocol", "FromPort", "ToPort", *_PEERS)


class _Rule(Ec2):
    """One rule of a security group of the stack."""

    members = SECURITY_GROUP_RULE
    noun, resource, key = "sgr", "security-group-rule", "SecurityGroupRuleId"
    id_filter = "security-group-rule-id"
    distinct = ("Description",)
    within = ("GroupId",)
    # AWS changes a rule in place at once, which would cut off connections that still need the old one. So a
    # new rule is made first, and the old one is deleted when nothing needs it.
    fixed = frozenset(_CONTENT)
    claims = _CONTENT
    # A rule with the same content in a group of the stack is adopted, whoever made it.
    adopts_untagged = True
    visible_within = 0
    absent = NO_GROUP | codes("InvalidSecurityGroupRuleId.NotFound", "InvalidPermission.NotFound")
    duplicate = codes("InvalidPermission.Duplicate")
    egress: bool
    calls = calling(read="DescribeSecurityGroupRules", update="ModifySecurityGroupRules")

    def find(self, ec2: Any, filters: Filters) -> list[Doc]:
        """Return the rules that pass the filters (DescribeSecurityGroupRules)."""
        found = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return [_flat(doc) for doc in found]

    def read(self, ec2: Any, spec: ResourceSpec) -> Doc | None:
        """Return the rule by its id or tags, else the rule of the group with the same content."""
        found = super().read(ec2, spec)
        if found is None:
            rules = self.find(ec2, where({"group-id": spec.props["GroupId"]}))
            alike = (doc for doc in self._tidy(rules) if self._alike(doc, spec))
            found = next(alike, None)
        return found

    def _alike(self, doc: Doc, spec: ResourceSpec) -> bool:
        content = {key: value for key, value in spec.props.items() if key != "Description"}
        return doc["IsEgress"] == self.egress and content.items() <= doc.items()

    def update(self, ec2: Any, spec: ResourceSpec, changed: Doc) -> None:
        """Replace the whole rule (ModifySecurityGroupRules)."""
        rule = {key: value for key, value in spec.props.items() if key != "GroupId"}
        ec2.modify_security_group_rules(
            GroupId=spec.props["GroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": spec.id, "SecurityGroupRule": rule}],
        )


class IngressRule(_Rule):
    """A rule for incoming traffic: from where, to which ports."""

    egress = False
    calls = calling(create="AuthorizeSecurityGroupIngress", delete="RevokeSecurityGroupIngress")

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the rule (AuthorizeSecurityGroupIngress)."""
        made = ec2.authorize_security_group_ingress(
            GroupId=spec.props["GroupId"],
            IpPermissions=[permission(spec.props)],
            TagSpecifications=self.specification(spec),
        )
        return _flat(made_in(made, "SecurityGroupRules"))

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the rule (RevokeSecurityGroupIngress)."""
        ec2.revoke_security_group_ingress(GroupId=spec.props["GroupId"], SecurityGroupRuleIds=[spec.id])


class EgressRule(_Rule):
    """A rule for outgoing traffic: to where, to which ports."""

    egress = True
    calls = calling(create="AuthorizeSecurityGroupEgress", delete="RevokeSecurityGroupEgress")

    def create(self, ec2: Any, spec: ResourceSpec) -> Doc:
        """Create the rule (AuthorizeSecurityGroupEgress)."""
        made = ec2.authorize_security_group_egress(
            GroupId=spec.props["GroupId"],
            IpPermissions=[permission(spec.props)],
            TagSpecifications=self.specification(spec),
        )
        return _flat(made_in(made, "SecurityGroupRules"))

    def delete(self, ec2: Any, spec: ResourceSpec) -> None:
        """Delete the rule (RevokeSecurityGroupEgress)."""
        ec2.revoke_security_group_egress(GroupId=spec.props["GroupId"], SecurityGroupRuleIds=[spec.id])


def _flat(doc: Doc) -> Doc:
    # Put the id of a referenced group at the top level, as it is declared.
    other = (doc.get("ReferencedGroupInfo") or {}).get("GroupId")
    return {**doc, "ReferencedGroupId": other} if other else dict(doc)
