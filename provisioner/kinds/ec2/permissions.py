"""The content of a rule of a security group, in the two forms that EC2 has for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provisioner.engine.refs import Doc

# Where a permission lists its peers, what a peer is there, and what the newer form calls it.
_PEERS = (
    ("IpRanges", "CidrIp", "CidrIpv4"),
    ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId", "ReferencedGroupId"),
)
_PORTS = ("IpProtocol", "FromPort", "ToPort")
# What AWS lets out of each new group.
EVERYWHERE: Doc = {"IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0"}


def contents(permissions: Iterable[Doc]) -> Iterator[Doc]:
    """Each rule of the older form, which groups them by ports, in the newer form: one peer, no id."""
    for one in permissions:
        ports = {key: one[key] for key in _PORTS if key in one}
        for listed, old, new in _PEERS:
            yield from ({**ports, new: peer[old]} for peer in one.get(listed, []))


def permission(content: Doc) -> Doc:
    """A rule in the older form, as the authorize and revoke calls take it."""
    told = {"Description": content["Description"]} if "Description" in content else {}
    listed, old, new = next(peer for peer in _PEERS if peer[2] in content)
    ports = {key: content[key] for key in _PORTS if key in content}
    return {**ports, listed: [{old: content[new], **told}]}


def in_words(content: Doc) -> str:
    """Protocol, ports and peer of a rule."""
    first, last = content.get("FromPort"), content.get("ToPort")
    ports = "" if first is None else f" {first}" if first == last else f" {first}-{last}"
    peer = next(str(content[new]) for _, _, new in _PEERS if new in content)
    protocol = "all traffic" if content["IpProtocol"] == "-1" else content["IpProtocol"]
    return f"{protocol}{ports}, {peer}"
