"""What lies in one of ours is known by its content; the rest was added by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.decide import Change, Verb, with_extras
from provisioner.engine.extras import Extra, Inside, Part
from provisioner.engine.kind import Item
from provisioner.engine.refs import Doc
from provisioner.kinds.ec2.groups import SecurityGroup
from provisioner.kinds.ec2.permissions import contents, permission
from provisioner.kinds.ec2.routes import RouteTable

PORTS = st.fixed_dictionaries(
    {"IpProtocol": st.sampled_from(["tcp", "udp", "-1"])},
    optional={"FromPort": st.integers(0, 65535), "ToPort": st.integers(0, 65535)},
)
PEERS = st.one_of(
    st.just({"CidrIpv4": "203.0.113.0/24"}),
    st.just({"CidrIpv6": "2001:db8::/32"}),
    st.just({"PrefixListId": "pl-1"}),
    st.just({"ReferencedGroupId": "sg-2"}),
)
TELNET = {"IpProtocol": "tcp", "FromPort": 23, "ToPort": 23}
GROUP = {"GroupId": "sg-1", "IpPermissions": [{**TELNET, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]}


@given(PORTS, PEERS)
def test_a_rule_is_the_same_in_both_its_forms(ports: Doc, peer: Doc) -> None:
    rule = {**ports, **peer}

    assert list(contents([permission({**rule, "Description": "said"})])) == [rule]


def extras(*parts: Part) -> list[str]:
    inside = Inside.of("sg-1", parts)
    found = SecurityGroup().extras(None, Item("sg", "sg", "prod", id="sg-1"), GROUP, inside)
    return [one.what for one in found]


@pytest.mark.parametrize(
    ("kind", "more", "is_known"),
    [
        ("IngressRule", {"GroupId": "sg-1"}, True),
        ("EgressRule", {"GroupId": "sg-1"}, False),
        ("IngressRule", {"GroupId": "sg-2", "ReferencedGroupId": "sg-1"}, False),
        ("IngressRule", {"GroupId": "sg-1", "FromPort": 22}, False),
    ],
    ids=["ours", "the other way", "another group's, that names this one", "another port"],
)
def test_a_rule_is_known_by_its_group_its_way_and_its_content(
    kind: str, more: dict[str, Any], is_known: bool
) -> None:
    rule = {**TELNET, "CidrIpv4": "10.0.0.0/8", "Description": "ours", **more}

    assert extras(Part(kind, rule)) == ([] if is_known else ["ingress tcp 23, 10.0.0.0/8"])


def test_the_routes_of_aws_and_of_endpoints_are_nobodys_deed() -> None:
    routes = [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute"},
        {"DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
        {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "Origin": "CreateRoute"},
    ]
    table = Item("routes", "routes", "prod", id="rtb-1")

    found = RouteTable().extras(None, table, {"Routes": routes}, Inside.of("rtb-1", []))

    assert [(one.what, one.doc) for one in found] == [
        ("route ::/0 to igw-1", {"DestinationIpv6CidrBlock": "::/0"})
    ]


@pytest.mark.parametrize(
    ("verb", "after"),
    [("keep", "update"), ("update", "update"), ("finish", "update")]
    + [(verb, verb) for verb in ("create", "replace", "refuse", "delete")],
)
def test_what_was_added_by_hand_goes_from_what_stays(verb: Verb, after: Verb) -> None:
    extra = Extra("a rule", {})

    change = with_extras(Change(verb, "group", "Thing", "", "piece"), (extra,))

    assert (change.verb, change.extras) == (after, (extra,) if after == "update" else ())
    assert with_extras(change, ()) == change
