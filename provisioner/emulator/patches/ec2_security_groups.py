"""Security groups: descriptions of all rules, duplicate rules, and the number of rules in a prefix list."""

from __future__ import annotations

import re
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

RULES = 60  # AWS doc, VPC quotas: inbound or outbound rules per security group
CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"
WEIGHT = 55  # rules that CloudFront's prefix list counts as; AWS doc, VPC: AWS-managed prefix lists
DESCRIPTION = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}")  # botocore ServiceModel

_PEERS = ("PrefixListId", "GroupId", "CidrIp", "CidrIpv6")

_descriptions: AccountStore[str] = AccountStore()  # by rule id


@always.after("ec2", "DescribeManagedPrefixLists")
def prefix_lists(_: Call, reply: Reply) -> None:
    """Add the version and the maximum of entries of AWS's prefix lists, which count as so many rules."""
    for prefix_list in reply["PrefixLists"]:
        if prefix_list["OwnerId"] == "AWS":
            default = WEIGHT if prefix_list["PrefixListName"] == CLOUDFRONT else 20
            prefix_list.setdefault("MaxEntries", default)
            prefix_list.setdefault("Version", 1)


@always.before("ec2", "CreateSecurityGroup")
def create(call: Call) -> None:
    """Refuse a group description that AWS refuses."""
    _check_description("GroupDescription", call.params.get("Description", ""))


