"""What lies in one of ours is known by its content; the rest was added by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.engine.planning.change import Action, Change, with_unmanaged
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.types.resource_type import ResourceSpec
from provisioner.engine.types.unmanaged import KnownChild, KnownChildren, Unmanaged
from provisioner.resources.ec2.route_tables import RouteTable
from provisioner.resources.ec2.security_group_rules import ip_permission, rules_in
from provisioner.resources.ec2.security_groups import SecurityGroup
from provisioner.resources.elbv2.listener_unmanaged import changed_header_attributes, extra_certificates
from provisioner.resources.secretsmanager import Secret
from provisioner.service_clients import EC2, ELBV2
from tests.support.fake_resources import as_client

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
def test_a_rule_is_the_same_in_both_its_forms(ports: JsonObject, peer: JsonObject) -> None:
    rule = {**ports, **peer}

    assert list(rules_in([ip_permission({**rule, "Description": "said"})])) == [rule]


def extras(*parts: KnownChild) -> list[str]:
    inside = KnownChildren.of("sg-1", parts)
    found = SecurityGroup().unmanaged(as_client(EC2, None), ResourceSpec("sg", "sg", "prod", id="sg-1"), GROUP, inside)
    return [one.description for one in found]


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
def test_a_rule_is_known_by_its_group_its_way_and_its_content(kind: str, more: dict[str, Any], is_known: bool) -> None:
    rule = {**TELNET, "CidrIpv4": "10.0.0.0/8", "Description": "ours", **more}

    assert extras(KnownChild(kind, rule)) == ([] if is_known else ["ingress tcp 23, 10.0.0.0/8"])


def test_the_routes_of_aws_and_of_endpoints_are_nobodys_deed() -> None:
    routes = [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute"},
        {"DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
        {"DestinationIpv6CidrBlock": "::/0", "GatewayId": "igw-1", "Origin": "CreateRoute"},
    ]
    table = ResourceSpec("routes", "routes", "prod", id="rtb-1")

    found = RouteTable().unmanaged(as_client(EC2, None), table, {"Routes": routes}, KnownChildren.of("rtb-1", []))

    assert [(one.description, one.request) for one in found] == [
        ("route ::/0 to igw-1", {"DestinationIpv6CidrBlock": "::/0"})
    ]


@pytest.mark.parametrize(
    ("verb", "after"),
    [("keep", "update"), ("update", "update"), ("finish", "update")]
    + [(verb, verb) for verb in ("create", "replace", "refuse", "delete")],
)
def test_what_was_added_by_hand_goes_from_what_stays(verb: Action, after: Action) -> None:
    extra = Unmanaged("a rule", {})

    change = with_unmanaged(Change(verb, "group", "Thing", "", "piece"), (extra,))

    assert (change.action, change.unmanaged) == (after, (extra,) if after == "update" else ())
    assert with_unmanaged(change, ()) == change


class Elbv2:
    """What ELB tells of a listener of HTTPS: its headers, and the certificates that it shows."""

    def describe_listener_attributes(self, **_: Any) -> JsonObject:
        keys = {
            "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name": "X-Theirs",
            "routing.http.request.x_amzn_tls_version.header_name": "X-Amzn-Tls-Version",
            "routing.http.request.x_amzn_tls_cipher_suite.header_name": "",
            "routing.http.response.server.enabled": "false",
            "routing.http.response.x_frame_options.header_value": "",
            "tcp.idle_timeout.seconds": "6000",
        }
        return {"Attributes": [{"Key": key, "Value": value} for key, value in keys.items()]}

    def describe_listener_certificates(self, **_: Any) -> JsonObject:
        listed = [("ours", True), ("ours", False), ("theirs", False)]
        return {"Certificates": [{"CertificateArn": arn, "IsDefault": first} for arn, first in listed]}


def test_headers_that_a_listener_renames_or_sets_are_taken_back_and_its_other_certificates_told() -> None:
    found = changed_header_attributes(as_client(ELBV2, Elbv2()), "arn:l")
    assert [(one.description, one.request["Value"], one.kept_reason) for one in found] == [
        (
            "attribute routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name=X-Theirs",
            "X-Amzn-Mtls-Clientcert-Serial-Number",
            "",
        ),
        ("attribute routing.http.response.server.enabled=false", "true", ""),
    ]
    doc = {"Protocol": "HTTPS", "Certificates": [{"CertificateArn": "ours"}]}
    (told,) = extra_certificates(as_client(ELBV2, Elbv2()), "arn:l", doc)
    assert told.description == "certificate theirs"
    assert told.kept_reason
    assert extra_certificates(as_client(ELBV2, None), "arn:l", {"Protocol": "HTTP"}) == []


class Secrets:
    def get_resource_policy(self, **_: Any) -> JsonObject:
        return {}


def test_copies_of_a_secret_and_a_rotation_of_it_are_told_and_left() -> None:
    spec = ResourceSpec(logical_id="s", aws_name="s", suffix="x", id="arn:s")
    doc = {
        "ReplicationStatus": [{"Region": "eu-west-1", "Status": "InSync"}],
        "CrossAccountReplicas": [{"ReplicaSecretARN": "arn:theirs"}],
        "RotationEnabled": True,
        "RotationLambdaARN": "arn:function",
    }
    found = Secret().unmanaged(Secrets(), spec, doc, KnownChildren(()))
    assert [one.description for one in found] == [
        "copy in eu-west-1",
        "copy in another account arn:theirs",
        "rotation by arn:function",
    ]
    assert all(one.kept_reason for one in found)
    assert Secret().unmanaged(Secrets(), spec, {"RotationLambdaARN": "arn:was"}, KnownChildren(())) == []
