"""Every policy document that the stack hands to AWS: no wildcard without a reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from provisioner.engine.resource_graph.graph import Stack
from provisioner.engine.resource_graph.references import resolve
from provisioner.settings import Settings
from provisioner.stack import build
from provisioner.steps.lookups import offline_lookups

SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:token-AbCdEf"
ALL = {
    "profile": "production",
    "encryption": {"key": "own"},
    "database": {"monitoring": 60},
    "alarms": {"emails": ["ops@shop.example"]},
    "service": {"exec": True},
    "container": {"readonly_root": False, "secrets": {"TOKEN": SECRET}},
    "image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/ml-api:1",
}
# What holds a policy, and in which property; a kind with another one would be missed: see the last test.
HELD = {
    "Role": "AssumeRolePolicyDocument",
    "RolePolicy": "PolicyDocument",
    "Boundary": "PolicyDocument",
    "BucketPolicy": "Policy",
    "TopicPolicy": "Policy",
    "Key": "Policy",
    "EdgeKey": "Policy",
}
_STREAMS = "the streams of one group"
_NO_RESOURCE = "channels of Systems Manager, a token of ECR and the list of log groups take no resource"
_ITSELF = "in a key's own policy it is that key (KMS developer guide, key policies)"
_FAMILY = "with and without a public part: one sort of call (KMS developer guide, key policies)"
_TO_COME = "what AWS names is not there yet when the boundary is: by tag, or by the name in it"
# Every wildcard by the kind that holds it, and why it cannot be narrower.
REASONS = {
    ("Role", "SourceArn", "ecs:*"): "tasks of any cluster: naming one stops every task",
    ("Role", "SourceArn", "ec2:vpc-flow-log/*"): "AWS names the flow log after the role is made",
    **{
        (kind, "Resource", f"logs:log-group:{name}"): reason
        for kind in ("RolePolicy", "Boundary")
        for name, reason in {
            "*": "DescribeLogGroups lists; it takes no single group",
            "/aws/ecs/ml-api-prod:*": _STREAMS,
            "/aws/ecs/exec/ml-api-prod:*": _STREAMS,
            "/aws/vpc/ml-api-prod:*": _STREAMS,
            "RDSOSMetrics:*": "the group itself: its ARN goes on",
            "RDSOSMetrics:log-stream:*": _STREAMS,
        }.items()
    },
    **{(kind, "Resource", "*"): _NO_RESOURCE for kind in ("RolePolicy", "Boundary")},
    **{(kind, "Resource", "kms:key/*"): "one that opens this secret, by condition" for kind in ("RolePolicy",)},
    ("Boundary", "Resource", "kms:key/*"): _TO_COME,
    ("Boundary", "Resource", "secretsmanager:secret:rds!cluster-*"): _TO_COME,
    ("Boundary", "Resource", "rds-db:dbuser:*/mlapi_app"): _TO_COME,
    ("BucketPolicy", "Principal", "*"): "a denial is for everybody",
    ("BucketPolicy", "Action", "s3:*"): "a denial is of everything",
    ("BucketPolicy", "Resource", "s3:BUCKET/*"): "all that is in one bucket",
    ("BucketPolicy", "Resource", "s3:BUCKET/alb/AWSLogs/123456789012/*"): "one prefix",
    ("BucketPolicy", "Resource", "s3:BUCKET/cloudfront/*"): "one prefix",
    **{
        (kind, what, value): reason
        for kind in ("Key", "EdgeKey")
        for what, value, reason in (
            ("Resource", "*", _ITSELF),
            ("Action", "kms:GenerateDataKey*", _FAMILY),
            ("Action", "kms:ReEncrypt*", _FAMILY),
        )
    },
}


def stack() -> Stack:
    lookups = replace(offline_lookups(3, "15"), account="123456789012")
    return build(Settings.model_validate(ALL), "prod", "eu-west-1", lookups)


def found(declared: Stack) -> Iterator[tuple[str, str, str]]:
    for resource in declared:
        if held := HELD.get(str(resource.type)):
            for statement in resolve(resource.props[held], lambda ref: f"<{ref}>")["Statement"]:
                for what, value in _values(statement):
                    if "*" in value:
                        yield str(resource.type), what, _short(value).replace("<logs-bucket.id>", "BUCKET")


def _values(statement: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for what in ("Principal", "Action", "Resource", "NotAction", "NotPrincipal", "NotResource"):
        yield from ((what, one) for one in _flat(statement.get(what, [])))
    for keys in statement.get("Condition", {}).values():
        yield from ((key.split(":")[-1], one) for key, told in keys.items() for one in _flat(told))


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for inner in value.values() for text in _flat(inner))
    elif isinstance(value, list):
        yield from (text for inner in value for text in _flat(inner))
    else:
        yield str(value)


def _short(value: str) -> str:
    """An ARN without partition, region and account, none of which may be left open."""
    if not value.startswith("arn:"):
        return value
    _, _, service, region, account, rest = value.split(":", 5)
    assert "*" not in service + region + account, value
    return f"{service}:{rest}"


def test_each_wildcard_has_its_reason_and_each_reason_its_wildcard() -> None:
    assert set(found(stack())) == REASONS.keys()


def test_no_other_kind_holds_a_policy() -> None:
    holding = {
        str(resource.type)
        for resource in stack()
        for value in resource.props.values()
        if isinstance(value, dict) and "Statement" in value
    }

    assert holding == HELD.keys()


def test_what_somebody_adds_to_any_of_them_is_a_difference() -> None:
    resource_types = {str(resource.type): resource.type for resource in stack()}

    assert {type_name for type_name, held in HELD.items() if held not in resource_types[type_name].exclusive} == set()
