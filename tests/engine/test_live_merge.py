"""A call that replaces a whole document is sent ours, laid over what stands."""

from __future__ import annotations

from typing import Any

import botocore.session
import pytest

from provisioner.engine.calls.input_shapes import Shapes
from provisioner.engine.execution.live_merge import merge_documents
from provisioner.engine.planning.diff import differences, external_differences
from provisioner.resources import RESOURCE_TYPES

SHIELD = "ShieldMitigationRuleGroup_123456789012_1a2b_3c4d"
MITIGATION = {
    "Name": SHIELD,
    "Priority": 10_000_000,
    "Statement": {
        "RuleGroupReferenceStatement": {"ARN": f"arn:aws:wafv2:us-east-1:153427709519:global/rulegroup/{SHIELD}/5e6f"}
    },
    "OverrideAction": {"None": {}},
    "VisibilityConfig": {},
}
RATE = {"Name": "rate", "Priority": 0, "Statement": {"RateBasedStatement": {"Limit": 2000}}}


def laid(type_name: str, there: dict[str, Any], ours: dict[str, Any], before: Any = None) -> dict[str, Any]:
    """What the calls of a resource type are sent."""
    bearer = RESOURCE_TYPES[type_name]
    model = botocore.session.Session().get_service_model(bearer.service)
    return merge_documents(bearer, there, ours, before or {}, Shapes.of(model, bearer.replacing_calls))


def test_what_others_set_is_sent_back_and_what_aws_only_tells_is_not() -> None:
    there = {
        "Name": "a",
        "Id": "1",
        "LockToken": "t",
        "ARN": "arn:1",
        "Capacity": 2,
        "LabelNamespace": "awswaf:",
        "ManagedByFirewallManager": False,
        "Tags": {"Team": "x"},
        "DefaultAction": {"Allow": {}},
        "TokenDomains": ["example.com"],
        "CaptchaConfig": {"ImmunityTimeProperty": {"ImmunityTime": 600}},
        "CustomResponseBodies": {"busy": {"Content": "later", "ContentType": "TEXT_PLAIN"}},
        "AssociationConfig": {"RequestBody": {"API_GATEWAY": {"DefaultSizeInspectionLimit": "KB_64"}}},
    }
    ours = {
        "Name": "a",
        "Scope": "CLOUDFRONT",
        "DefaultAction": {"Allow": {}},
        "AssociationConfig": {"RequestBody": {"CLOUDFRONT": {"DefaultSizeInspectionLimit": "KB_16"}}},
    }

    sent = laid("WebACL", there, ours)

    told = {"ARN", "Capacity", "LabelNamespace", "ManagedByFirewallManager", "Tags", "AssociationConfig"}
    assert {key: one for key, one in sent.items() if key != "AssociationConfig"} == {
        **{key: one for key, one in there.items() if key not in told},
        "Scope": "CLOUDFRONT",
    }
    assert sent["AssociationConfig"]["RequestBody"].keys() == {"API_GATEWAY", "CLOUDFRONT"}


