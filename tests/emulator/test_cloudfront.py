"""Corrections of moto's CloudFront."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.conftest import Client, code_of

DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def config(**given: Any) -> dict[str, Any]:
    origin = {
        "Id": "alb",
        "DomainName": "lb.us-east-1.elb.amazonaws.com",
        "CustomHeaders": {"Quantity": 1, "Items": [{"HeaderName": "X-Secret", "HeaderValue": "s"}]},
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
        },
    }
    behaviour = {
        "TargetOriginId": "alb",
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER,
        "FunctionAssociations": {
            "Quantity": 1,
            "Items": [{"FunctionARN": "arn:aws:cloudfront::1:function/f", "EventType": "viewer-request"}],
        },
    }
    return {
        "CallerReference": "r",
        "Comment": "c",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": behaviour,
    } | given


def distribution(aws: Client, **given: Any) -> Any:
    tags = {"Items": [{"Key": "k", "Value": "v"}]}
    both = {"DistributionConfig": config(**given), "Tags": tags}
    return aws("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=both)


def test_a_config_can_be_read_edited_and_sent_back(aws: Client) -> None:
    made = distribution(aws)
    assert made["Distribution"]["Status"] == "InProgress"
    name = made["Distribution"]["Id"]
    seen = aws("cloudfront").get_distribution_config(Id=name)
    assert seen["ETag"] == made["ETag"]
    behaviour = seen["DistributionConfig"]["DefaultCacheBehavior"]
    assert behaviour["FunctionAssociations"]["Quantity"] == 1
    assert not {"ForwardedValues", "MinTTL", "RealtimeLogConfigArn"} & set(behaviour)
    changed = seen["DistributionConfig"] | {"Comment": "other"}
    update = aws("cloudfront").update_distribution
    after = update(Id=name, IfMatch=seen["ETag"], DistributionConfig=changed)
    assert after["ETag"] != seen["ETag"]
    again = aws("cloudfront").get_distribution(Id=name)
    assert again["ETag"] == after["ETag"]
    assert again["Distribution"]["Status"] == "Deployed"
    assert again["Distribution"]["DistributionConfig"] == changed
    assert again["Distribution"]["LastModifiedTime"].year >= 2026
    listed = aws("cloudfront").list_distributions()["DistributionList"]["Items"][0]
    assert listed["Comment"] == "other"


def test_a_stale_etag_changes_nothing(aws: Client) -> None:
    made = distribution(aws)
    name, cloudfront = made["Distribution"]["Id"], aws("cloudfront")
    for if_match, code in (("stale", "PreconditionFailed"), (None, "InvalidIfMatchVersion")):
        etag = {"IfMatch": if_match} if if_match else {}
        with pytest.raises(ClientError) as caught:
            cloudfront.update_distribution(Id=name, DistributionConfig=config(Comment="x"), **etag)
        assert code_of(caught) == code
        with pytest.raises(ClientError) as caught:
            cloudfront.delete_distribution(Id=name, **etag)
        assert code_of(caught) == code
    assert cloudfront.get_distribution(Id=name)["Distribution"]["DistributionConfig"]["Comment"] == "c"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/w/x"}, "InvalidWebACLId"),
        (
            {"ViewerCertificate": {"ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/x"}},
            "InvalidViewerCertificate",
        ),
        (
            {"DefaultCacheBehavior": config()["DefaultCacheBehavior"] | {"CachePolicyId": "none"}},
            "NoSuchCachePolicy",
        ),
        (
            {"DefaultCacheBehavior": config()["DefaultCacheBehavior"] | {"ResponseHeadersPolicyId": "none"}},
            "NoSuchResponseHeadersPolicy",
        ),
    ],
)
def test_what_a_distribution_names_must_exist(aws: Client, given: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        distribution(aws, **given)
    assert code_of(caught) == code


def issued(aws: Client, name: str) -> str:
    """A certificate whose name a record proves."""
    acm, route53 = aws("acm"), aws("route53")
    zone = route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"]
    arn = acm.request_certificate(DomainName=name, ValidationMethod="DNS")["CertificateArn"]
    [option] = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    proof = option["ResourceRecord"]
    record = {
        "Name": proof["Name"],
        "Type": "CNAME",
        "TTL": 60,
        "ResourceRecords": [{"Value": proof["Value"]}],
    }
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    return str(arn)


@pytest.mark.parametrize("shown", [{}, {"SSLSupportMethod": "sni-only"}])
def test_an_alias_wants_a_certificate_that_covers_it(aws: Client, shown: dict[str, str]) -> None:
    certificate = {**shown, "ACMCertificateArn": issued(aws, "b.example.com")} if shown else {}
    with pytest.raises(ClientError) as caught:
        distribution(aws, Aliases={"Quantity": 1, "Items": ["a.example.com"]}, ViewerCertificate=certificate)
    assert code_of(caught) == "InvalidViewerCertificate"


def test_an_alias_is_taken_once(aws: Client) -> None:
    name = "a.example.com"
    shown = {"ACMCertificateArn": issued(aws, name), "SSLSupportMethod": "sni-only"}
    aliases = {"Quantity": 1, "Items": [name]}
    distribution(aws, Aliases=aliases, ViewerCertificate=shown)
    with pytest.raises(ClientError) as caught:
        distribution(aws, Aliases=aliases, ViewerCertificate=shown, CallerReference="other")
    assert code_of(caught) == "CNAMEAlreadyExists"
    with pytest.raises(ClientError) as caught:
        distribution(aws)
    assert code_of(caught) == "DistributionAlreadyExists"


def test_response_headers_policies(aws: Client) -> None:
    cloudfront = aws("cloudfront")
    hsts = {"Override": True, "AccessControlMaxAgeSec": 31536000, "IncludeSubdomains": True}
    wanted = {"Name": "p", "Comment": "c", "SecurityHeadersConfig": {"StrictTransportSecurity": hsts}}
    made = cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=wanted)
    name = made["ResponseHeadersPolicy"]["Id"]
    seen = cloudfront.get_response_headers_policy(Id=name)
    assert seen["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"] == wanted
    with pytest.raises(ClientError) as caught:
        cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig=wanted)
    assert code_of(caught) == "ResponseHeadersPolicyAlreadyExists"
    updated = cloudfront.update_response_headers_policy(
        Id=name, IfMatch=seen["ETag"], ResponseHeadersPolicyConfig=wanted | {"Comment": "d"}
    )
    with pytest.raises(ClientError) as caught:
        cloudfront.delete_response_headers_policy(Id=name, IfMatch=seen["ETag"])
    assert code_of(caught) == "PreconditionFailed"
    behaviour = config()["DefaultCacheBehavior"] | {"ResponseHeadersPolicyId": name}
    user = distribution(aws, DefaultCacheBehavior=behaviour)
    with pytest.raises(ClientError) as caught:
        cloudfront.delete_response_headers_policy(Id=name, IfMatch=updated["ETag"])
    assert code_of(caught) == "ResponseHeadersPolicyInUse"
    cloudfront.delete_distribution(Id=user["Distribution"]["Id"], IfMatch=user["ETag"])
    cloudfront.delete_response_headers_policy(Id=name, IfMatch=updated["ETag"])
    own = cloudfront.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    assert own["Quantity"] == 0
    with pytest.raises(ClientError) as caught:
        cloudfront.get_response_headers_policy(Id=name)
    assert code_of(caught) == "NoSuchResponseHeadersPolicy"


def test_managed_policies_can_be_looked_up(aws: Client) -> None:
    cloudfront = aws("cloudfront")
    found = cloudfront.list_cache_policies(Type="managed")["CachePolicyList"]["Items"]
    named = {item["CachePolicy"]["CachePolicyConfig"]["Name"]: item["CachePolicy"]["Id"] for item in found}
    assert named["Managed-CachingDisabled"] == DISABLED
    assert cloudfront.get_origin_request_policy(Id=ALL_VIEWER)["OriginRequestPolicy"]["Id"] == ALL_VIEWER


def test_tags_of_a_missing_distribution_are_not_found(aws: Client) -> None:
    arn = "arn:aws:cloudfront::123456789012:distribution/NONE"
    with pytest.raises(ClientError) as caught:
        aws("cloudfront").list_tags_for_resource(Resource=arn)
    assert code_of(caught) == "NoSuchResource"
