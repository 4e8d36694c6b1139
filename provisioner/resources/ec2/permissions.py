"""The content of a security group rule in the two forms of EC2: IpPermissions and SecurityGroupRule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioner.engine.resource_graph.references import JsonObject

# For each kind of peer: its list in IpPermissions, its member there, and its member in SecurityGroupRule.
_PEERS = (
    ("IpRanges", "CidrIp", "CidrIpv4"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
)
_PORT_KEYS = ("IpProtocol", "FromPort", "ToPort")
# The egress rule that AWS adds to each new group.
ALLOW_ALL: JsonObject = {"IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0"}


def rules_in(permissions: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Yield each rule of IpPermissions in the form of SecurityGroupRule: one peer each, without an id."""
    for one in permissions:
        ports = {key: one[key] for key in _PORT_KEYS if key in one}
        for listed, old, new in _PEERS:
            yield from ({**ports, new: peer[old]} for peer in one.get(listed, []))


def ip_permission(content: JsonObject) -> JsonObject:
    """Return a rule in the form of IpPermissions, which the authorize and revoke calls take."""
    told = {"Description": content["Description"]} if "Description" in content else {}
    listed, old, new = next(peer for peer in _PEERS if peer[2] in content)
    ports = {key: content[key] for key in _PORT_KEYS if key in content}
    return {**ports, listed: [{old: content[new], **told}]}


def describe_rule(content: JsonObject) -> str:
    """Return protocol, ports and peer of a rule, for a message."""
    first, last = content.get("FromPort"), content.get("ToPort")
    ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
    peer = next(str(content[new]) for _, _, new in _PEERS if new in content)
    protocol = "all traffic" if content["IpProtocol"] == "-1" else content["IpProtocol"]
    return f"{protocol}{ports}, {peer}"
