"""Corrections of moto's load balancers."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Client, code_of
from tests.emulator.places import balancer, listener, network, target_group


def test_the_same_balancer_again_is_the_same(aws: Client) -> None:
    place = network(aws)
    one = balancer(aws, place)
    assert one["Scheme"] == "internet-facing"
    assert balancer(aws, place)["LoadBalancerArn"] == one["LoadBalancerArn"]
    with pytest.raises(ClientError) as caught:
        balancer(aws, place, Scheme="internal")
    assert code_of(caught) == "DuplicateLoadBalancerName"
    assert len(aws("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Name": "-bad-"}, "ValidationError"),
        ({"Name": "a" * 33}, "ValidationError"),
        ({"Subnets": ["subnet-none"]}, "SubnetNotFound"),
        ({"SecurityGroups": ["sg-none"]}, "InvalidSecurityGroup"),
    ],
)
def test_a_balancer_that_cannot_be_is_refused(aws: Client, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        balancer(aws, network(aws), **given)
    assert code_of(caught) == code


def test_a_balancer_stands_in_two_zones(aws: Client) -> None:
    place = network(aws)
    with pytest.raises(ClientError, match="two different Availability Zones"):
        balancer(aws, place, Subnets=place.subnets[:1])


def test_attributes_have_defaults(aws: Client) -> None:
    arn = balancer(aws, network(aws))["LoadBalancerArn"]
    wanted = [{"Key": "idle_timeout.timeout_seconds", "Value": "120"}]
    aws("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)
    told = aws("elbv2").describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    attributes = {attribute["Key"]: attribute["Value"] for attribute in told}
    assert attributes["idle_timeout.timeout_seconds"] == "120"
    assert attributes["routing.http2.enabled"] == "true"


def test_tags_of_what_is_not_there_are_not_found(aws: Client) -> None:
    arn = balancer(aws, network(aws))["LoadBalancerArn"]
    with pytest.raises(ClientError) as caught:
        aws("elbv2").describe_tags(ResourceArns=[arn + "x"])
    assert code_of(caught) == "LoadBalancerNotFound"


def test_the_same_target_group_again_is_the_same(aws: Client) -> None:
    place = network(aws)
    one = target_group(aws, place, HealthCheckPath="/health")
    assert target_group(aws, place, HealthCheckPath="/health") == one
    for other in ({"Port": 81}, {"HealthCheckPath": "/other"}):
        with pytest.raises(ClientError) as caught:
            target_group(aws, place, **{"HealthCheckPath": "/health"} | other)
        assert code_of(caught) == "DuplicateTargetGroupName"


def test_a_port_has_one_listener(aws: Client) -> None:
    place = network(aws)
    arn, group = balancer(aws, place)["LoadBalancerArn"], target_group(aws, place)
    one = listener(aws, arn, group)
    assert "SslPolicy" not in one
    assert one["DefaultActions"][0]["ForwardConfig"]["TargetGroups"][0]["TargetGroupArn"] == group
    assert listener(aws, arn, group)["ListenerArn"] == one["ListenerArn"]
    with pytest.raises(ClientError) as caught:
        listener(aws, arn, target_group(aws, place, Name="other"))
    assert code_of(caught) == "DuplicateListener"


def test_https_needs_an_issued_certificate(aws: Client) -> None:
    place = network(aws)
    arn, group = balancer(aws, place)["LoadBalancerArn"], target_group(aws, place)
    with pytest.raises(ClientError) as caught:
        listener(aws, arn, group, Protocol="HTTPS", Port=443)
    assert code_of(caught) == "ValidationError"
    pending = aws("acm").request_certificate(DomainName="a.example.com", ValidationMethod="DNS")
    certificates = [{"CertificateArn": pending["CertificateArn"]}]
    with pytest.raises(ClientError) as caught:
        listener(aws, arn, group, Protocol="HTTPS", Port=443, Certificates=certificates)
    assert code_of(caught) == "UnsupportedCertificate"


@pytest.mark.parametrize("condition", [{"Values": ["/a"]}, {"PathPatternConfig": {"Values": ["/a"]}}])
def test_a_rule_reads_in_both_spellings(aws: Client, condition: dict[str, Any]) -> None:
    place = network(aws)
    group = target_group(aws, place)
    on = listener(aws, balancer(aws, place)["LoadBalancerArn"], group)["ListenerArn"]
    aws("elbv2").create_rule(
        ListenerArn=on,
        Priority=1,
        Conditions=[{"Field": "path-pattern"} | condition],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    rule = aws("elbv2").describe_rules(ListenerArn=on)["Rules"][0]
    assert rule["Conditions"][0]["Values"] == ["/a"]
    assert rule["Conditions"][0]["PathPatternConfig"] == {"Values": ["/a"]}
    assert rule["Actions"][0]["TargetGroupArn"] == group
    assert rule["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] == 1
