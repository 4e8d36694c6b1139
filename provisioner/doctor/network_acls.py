"""Network ACLs: whether one stops traffic between subnets that the security groups allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from provisioner.doctor.finding import Finding, JsonObject
from provisioner.doctor.reads.network import NetworkAcls

_ANYWHERE = "0.0.0.0/0"
# VPC user guide, ephemeral ports: the ports on which Linux receives answers. Load balancers and NAT gateways
# use lower ports, too.
_ANSWERS = (32768, 60999)
# The number of the last rule of every ACL, which denies everything and cannot be deleted.
_LAST = 32767
_OURS = 100


@dataclass(frozen=True)
class Traffic:
    """Connections to a port from source subnets to target subnets; an empty list stands for the internet."""

    words: str
    source: Sequence[str]
    target: Sequence[str]
    port: int


@dataclass(frozen=True)
class _Flow:
    """Traffic that must cross the border of a subnet: to or from a CIDR block, on a range of ports."""

    subnet: str
    peer: str
    ports: tuple[int, int]
    out: bool


def blocked_by_acl(crossing: Traffic, acls: NetworkAcls) -> Finding | None:
    """Return a finding if a network ACL stops the requests of a crossing, or the answers to them."""
    for one in _passes(crossing, acls):
        acl = acls.around(one.subnet)
        rule = _stops(acl, one) if acl else None
        if acl and rule is not None:
            return _told(crossing, one, acl, rule, acls)
    return None


def _passes(crossing: Traffic, acls: NetworkAcls) -> Iterator[_Flow]:
    """Yield the traffic, requests and answers, that crosses a subnet's border; none inside one subnet."""
    asked = (crossing.port, crossing.port)
    for source in crossing.source or [""]:
        for target in crossing.target or [""]:
            here = acls.blocks.get(source, _ANYWHERE)
            there = acls.blocks.get(target, _ANYWHERE)
            if source and source != target:
                yield _Flow(source, there, asked, out=True)
                yield _Flow(source, there, _ANSWERS, out=False)
            if target and source != target:
                yield _Flow(target, here, asked, out=False)
                yield _Flow(target, here, _ANSWERS, out=True)


def _stops(acl: JsonObject, one: _Flow) -> int | None:
    """Return the number of the rule that stops a part of the traffic; None if all of it passes.

    For each port the first rule that matches decides.
    """
    rules = [rule for rule in acl["Entries"] if rule["Egress"] is one.out and rule.get("CidrBlock")]
    rules.sort(key=lambda rule: int(rule["RuleNumber"]))
    for port in _edges(rules, one.ports):
        decides = next((rule for rule in rules if _fits(rule, one.peer, port)), None)
        if decides is None or decides["RuleAction"] == "deny":
            return int(decides["RuleNumber"]) if decides else _LAST
    return None


def _edges(rules: Sequence[JsonObject], ports: tuple[int, int]) -> list[int]:
    """Return the ports at which the matching rules may change; no port between two of them needs a check."""
    first, last = ports
    begins = {first}
    for rule in rules:
        span = rule.get("PortRange") or {}
        begins |= {span.get("From", first), span.get("To", last) + 1}
    return sorted(port for port in begins if first <= port <= last)


def _fits(rule: JsonObject, peer: str, port: int) -> bool:
    """Return whether a rule decides for a peer at a TCP port.

    A deny rule must cover all addresses of the peer, an allow rule only some of them.
    """
    if rule["Protocol"] not in ("-1", "6"):
        return False
    span = rule.get("PortRange")
    if span and rule["Protocol"] == "6" and not span["From"] <= port <= span["To"]:
        return False
    whole, block = ip_network(peer), ip_network(rule["CidrBlock"])
    return block.overlaps(whole) if rule["RuleAction"] == "allow" else block.supernet_of(whole)  # type: ignore[arg-type]


def _told(crossing: Traffic, one: _Flow, acl: JsonObject, rule: int, acls: NetworkAcls) -> Finding:
    """Return the finding for a network ACL that stops traffic."""
    words, ports = crossing.words, f"port {one.ports[0]}"
    if one.ports == _ANSWERS:
        words, ports = f"the answers to {words}", f"ports {_ANSWERS[0]} to {_ANSWERS[1]}"
    side = "out" if one.out else "in"
    cause = "no rule of it allows that" if rule == _LAST else f"by its rule {rule}"
    what = f"The network ACL {acl['NetworkAclId']} of the subnet {one.subnet} stops {words} on {ports}, {side}: "
    why = "They time out, though the security groups let them through."
    return Finding("acl-stops", f"{what}{cause}.", why, _undone(one, acl, rule, acls))


def _undone(one: _Flow, acl: JsonObject, rule: int, acls: NetworkAcls) -> str:
    """Return the command that lets the traffic pass again.

    It deletes the rule that denies. If no rule allows the traffic, it puts the subnet back into the VPC's
    default ACL, or if the subnet is there, adds a rule that allows the traffic.
    """
    side, id_ = ("--egress" if one.out else "--ingress"), acl["NetworkAclId"]
    if rule != _LAST:
        return f"aws ec2 delete-network-acl-entry --network-acl-id {id_} {side} --rule-number {rule}"
    if not acl["IsDefault"] and acls.default:
        follows = next(each for each in acl["Associations"] if each["SubnetId"] == one.subnet)
        return (
            "aws ec2 replace-network-acl-association --association-id "
            f"{follows['NetworkAclAssociationId']} --network-acl-id {acls.default}"
        )
    beside = [each for each in acl["Entries"] if each["Egress"] is one.out]
    taken = {each["RuleNumber"] for each in beside}
    free = next(number for number in range(_OURS, _LAST) if number not in taken)
    allow = f"aws ec2 create-network-acl-entry --network-acl-id {id_} {side} --rule-number {free} "
    if not any(each["RuleAction"] == "allow" for each in beside):  # a default ACL allows everything at first
        return f"{allow}--rule-action allow --protocol -1 --cidr-block {_ANYWHERE}"
    span = f"--port-range From={one.ports[0]},To={one.ports[1]}"
    return f"{allow}--rule-action allow --protocol 6 {span} --cidr-block {one.peer}"
