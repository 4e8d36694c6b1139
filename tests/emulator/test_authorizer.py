"""The authoriser decides as IAM does: action, resource, condition, explicit deny, and what a call implies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from provisioner.emulator.server import LocalAws
from provisioner.iam.evaluator import Request, Verdict, allows, verdict
from tests.support.account_inventory import client

TAGS = [{"Key": "team", "Value": "search"}]


def allow(*actions: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Statement": [{**statement, "Condition": condition} if condition else statement]}


def deny(*actions: str, **condition: Any) -> dict[str, Any]:
    return {"Statement": {**allow(*actions, **condition)["Statement"][0], "Effect": "Deny"}}


def asked(action: str = "s3:GetObject", resource: str = "arn:aws:s3:::a/b", **context: str) -> Request:
    return Request(action, resource, {name: (value,) for name, value in context.items()})


def test_nothing_is_allowed_by_itself_and_a_deny_wins() -> None:
    assert verdict([], asked()) is Verdict.NOT_ALLOWED
    assert verdict([allow("s3:*")], asked()) is Verdict.ALLOWED
    assert verdict([allow("s3:*"), deny("s3:get*")], asked()) is Verdict.DENIED


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("arn:aws:s3:::a/*", True),
        ("arn:aws:s3:::?/b", True),
        ("arn:aws:s3:::A/b", False),
        ("arn:aws:s3:::a", False),
        ("*", True),
    ],
)
def test_a_resource_is_meant_by_its_pattern(pattern: str, fits: bool) -> None:
    assert (verdict([allow("s3:GetObject", resource=pattern)], asked()) is Verdict.ALLOWED) == fits


@pytest.mark.parametrize(
    ("operator", "value", "met"),
    [
        ("StringEquals", "x", True),
        ("StringEquals", ["y", "x"], True),
        ("StringEquals", "X", False),
        ("StringEqualsIgnoreCase", "X", True),
        ("StringNotEquals", "x", False),
        ("StringNotEquals", "y", True),
        ("StringLike", "?", True),
        ("StringNotLike", "*", False),
        ("Null", "false", True),
        ("Null", "true", False),
        ("ForAnyValue:StringEquals", ["x"], True),
        ("ForAllValues:StringEquals", ["y"], False),
    ],
)
def test_a_condition_is_met_or_not(operator: str, value: Any, met: bool) -> None:
    policy = allow("*", **dict[str, Any]({operator: {"k:Key": value}}))

    assert (verdict([policy], asked(**{"K:key": "x"})) is Verdict.ALLOWED) == met


def test_a_key_that_the_request_has_not_meets_what_is_negated_or_asked_only_if_it_is_there() -> None:
    for operator, met in (
        ("StringEquals", False),
        ("StringNotEquals", True),
        ("StringEqualsIfExists", True),
    ):
        policy = allow("*", **dict[str, Any]({operator: {"k:key": "x"}}))
        assert (verdict([policy], asked()) is Verdict.ALLOWED) == met


def test_an_operator_that_is_not_known_is_no_condition_that_is_met() -> None:
    with pytest.raises(ValueError, match="NumericEquals"):
        verdict([allow("*", NumericEquals={"k": "1"})], asked(k="1"))


def test_a_boundary_caps_what_is_allowed() -> None:
    assert allows([allow("*")], asked(), boundary=allow("s3:*"))
    assert not allows([allow("*")], asked(), boundary=allow("ec2:*"))
    assert not allows([allow("ec2:*")], asked(), boundary=allow("*"))


@pytest.fixture
def aws(served: LocalAws) -> Iterator[LocalAws]:
    served.behave(behaviours=False, speed=0.0)
    served.reset()
    yield served
    served.authorise()
    served.behave(behaviours=True, speed=0.0)


def refused(call: Any, **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**params)
    return dict(error.value.response["Error"])


def test_each_service_refuses_in_its_own_words_and_names_action_and_resource(aws: LocalAws) -> None:
    aws.authorise(allow("sts:Nothing"))
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/t"

    ec2 = refused(client(aws.endpoint, "ec2").create_vpc, CidrBlock="10.0.0.0/16")
    dynamodb = refused(client(aws.endpoint, "dynamodb").describe_table, TableName="t")
    iam = refused(client(aws.endpoint, "iam").get_role, RoleName="r")

    assert (ec2["Code"], dynamodb["Code"], iam["Code"]) == (
        "UnauthorizedOperation",
        "AccessDeniedException",
        "AccessDenied",
    )
    assert "ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:123456789012:vpc/*" in ec2["Message"]
    assert f"dynamodb:DescribeTable on resource: {table} because no identity" in dynamodb["Message"]
    assert client(aws.endpoint, "sts").get_caller_identity()["Account"] == "123456789012"
    assert [call["error"] for call in aws.calls()] == [
        "UnauthorizedOperation",
        "AccessDeniedException",
        "AccessDenied",
        "",
    ]


def test_to_give_tags_on_create_is_a_right_of_its_own(aws: LocalAws) -> None:
    ec2 = client(aws.endpoint, "ec2")
    tagged = {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"ResourceType": "vpc", "Tags": TAGS}]}
    only_then: dict[str, Any] = {"StringEquals": {"ec2:CreateAction": "CreateVpc", "aws:RequestTag/team": "search"}}

    aws.authorise(allow("ec2:CreateVpc"))
    assert "ec2:CreateTags" in refused(ec2.create_vpc, **tagged)["Message"]
    aws.authorise(allow("ec2:CreateVpc"), allow("ec2:CreateTags", **only_then))
    vpc = ec2.create_vpc(**tagged)["Vpc"]["VpcId"]
    assert "ec2:CreateTags" in refused(ec2.create_tags, Resources=[vpc], Tags=TAGS)["Message"]


def test_the_tags_of_what_is_there_are_asked_of_each_resource(aws: LocalAws) -> None:
    ec2 = client(aws.endpoint, "ec2")
    spec = [{"ResourceType": "vpc", "Tags": TAGS}]
    ours = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec)["Vpc"]["VpcId"]
    theirs = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    aws.authorise(allow("ec2:DeleteVpc", StringEquals={"aws:ResourceTag/team": "search"}))

    assert theirs in refused(ec2.delete_vpc, VpcId=theirs)["Message"]
    ec2.delete_vpc(VpcId=ours)


def test_a_role_is_passed_to_the_service_it_is_for(aws: LocalAws) -> None:
    ecs = client(aws.endpoint, "ecs")
    role = "arn:aws:iam::123456789012:role/r"
    task = {"family": "f", "containerDefinitions": [{"name": "c", "image": "i", "memory": 128}]}

    aws.authorise(allow("ecs:*"))
    assert (
        f"iam:PassRole on resource: {role}"
        in refused(ecs.register_task_definition, taskRoleArn=role, **task)["Message"]
    )
    aws.authorise(
        allow("ecs:*"),
        allow("iam:PassRole", StringEquals={"iam:PassedToService": "lambda.amazonaws.com"}),
    )
    refused(ecs.register_task_definition, taskRoleArn=role, **task)
    aws.authorise(
        allow("ecs:*"),
        allow("iam:PassRole", StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
    )
    ecs.register_task_definition(taskRoleArn=role, **task)


def test_a_stream_is_named_within_its_group(emulator_server: LocalAws) -> None:
    emulator_server.behave(behaviours=False, speed=0.0)
    logs, group = client(emulator_server.endpoint, "logs"), "/aws/ecs/ml-api-a"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="api/api/1")
    asked = {"logGroupName": group, "logStreamName": "api/api/1"}
    stream = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:log-stream:"
    try:
        emulator_server.authorise(allow("logs:GetLogEvents", resource=f"{stream}*"))
        assert logs.get_log_events(**asked)["events"] == []
        emulator_server.authorise(allow("logs:GetLogEvents", resource=f"{stream}other"))
        with pytest.raises(ClientError, match="log-stream:api/api/1"):
            logs.get_log_events(**asked)
    finally:
        emulator_server.authorise()
        logs.delete_log_group(logGroupName=group)
