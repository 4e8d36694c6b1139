"""Changes that somebody made to the network ACLs around the stack's subnets.

Every subnet starts in the VPC's default ACL, which allows all traffic by one rule each way (VPC user guide,
"Default network ACL"). The stack declares no ACL. Network administrators may change them, and an apply leaves
their changes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.unmanaged import Unmanaged
from provisioner.resources.ec2.base import equals_filters

# The number of the rule that allows all IPv4; the numbers of all rules that a default ACL starts with: allow
# all IPv4, allow all IPv6, and the final deny of each.
_ALLOW_ALL_NUMBER, _DEFAULT_RULE_NUMBERS = 100, (100, 101, 32767, 32768)
_ANYWHERE = "0.0.0.0/0"
# Protocol numbers by IANA, as EC2 returns them.
_PROTOCOLS = {"-1": "all traffic", "1": "icmp", "6": "tcp", "17": "udp"}


def network_acls_in(ec2: Any, vpc: str) -> list[JsonObject]:
    """Return the network ACLs of a VPC (DescribeNetworkAcls)."""
    return list(ec2.describe_network_acls(Filters=equals_filters({"vpc-id": vpc}))["NetworkAcls"])


def non_default_rules(acls: list[JsonObject], subnets: Set[str], region: str) -> list[Unmanaged]:
    """Return each difference between the ACLs around these subnets and a new default ACL.

    Args:
        acls: All network ACLs of the VPC.
        subnets: Ids of the subnets that count.
        region: The region, for the commands that undo a difference.

    """
    own = next((str(one["NetworkAclId"]) for one in acls if one["IsDefault"]), "")
    return [unmanaged for acl in acls for unmanaged in _acl_differences(acl, own, subnets, region)]


def _acl_differences(acl: JsonObject, own: str, subnets: Set[str], region: str) -> Iterator[Unmanaged]:
    # Another ACL than the default one is reported once per subnet, the default one by its changed rules.
    children = [one for one in acl.get("Associations", []) if one["SubnetId"] in subnets]
    if not children:
        return
    if acl["IsDefault"]:
        yield from _rule_differences(acl, region)
        return
    for one in children:
        back = f"--association-id {one['NetworkAclAssociationId']} --network-acl-id {own} --region {region}"
        yield Unmanaged(
            f"network ACL {acl['NetworkAclId']} around {one['SubnetId']}",
            {},
            "it decides what passes the subnet's border; "
            f"`aws ec2 replace-network-acl-association {back}` puts the subnet back into the VPC's own",
        )


def _rule_differences(acl: JsonObject, region: str) -> Iterator[Unmanaged]:
    """Yield rules that a new default ACL does not have, and each direction that lacks the allow-all rule."""
    id_ = acl["NetworkAclId"]
    for egress, way in ((False, "ingress"), (True, "egress")):
        rules = [one for one in acl["Entries"] if one["Egress"] is egress]
        if not any(_allows_all(one) for one in rules):
            allow = (
                f"--network-acl-id {id_} --{way} --rule-number {_ALLOW_ALL_NUMBER} --rule-action allow --protocol -1"
            )
            command = f"aws ec2 create-network-acl-entry {allow} --cidr-block {_ANYWHERE} --region {region}"
            lacking = f"network ACL {id_} {way} without the rule that lets all through"
            yield Unmanaged(lacking, {}, f"`{command}` puts it back")
        for one in rules:
            if one["RuleNumber"] not in _DEFAULT_RULE_NUMBERS:
                gone = f"--network-acl-id {id_} --{way} --rule-number {one['RuleNumber']} --region {region}"
                what = f"network ACL {id_} {way} rule {one['RuleNumber']}: {_describe_rule(one)}"
                yield Unmanaged(what, {}, f"`aws ec2 delete-network-acl-entry {gone}` takes it out")


def _allows_all(rule: JsonObject) -> bool:
    return rule["RuleAction"] == "allow" and str(rule["Protocol"]) == "-1" and rule.get("CidrBlock") == _ANYWHERE


def _describe_rule(rule: JsonObject) -> str:
    protocol, span = str(rule["Protocol"]), rule.get("PortRange")
    ports = f" {span['From']} to {span['To']}" if span else ""
    peer = rule.get("CidrBlock") or rule.get("Ipv6CidrBlock", "")
    return f"{rule['RuleAction']} {_PROTOCOLS.get(protocol, protocol)}{ports} {peer}".rstrip()
