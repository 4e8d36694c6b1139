"""What a network ACL stops of a connection: judged over documents alone."""

from __future__ import annotations

from typing import Any

import pytest

from provisioner.doctor.network_acls import Traffic, blocked_by_acl
from provisioner.doctor.reads.network import NetworkAcls

LAST = 32767
BLOCKS = {"s-1": "10.0.1.0/24", "s-2": "10.0.2.0/24"}
QUERIES = Traffic("queries", ["s-1"], ["s-2"], 5432)
ARRIVALS = Traffic("requests", [], ["s-1"], 443)


def rule(number: int, action: str, block: str = "0.0.0.0/0", *, out: bool = False, **more: Any) -> Any:
    """A rule of an ACL as EC2 tells it; `ports` are its range."""
    ports = more.get("ports")
    span = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
    kind = more.get("protocol", "6" if ports else "-1")
    told = {"RuleNumber": number, "RuleAction": action, "CidrBlock": block, "Egress": out}
    return {**told, "Protocol": kind, **span}


def acl(*rules: Any, subnets: tuple[str, ...] = ("s-1", "s-2"), own: bool = True) -> Any:
    """An ACL around some subnets, with the two rules that every one ends with."""
    ends = [rule(LAST, "deny", out=out) for out in (True, False)]
    held = [{"SubnetId": one, "NetworkAclAssociationId": f"a-{one}"} for one in subnets]
    id_ = "acl-own" if own else "acl-new"
    return {"NetworkAclId": id_, "IsDefault": own, "Associations": held, "Entries": [*rules, *ends]}


OPEN = (rule(100, "allow"), rule(100, "allow", out=True))
ELSEWHERE = acl(*OPEN, subnets=())


@pytest.mark.parametrize(
    ("crossing", "acls", "says", "types"),
    [
        (QUERIES, [acl(*OPEN)], "", ""),
        (QUERIES, [], "", ""),
        # What denies only somebody, or another protocol, denies no connection of ours.
        (ARRIVALS, [acl(rule(9, "deny", "192.0.2.0/24"), *OPEN)], "", ""),
        (QUERIES, [acl(rule(9, "deny", protocol="17", ports=(1, 65535)), *OPEN)], "", ""),
        # The lower number decides.
        (QUERIES, [acl(rule(200, "deny", ports=(5432, 5432)), *OPEN)], "", ""),
        (
            QUERIES,
            [acl(rule(9, "deny", ports=(5432, 5432)), *OPEN)],
            "acl-own of the subnet s-2 stops queries on port 5432, in: by its rule 9.",
            "aws ec2 delete-network-acl-entry --network-acl-id acl-own --ingress --rule-number 9",
        ),
        # An answer comes back at any port of a range: one that is denied is enough.
        (
            QUERIES,
            [acl(rule(9, "deny", ports=(60000, 60000)), *OPEN)],
            "subnet s-1 stops the answers to queries on ports 32768 to 60999, in: by its rule 9.",
            "--ingress --rule-number 9",
        ),
        (
            ARRIVALS,
            [acl(rule(9, "allow", ports=(443, 443)), rule(9, "allow", out=True, ports=(443, 443)))],
            "stops the answers to requests on ports 32768 to 60999, out: no rule of it allows that.",
            "--egress --rule-number 100 --rule-action allow --protocol 6 --port-range From=32768,To=60999 "
            "--cidr-block 0.0.0.0/0",
        ),
        (
            ARRIVALS,
            [acl()],
            "stops requests on port 443, in: no rule of it allows that.",
            "--ingress --rule-number 100 --rule-action allow --protocol -1 --cidr-block 0.0.0.0/0",
        ),
        (
            ARRIVALS,
            [ELSEWHERE, acl(own=False)],
            "acl-new of the subnet s-1 stops requests on port 443, in",
            "replace-network-acl-association --association-id a-s-1 --network-acl-id acl-own",
        ),
    ],
)
def test_what_an_acl_stops(crossing: Traffic, acls: list[Any], says: str, types: str) -> None:
    found = blocked_by_acl(crossing, NetworkAcls(BLOCKS, acls))

    assert (found is None) == (not says)
    if found:
        assert says in found.problem
        assert types in found.command


def test_within_one_subnet_there_is_no_border() -> None:
    assert blocked_by_acl(Traffic("queries", ["s-1"], ["s-1"], 5432), NetworkAcls(BLOCKS, [acl()])) is None