@always.before("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def check_rules(call: Call) -> None:
    """Refuse unknown prefix lists, invalid descriptions, duplicate rules, and rules beyond the quota."""
    ec2 = backend("ec2", call.account, call.region)
    for permission in call.params.get("IpPermissions", []):
        for source in _sources(permission):
            _check_description("Description", source.get("Description", ""))
            name = source.get("PrefixListId")
            if name and name not in ec2.managed_prefix_lists:
                raise AwsError("InvalidPrefixListID.NotFound", f"The prefix list ID '{name}' does not exist")
    group = ec2.get_security_group_from_id(call.params.get("GroupId"))
    if group is None:
        return
    rules = group.ingress_rules if call.operation.endswith("Ingress") else group.egress_rules
    _check_duplicates(call, {_key_of_rule(rule) for rule in rules})
    lists = [rule.prefix_list_id for rule in rules]
    for permission in call.params.get("IpPermissions", []):
        lists += [source.get("PrefixListId") for source in _sources(permission)]
    if sum(_weight(ec2, name) for name in lists) > RULES:
        message = "The maximum number of rules per security group has been reached."
        raise AwsError("RulesPerSecurityGroupLimitExceeded", message)


def _check_duplicates(call: Call, existing: set[str]) -> None:
    """Refuse a rule whose key is in `existing`; another description does not make it another rule.

    Source: EC2 API, Authorize...Ingress.
    """
    for permission in call.params.get("IpPermissions", []):
        for source in _sources(permission):
            peer = next((str(source[key]) for key in _PEERS if source.get(key)), "")
            match = _rule_key(permission, peer)
            if match in existing:
                message = f'the specified rule "peer: {peer}, {match}, ALLOW" already exists'
                raise AwsError("InvalidPermission.Duplicate", message)
            existing.add(match)


def _key_of_rule(rule: Any) -> str:
    """Return the key of one of moto's rules: protocol, ports and peer."""
    ports = {"IpProtocol": rule.ip_protocol, "FromPort": rule.from_port, "ToPort": rule.to_port}
    ranges = rule.ip_range or {}
    group = (rule.source_group or {}).get("GroupId")
    peer = rule.prefix_list_id or group or ranges.get("CidrIp") or ranges.get("CidrIpv6") or ""
    return _rule_key(ports, str(peer))


def _sources(permission: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all peers of a permission: CIDR blocks, prefix lists and security groups."""
    kinds = ("IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs")
    return [source for kind in kinds for source in permission.get(kind, [])]


def _weight(ec2: Any, prefix_list: str | None) -> int:
    """Return how many rules a rule counts as: one, or the entries of its prefix list."""
    if prefix_list is None:
        return 1
    managed_list = ec2.managed_prefix_lists[prefix_list]
    return WEIGHT if managed_list.prefix_list_name == CLOUDFRONT else int(managed_list.max_entries or 20)


def _check_description(parameter: str, text: str) -> None:
    """Refuse a description that is too long or has characters that AWS refuses."""
    if not DESCRIPTION.fullmatch(text):
        message = f"Invalid security group description. Value ({text}) for parameter {parameter} is invalid."
        raise AwsError("InvalidParameterValue", message)


@always.after("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def keep_descriptions(call: Call, reply: Reply) -> None:
    """Keep descriptions of rules whose peer is a group or a prefix list; moto keeps only those of CIDRs."""
    descriptions: dict[str, str] = {}
    for permission in call.params.get("IpPermissions", []):
        for source in _sources(permission):
            name = source.get("PrefixListId") or source.get("GroupId")
            if name and source.get("Description"):
                descriptions[_rule_key(permission, name)] = source["Description"]
    for rule in reply.get("SecurityGroupRules", []):
        permission = {key: rule.get(key) for key in ("IpProtocol", "FromPort", "ToPort")}
        key = _rule_key(permission, _source_of(rule))
        if key in descriptions:
            _descriptions.of(call)[rule["SecurityGroupRuleId"]] = descriptions[key]
            rule["Description"] = descriptions[key]


def _rule_key(permission: dict[str, Any], source: str) -> str:
    """Return the key of a rule: protocol, ports (unless the protocol is -1, for all) and peer."""
    protocol = permission.get("IpProtocol")
    ports = (None, None) if protocol == "-1" else (permission.get("FromPort"), permission.get("ToPort"))
    return f"{protocol} {_port(ports[0])} {_port(ports[1])} {source}"


def _port(port: int | None) -> int:
    """Return a port, or -1 where there is none."""
    return -1 if port is None else port


def _source_of(rule: dict[str, Any]) -> str:
    """Return the prefix list or the group that a rule in a reply names."""
    return str(rule.get("PrefixListId") or rule.get("ReferencedGroupInfo", {}).get("GroupId"))


@always.after("ec2", "ModifySecurityGroupRules")
def keep_changed_descriptions(call: Call, _: Reply) -> None:
    """Keep the descriptions that a call changes."""
    for change in call.params["SecurityGroupRules"]:
        if "Description" in change.get("SecurityGroupRule", {}):
            rule = change["SecurityGroupRuleId"]
            _descriptions.of(call)[rule] = change["SecurityGroupRule"]["Description"]


@always.after("ec2", "DescribeSecurityGroupRules")
def add_rule_descriptions(call: Call, reply: Reply) -> None:
    """Add the kept descriptions to rules."""
    for rule in reply["SecurityGroupRules"]:
        if text := _descriptions.of(call).get(rule["SecurityGroupRuleId"]):
            rule["Description"] = text


@always.after("ec2", "DescribeSecurityGroups")
def add_group_descriptions(call: Call, reply: Reply) -> None:
    """Add the kept descriptions to the permissions of groups."""
    ec2 = backend("ec2", call.account, call.region)
    for description in reply["SecurityGroups"]:
        group = ec2.get_security_group_from_id(description["GroupId"])
        texts = {}
        for rule in [*group.ingress_rules, *group.egress_rules]:
            ports = {"IpProtocol": rule.ip_protocol, "FromPort": rule.from_port, "ToPort": rule.to_port}
            source = rule.prefix_list_id or rule.source_group.get("GroupId")
            texts[_rule_key(ports, str(source))] = _descriptions.of(call).get(rule.id)
        for permission in [*description["IpPermissions"], *description["IpPermissionsEgress"]]:
            for source in _sources(permission):
                name = source.get("PrefixListId") or source.get("GroupId")
                if name and (text := texts.get(_rule_key(permission, name))):
                    source["Description"] = text