@pytest.mark.parametrize(
    ("rule", "stays"),
    [
        (MITIGATION, True),
        ({**RATE, "Name": "mine"}, False),
        ({**MITIGATION, "Priority": 1}, False),
        ({**MITIGATION, "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}}, False),
    ],
)
def test_of_rules_that_nobody_declared_only_shields_own_stays(rule: dict[str, Any], stays: bool) -> None:
    """Its name alone does not make it Shield's: a rule before ours could let anybody in."""
    softened = {**RATE, "Action": {"Count": {}}}

    sent = laid("WebACL", {"Rules": [softened, rule]}, {"Rules": [RATE]})

    assert sent["Rules"] == [RATE, *([rule] if stays else [])]
    found = differences(RESOURCE_TYPES["WebACL"], {"Rules": [RATE]}, {"Rules": [RATE, rule]}, None)
    assert [one.path for one in found] == ([] if stays else ["Rules"])


@pytest.mark.parametrize(("kind", "tags"), [("DeliveryDestination", "tags"), ("EventRule", "Tags")])
def test_tags_are_set_by_calls_of_their_own(kind: str, tags: str) -> None:
    """PutDeliveryDestination refuses them on what is there already."""
    assert laid(kind, {tags: {"Team": "x"}}, {}) == {}


def test_how_ecs_goes_about_a_deployment_outlives_a_change_of_the_counts() -> None:
    """Blue/green, its hooks and alarms are set on the service by others."""
    native = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5, "lifecycleHooks": [{"hookTargetArn": "f"}]}
    counts = {"minimumHealthyPercent": 100, "maximumPercent": 200}

    sent = laid(
        "Service",
        {"deploymentConfiguration": {**counts, **native}, "serviceArn": "arn"},
        {"deploymentConfiguration": {**counts, "maximumPercent": 150}},
    )

    assert sent == {"deploymentConfiguration": {**counts, "maximumPercent": 150, **native}}


@pytest.mark.parametrize(
    "by_hand",
    [
        {"alarms": {"alarmNames": ["theirs"], "enable": True, "rollback": True}},
        {"strategy": "ROLLING", "bakeTimeInMinutes": 7},
        {"earlySuccessCriteria": {"enable": True}},
        {"deploymentCircuitBreaker": {"resetOnHealthyTask": True}},
    ],
    ids=",".join,
)
def test_how_a_rolling_deployment_is_watched_is_nobodys_and_is_sent_back(by_hand: dict[str, Any]) -> None:
    """None of it says who gets in or where a request goes: no difference, and no loss."""
    breaker = {"enable": True, "rollback": True}
    counts = {"minimumHealthyPercent": 100, "maximumPercent": 200}
    ours = {**counts, "deploymentCircuitBreaker": breaker}
    theirs = {**by_hand, "deploymentCircuitBreaker": breaker | by_hand.get("deploymentCircuitBreaker", {})}
    there = {"deploymentConfiguration": {**counts, **theirs, "maximumPercent": 150}}
    stated = {"deploymentConfiguration": ours}

    sent = laid("Service", {**there, "serviceArn": "arn"}, stated)

    assert sent == {"deploymentConfiguration": {**counts, **theirs}}
    assert [one.path for one in differences(RESOURCE_TYPES["Service"], stated, there, None)] == [
        "deploymentConfiguration.maximumPercent"
    ]


def test_what_was_ours_and_is_stated_no_longer_goes() -> None:
    there = {"AlarmName": "a", "TreatMissingData": "breaching", "DatapointsToAlarm": 2}

    sent = laid("Alarm", there, {"AlarmName": "a"}, {"AlarmName": "a", "TreatMissingData": "breaching"})

    assert sent == {"AlarmName": "a", "DatapointsToAlarm": 2}


@pytest.mark.parametrize(
    ("member", "there", "sent"),
    [
        ("ConnectionMode", "tenant-only", "direct"),
        ("ViewerMtlsConfig", {"Mode": "required"}, None),
        ("Staging", False, False),
        ("Logging", {"Enabled": True, "Bucket": "b"}, {"Enabled": True, "Bucket": "b"}),
        (
            "Restrictions",
            {"GeoRestriction": {"RestrictionType": "whitelist", "Quantity": 1, "Items": ["DE"]}},
            {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0, "Items": []}},
        ),
    ],
)
def test_what_is_ours_though_nobody_states_it_goes_back_to_its_default(member: str, there: Any, sent: Any) -> None:
    """Whatever decides who gets in, where a request goes or what it becomes, by the table of owners."""
    assert laid("Distribution", {member: there}, {}) == ({} if sent is None else {member: sent})


def test_so_it_does_inside_of_a_document_and_of_an_item_of_a_list() -> None:
    rule = {"ID": "expire", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    begun = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}
    there = {"LifecycleConfiguration": {"Rules": [{**rule, **begun}]}}
    bare = {"LifecycleConfiguration": {"Rules": [{"ID": "expire", "Status": "Enabled"}]}}
    before = {"LifecycleConfiguration": {"Rules": [{"ID": "expire", "Status": "Enabled", **begun}]}}

    assert laid("BucketLifecycle", there, bare, before) == {"LifecycleConfiguration": {"Rules": [rule]}}


