"""Network ACLs: whether one stops traffic between subnets that the security groups allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from provisioner.doctor.check import Finding, JsonObject
from provisioner.doctor.reads.network import NetworkAcls

# The name of the finding for a network ACL, which is written out below too: tests look for each name as a text.
ACL_FINDING = "acl-stops"
_ANYWHERE = "0.0.0.0/0"
# VPC user guide, ephemeral ports: the ports on which Linux receives answers. Load balancers and NAT gateways
# use lower ports, too.
_RESPONSE_PORTS = (32768, 60999)
# The number of the last rule of every ACL, which denies everything and cannot be deleted.
_FINAL_RULE = 32767
# The lowest number of a rule that the commands below add.
_FIRST_ADDED_RULE = 100


@dataclass(frozen=True)
class Traffic:
    """Connections to a port from source subnets to target subnets; an empty list stands for the internet."""

    description: str
    source_subnets: Sequence[str]
    target_subnets: Sequence[str]
    port: int


@dataclass(frozen=True)
class _Flow:
    """Traffic that must cross the border of a subnet: to or from a CIDR block, on a range of ports."""

    subnet: str
    peer_block: str
    ports: tuple[int, int]
    is_egress: bool


def blocked_by_acl(traffic: Traffic, acls: NetworkAcls) -> Finding | None:
    """Return a finding if a network ACL stops the requests of some traffic, or the answers to them."""
    for flow in _flows(traffic, acls):
        acl = acls.acl_of_subnet(flow.subnet)
        rule_number = _blocking_rule(acl, flow) if acl else None
        if acl and rule_number is not None:
            return _blocked_finding(traffic, flow, acl, rule_number, acls)
    return None


def _flows(traffic: Traffic, acls: NetworkAcls) -> Iterator[_Flow]:
    """Yield the traffic, requests and answers, that crosses a subnet's border; none inside one subnet."""
    request_ports = (traffic.port, traffic.port)
    for source in traffic.source_subnets or [""]:
        for target in traffic.target_subnets or [""]:
            source_block = acls.cidr_blocks.get(source, _ANYWHERE)
            target_block = acls.cidr_blocks.get(target, _ANYWHERE)
            if source and source != target:
                yield _Flow(source, target_block, request_ports, is_egress=True)
                yield _Flow(source, target_block, _RESPONSE_PORTS, is_egress=False)
            if target and source != target:
                yield _Flow(target, source_block, request_ports, is_egress=False)
                yield _Flow(target, source_block, _RESPONSE_PORTS, is_egress=True)


def _blocking_rule(acl: JsonObject, flow: _Flow) -> int | None:
    """Return the number of the rule that stops a part of the traffic; None if all of it passes.

    For each port the first rule that matches decides.
    """
    rules = [rule for rule in acl["Entries"] if rule["Egress"] is flow.is_egress and rule.get("CidrBlock")]
    rules.sort(key=lambda rule: int(rule["RuleNumber"]))
    for port in _ports_to_check(rules, flow.ports):
        deciding_rule = next((rule for rule in rules if _decides(rule, flow.peer_block, port)), None)
        if deciding_rule is None or deciding_rule["RuleAction"] == "deny":
            return int(deciding_rule["RuleNumber"]) if deciding_rule else _FINAL_RULE
    return None


def _ports_to_check(rules: Sequence[JsonObject], ports: tuple[int, int]) -> list[int]:
    """Return the ports at which the matching rules may change; no port between two of them needs a check."""
    first, last = ports
    boundaries = {first}
    for rule in rules:
        port_range = rule.get("PortRange") or {}
        boundaries |= {port_range.get("From", first), port_range.get("To", last) + 1}
    return sorted(port for port in boundaries if first <= port <= last)


def _decides(rule: JsonObject, peer_block: str, port: int) -> bool:
    """Return whether a rule decides for a peer at a TCP port.

    A deny rule must cover all addresses of the peer, an allow rule only some of them.
    """
    if rule["Protocol"] not in ("-1", "6"):
        return False
    port_range = rule.get("PortRange")
    if port_range and rule["Protocol"] == "6" and not port_range["From"] <= port <= port_range["To"]:
        return False
    peer_network, rule_network = ip_network(peer_block), ip_network(rule["CidrBlock"])
    if rule["RuleAction"] == "allow":
        return rule_network.overlaps(peer_network)
    return rule_network.supernet_of(peer_network)  # type: ignore[arg-type]


def _blocked_finding(traffic: Traffic, flow: _Flow, acl: JsonObject, rule_number: int, acls: NetworkAcls) -> Finding:
    """Return the finding for a network ACL that stops traffic."""
    description, ports = traffic.description, f"port {flow.ports[0]}"
    if flow.ports == _RESPONSE_PORTS:
        description, ports = f"the answers to {description}", f"ports {_RESPONSE_PORTS[0]} to {_RESPONSE_PORTS[1]}"
    direction = "out" if flow.is_egress else "in"
    cause = "no rule of it allows that" if rule_number == _FINAL_RULE else f"by its rule {rule_number}"
    acl_name = f"The network ACL {acl['NetworkAclId']} of the subnet {flow.subnet}"
    problem = f"{acl_name} stops {description} on {ports}, {direction}: {cause}."
    consequence = "They time out, though the security groups let them through."
    return Finding("acl-stops", problem, consequence, _unblock_command(flow, acl, rule_number, acls))


def _unblock_command(flow: _Flow, acl: JsonObject, rule_number: int, acls: NetworkAcls) -> str:
    """Return the command that lets the traffic pass again.

    It deletes the rule that denies. If no rule allows the traffic, it puts the subnet back into the VPC's
    default ACL, or if the subnet is there, adds a rule that allows the traffic.
    """
    direction, acl_id = ("--egress" if flow.is_egress else "--ingress"), acl["NetworkAclId"]
    if rule_number != _FINAL_RULE:
        return f"aws ec2 delete-network-acl-entry --network-acl-id {acl_id} {direction} --rule-number {rule_number}"
    if not acl["IsDefault"] and acls.default_acl_id:
        association_ids = {each["SubnetId"]: each["NetworkAclAssociationId"] for each in acl["Associations"]}
        options = f"--association-id {association_ids[flow.subnet]} --network-acl-id {acls.default_acl_id}"
        return f"aws ec2 replace-network-acl-association {options}"
    entries = [entry for entry in acl["Entries"] if entry["Egress"] is flow.is_egress]
    used_numbers = {entry["RuleNumber"] for entry in entries}
    free_number = next(number for number in range(_FIRST_ADDED_RULE, _FINAL_RULE) if number not in used_numbers)
    command = f"aws ec2 create-network-acl-entry --network-acl-id {acl_id} {direction} --rule-number {free_number}"
    is_emptied = not any(entry["RuleAction"] == "allow" for entry in entries)
    if is_emptied:  # a default ACL allows everything at first
        return f"{command} --rule-action allow --protocol -1 --cidr-block {_ANYWHERE}"
    port_range = f"--port-range From={flow.ports[0]},To={flow.ports[1]}"
    return f"{command} --rule-action allow --protocol 6 {port_range} --cidr-block {flow.peer_block}"
