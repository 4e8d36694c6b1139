"""Single rules of security groups, and the two forms in which EC2 describes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast

from provisioner.aws.responses import created_resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.charges import FREE
from provisioner.engine.types.data import codes, declare_operations
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.resources.ec2.base import Ec2ResourceType, Filters, equals_filters
from provisioner.resources.field_owners.ec2 import SECURITY_GROUP_RULE
from provisioner.service_clients import EC2

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import IpPermissionTypeDef

GROUP_NOT_FOUND = codes("InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound")
RULE_NOT_FOUND = codes("InvalidPermission.NotFound")
# For each type of peer: its list in IpPermissions, its key in that list, and its key in SecurityGroupRule.
_PEERS = (
    ("IpRanges", "CidrIp", "CidrIpv4"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
)
_PORT_KEYS = ("IpProtocol", "FromPort", "ToPort")
_PEER_KEYS = ("CidrIpv4", "PrefixListId", "ReferencedGroupId")
_CONTENT_KEYS = ("GroupId", "IpProtocol", "FromPort", "ToPort", *_PEER_KEYS)
# The egress rule that AWS adds to each new group.
ALLOW_ALL: JsonObject = {"IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0"}


class _SecurityGroupRule(Ec2ResourceType):
    """One rule of a security group of the stack."""

    container_property, deleted_with_container, deleted_at_reply = "GroupId", True, True
    deleted_in_lists = True
    ownership = SECURITY_GROUP_RULE
    pricing = FREE
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

    def find(self, ec2: EC2, filters: Filters) -> list[JsonObject]:
        """Return the rules that pass the filters (DescribeSecurityGroupRules)."""
        rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return [_in_declared_form(actual) for actual in rules]

    def read(self, ec2: EC2, spec: ResourceSpec) -> JsonObject | None:
        """Return the rule by its id or tags, else the rule of the group with the same content."""
        actual = super().read(ec2, spec)
        if actual is None:
            rules = self.find(ec2, equals_filters({"group-id": spec.props["GroupId"]}))
            same_content = (rule for rule in self._with_tags_as_dict(rules) if self._has_content_of(rule, spec))
            actual = next(same_content, None)
        return actual

    def _has_content_of(self, actual: JsonObject, spec: ResourceSpec) -> bool:
        """Return whether a rule has the declared direction, protocol, ports and peer."""
        content = {key: value for key, value in spec.props.items() if key != "Description"}
        return actual["IsEgress"] == self.egress and content.items() <= actual.items()

    def update(self, ec2: EC2, spec: ResourceSpec, changed: JsonObject) -> None:
        """Replace the whole rule (ModifySecurityGroupRules)."""
        rule: Any = {key: value for key, value in spec.props.items() if key != "GroupId"}
        ec2.modify_security_group_rules(
            GroupId=spec.props["GroupId"],
            SecurityGroupRules=[{"SecurityGroupRuleId": spec.id, "SecurityGroupRule": rule}],
        )


class IngressRule(_SecurityGroupRule):
    """A rule for incoming traffic: from where, to which ports."""

    egress = False
    operations = declare_operations(
        create="AuthorizeSecurityGroupIngress",
        delete="RevokeSecurityGroupIngress",
        delete_list="RevokeSecurityGroupIngress",
    )

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the rule (AuthorizeSecurityGroupIngress)."""
        reply = ec2.authorize_security_group_ingress(
            GroupId=spec.props["GroupId"],
            IpPermissions=[ip_permission(spec.props)],
            TagSpecifications=self.tag_specifications(spec),
        )
        return _in_declared_form(created_resource(reply, "SecurityGroupRules"))

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the rule (RevokeSecurityGroupIngress)."""
        self.delete_list(ec2, [spec])

    def delete_list(self, ec2: Any, specs: list[ResourceSpec]) -> None:
        """Delete several rules of one group (RevokeSecurityGroupIngress); AWS refuses all if one is missing."""
        ids = [spec.id for spec in specs]
        ec2.revoke_security_group_ingress(GroupId=specs[0].props["GroupId"], SecurityGroupRuleIds=ids)


class EgressRule(_SecurityGroupRule):
    """A rule for outgoing traffic: to where, to which ports."""

    egress = True
    operations = declare_operations(
        create="AuthorizeSecurityGroupEgress",
        delete="RevokeSecurityGroupEgress",
        delete_list="RevokeSecurityGroupEgress",
    )

    def create(self, ec2: EC2, spec: ResourceSpec) -> JsonObject:
        """Create the rule (AuthorizeSecurityGroupEgress)."""
        reply = ec2.authorize_security_group_egress(
            GroupId=spec.props["GroupId"],
            IpPermissions=[ip_permission(spec.props)],
            TagSpecifications=self.tag_specifications(spec),
        )
        return _in_declared_form(created_resource(reply, "SecurityGroupRules"))

    def delete(self, ec2: EC2, spec: ResourceSpec) -> None:
        """Delete the rule (RevokeSecurityGroupEgress)."""
        self.delete_list(ec2, [spec])

    def delete_list(self, ec2: Any, specs: list[ResourceSpec]) -> None:
        """Delete several rules of one group (RevokeSecurityGroupEgress); AWS refuses all if one is missing."""
        ids = [spec.id for spec in specs]
        ec2.revoke_security_group_egress(GroupId=specs[0].props["GroupId"], SecurityGroupRuleIds=ids)


def rules_in(permissions: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Yield the rules of IpPermissions in the form of SecurityGroupRule: one rule for each peer, without id."""
    for permission in permissions:
        ports = {key: permission[key] for key in _PORT_KEYS if key in permission}
        for list_key, permission_key, rule_key in _PEERS:
            yield from ({**ports, rule_key: peer[permission_key]} for peer in permission.get(list_key, []))


def ip_permission(content: JsonObject) -> IpPermissionTypeDef:
    """Return a rule in the form of IpPermissions, which the authorize and revoke calls take."""
    description = {"Description": content["Description"]} if "Description" in content else {}
    list_key, permission_key, rule_key = next(peer for peer in _PEERS if peer[2] in content)
    ports = {key: content[key] for key in _PORT_KEYS if key in content}
    return cast("IpPermissionTypeDef", {**ports, list_key: [{permission_key: content[rule_key], **description}]})


def describe_rule(content: JsonObject) -> str:
    """Return protocol, ports and peer of a rule, for a message."""
    first, last = content.get("FromPort"), content.get("ToPort")
    ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
    peer = next(str(content[rule_key]) for _, _, rule_key in _PEERS if rule_key in content)
    protocol = "all traffic" if content["IpProtocol"] == "-1" else content["IpProtocol"]
    return f"{protocol}{ports}, {peer}"


def _in_declared_form(actual: JsonObject) -> JsonObject:
    """Return a rule with the id of a referenced group at the top level, as it is declared."""
    other = (actual.get("ReferencedGroupInfo") or {}).get("GroupId")
    return {**actual, "ReferencedGroupId": other} if other else dict(actual)
