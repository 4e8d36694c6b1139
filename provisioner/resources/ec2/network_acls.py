"""Changes that somebody made to the network ACLs around the stack's subnets.

Every subnet starts in the VPC's default ACL, which allows all traffic by one rule each way (VPC user guide,
"Default network ACL"). The stack declares no ACL. Network administrators may change them, and an apply leaves
their changes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Set

from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.unmanaged import Unmanaged
from provisioner.resources.ec2.base import equals_filters
from provisioner.service_clients import EC2

# The number of the rule that allows all IPv4, and of all rules of a new default ACL: allow all IPv4, allow all
# IPv6, and the final deny of each.
_ALLOW_ALL_NUMBER, _DEFAULT_RULE_NUMBERS = 100, (100, 101, 32767, 32768)
_ANYWHERE = "0.0.0.0/0"
# Protocol numbers by IANA, as EC2 returns them.
_PROTOCOLS = {"-1": "all traffic", "1": "icmp", "6": "tcp", "17": "udp"}


def network_acls_in(ec2: EC2, vpc: str) -> list[JsonObject]:
    """Return the network ACLs of a VPC (DescribeNetworkAcls)."""
    return list(ec2.describe_network_acls(Filters=equals_filters({"vpc-id": vpc}))["NetworkAcls"])


def non_default_rules(acls: list[JsonObject], subnets: Set[str], region: str) -> list[Unmanaged]:
    """Return each difference between the ACLs around these subnets and a new default ACL.

    Args:
        acls: All network ACLs of the VPC.
        subnets: Ids of the subnets that count.
        region: The region, for the commands that undo a difference.

    """
    default_id = next((str(acl["NetworkAclId"]) for acl in acls if acl["IsDefault"]), "")
    return [difference for acl in acls for difference in _acl_differences(acl, default_id, subnets, region)]


def _acl_differences(acl: JsonObject, default_id: str, subnets: Set[str], region: str) -> Iterator[Unmanaged]:
    """Yield the changed rules of a default ACL; of another ACL, each of the subnets that it is associated with.

    Nothing is yielded for an ACL that is associated with none of the subnets.
    """
    associations = [association for association in acl.get("Associations", []) if association["SubnetId"] in subnets]
    if not associations:
        return
    if acl["IsDefault"]:
        yield from _rule_differences(acl, region)
        return
    for association in associations:
        ids = f"--association-id {association['NetworkAclAssociationId']} --network-acl-id {default_id}"
        yield Unmanaged(
            f"network ACL {acl['NetworkAclId']} around {association['SubnetId']}",
            {},
            "it decides what passes the subnet's border; "
            f"`aws ec2 replace-network-acl-association {ids} --region {region}` "
            "puts the subnet back into the VPC's own",
        )


def _rule_differences(acl: JsonObject, region: str) -> Iterator[Unmanaged]:
    """Yield rules that a new default ACL does not have, and each direction that lacks the allow-all rule."""
    id_ = acl["NetworkAclId"]
    for egress, direction in ((False, "ingress"), (True, "egress")):
        rules = [rule for rule in acl["Entries"] if rule["Egress"] is egress]
        if not any(_allows_all(rule) for rule in rules):
            options = f"--network-acl-id {id_} --{direction} --rule-number {_ALLOW_ALL_NUMBER} --rule-action allow"
            options += f" --protocol -1 --cidr-block {_ANYWHERE} --region {region}"
            description = f"network ACL {id_} {direction} without the rule that lets all through"
            yield Unmanaged(description, {}, f"`aws ec2 create-network-acl-entry {options}` puts it back")
        for rule in rules:
            if rule["RuleNumber"] not in _DEFAULT_RULE_NUMBERS:
                options = f"--network-acl-id {id_} --{direction} --rule-number {rule['RuleNumber']} --region {region}"
                description = f"network ACL {id_} {direction} rule {rule['RuleNumber']}: {_describe_rule(rule)}"
                yield Unmanaged(description, {}, f"`aws ec2 delete-network-acl-entry {options}` takes it out")


def _allows_all(rule: JsonObject) -> bool:
    return rule["RuleAction"] == "allow" and str(rule["Protocol"]) == "-1" and rule.get("CidrBlock") == _ANYWHERE


def _describe_rule(rule: JsonObject) -> str:
    """Return action, protocol, ports and peer of a rule, for a message."""
    protocol, span = str(rule["Protocol"]), rule.get("PortRange")
    ports = f" {span['From']} to {span['To']}" if span else ""
    peer = rule.get("CidrBlock") or rule.get("Ipv6CidrBlock", "")
    return f"{rule['RuleAction']} {_PROTOCOLS.get(protocol, protocol)}{ports} {peer}".rstrip()