@pytest.mark.parametrize(
    ("kind", "there", "ours"),
    [
        ("Alarm", {"Metrics": [{"Id": "m"}]}, {"MetricName": "CPU"}),
        ("Alarm", {"ExtendedStatistic": "p99"}, {"Statistic": "Sum"}),
        (
            "ScalingPolicy",
            {"TargetTrackingScalingPolicyConfiguration": {"CustomizedMetricSpecification": {"Unit": "1"}}},
            {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 5.0}},
        ),
        (
            "BucketLifecycle",
            {"LifecycleConfiguration": {"Rules": [{"ID": "a", "Expiration": {"Date": 1}, "Prefix": "x"}]}},
            {"LifecycleConfiguration": {"Rules": [{"ID": "a", "Expiration": {"Days": 1}}]}},
        ),
        (
            "BucketEncryption",
            {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"KMSMasterKeyID": "k", "SSEAlgorithm": "aws:kms"}}]}},  # noqa: E501
            {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}},  # noqa: E501
        ),
        (
            "Distribution",
            {"Origins": {"Items": [{"Id": "alb", "CustomOriginConfig": {"HTTPPort": 80}}]}},
            {"Origins": {"Items": [{"Id": "alb", "VpcOriginConfig": {"VpcOriginId": "v"}}]}},
        ),
        (
            "Distribution",
            {"ViewerCertificate": {"CloudFrontDefaultCertificate": True, "CertificateSource": "cloudfront"}},
            {"ViewerCertificate": {"ACMCertificateArn": "arn"}},
        ),
        ("Rotation", {"RotationRules": {"ScheduleExpression": "rate(1 day)"}}, {"RotationRules": {"AutomaticallyAfterDays": 3}}),  # noqa: E501
        ("WebACL", {"DefaultAction": {"Block": {}}}, {"DefaultAction": {"Allow": {}}}),
    ],
)  # fmt: skip
def test_of_what_does_not_go_together_ours_alone_is_sent(
    kind: str, there: dict[str, Any], ours: dict[str, Any]
) -> None:
    sent = laid(kind, there, ours)

    assert {key: one for key, one in sent.items() if key in ours} == sent == ours


DELIVERY = {
    "Sid": "AWSLogDeliveryWrite",
    "Effect": "Allow",
    "Principal": {"Service": "delivery.logs.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": "arn:aws:s3:::ml-api-logs-a-123456789012-eu-west-1/AWSLogs/123456789012/*",
    "Condition": {"StringEquals": {"aws:SourceAccount": ["123456789012"]}},
}


@pytest.mark.parametrize(
    ("statement", "stays"),
    [
        (DELIVERY, True),
        ({**DELIVERY, "Sid": "Mine"}, False),
        ({**DELIVERY, "Action": "s3:*"}, False),
        ({**DELIVERY, "Principal": "*"}, False),
        ({**DELIVERY, "Condition": {"StringEquals": {"aws:SourceAccount": ["210987654321"]}}}, False),
        ({**DELIVERY, "Condition": {}}, False),
        ({"Sid": "AWSLogDeliveryWrite", "Effect": "Allow", "NotAction": "s3:DeleteBucket"}, False),
    ],
)
def test_of_statements_that_nobody_declared_only_the_log_deliverys_own_stays(
    statement: dict[str, Any], stays: bool
) -> None:
    ours, theirs = {"Sid": "TLS", "Effect": "Deny"}, [statement] if stays else []
    wanted, seen = ({"Policy": {"Statement": one}} for one in ([ours], [ours, statement]))

    assert laid("BucketPolicy", seen, wanted) == {"Policy": {"Statement": [ours, *theirs]}}
    assert bool(differences(RESOURCE_TYPES["BucketPolicy"], wanted, seen, None)) is not stays
    told = external_differences(RESOURCE_TYPES["BucketPolicy"], wanted, seen, None)
    assert [one.owner for one in told] == ["CloudWatch Logs"] * stays


def test_a_policy_keeps_its_name_and_nothing_that_lets_somebody_in() -> None:
    ours = {"Sid": "TLS", "Effect": "Deny"}
    there = {"Policy": {"Id": "audit-7", "Statement": [ours, {"Sid": "Mine", "Effect": "Allow"}]}}

    sent = laid("BucketPolicy", there, {"Policy": {"Statement": [ours]}})

    assert sent == {"Policy": {"Id": "audit-7", "Statement": [ours]}}


def test_a_default_takes_the_place_of_what_was_ours_and_of_nothing_else() -> None:
    """What is set beside it in the same document stays."""
    storage = {"managedStorageConfiguration": {"kmsKeyId": "k"}}
    logged = {"executeCommandConfiguration": {"logging": "OVERRIDE", "logConfiguration": {"s3BucketName": "b"}}}
    default = {"executeCommandConfiguration": {"logging": "DEFAULT"}}

    sent = laid(
        "Cluster",
        {"configuration": {**logged, **storage}},
        {"configuration": default},
        {"configuration": logged},
    )

    assert sent == {"configuration": {**default, **storage}}
