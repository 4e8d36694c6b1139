"""An answer that was cut, is empty or is somebody else's page is a lost reply, and no news of nothing."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.parsers import ResponseParserError
from moto.core.botocore_stubber import MockRawResponse

from provisioner.answers import demand_whole
from provisioner.engine.faults import Fault, fault_of, unless_unknown

PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
READS: dict[str, tuple[str, dict[str, Any]]] = {
    "ecs": ("describe_clusters", {}),
    "backup": ("list_backup_vaults", {}),
    "ec2": ("describe_vpcs", {}),
    "rds": ("describe_db_clusters", {}),
    "cloudfront": ("list_distributions", {}),
    "s3": ("get_bucket_versioning", {"Bucket": "some-bucket"}),
}


def answered(service: str, body: bytes, status: int = 200) -> Any:
    """A client of which every call is answered so."""
    client = boto3.client(service, "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")

    def answer(request: Any, **_: Any) -> AWSResponse:
        raw: Any = MockRawResponse(body)
        return AWSResponse(request.url, status, {"ETag": '"e"'}, raw)

    client.meta.events.register("before-send.*", answer)
    demand_whole(client.meta.events)
    return client


@pytest.mark.parametrize("body", [b"", PAGE, b'{"clusters": [{"clu', b"<DescribeVpcsResponse><vpcS"])
@pytest.mark.parametrize("service", READS)
def test_what_cannot_be_read_is_a_lost_reply_in_every_protocol(service: str, body: bytes) -> None:
    operation, params = READS[service]

    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it means is the question
        getattr(answered(service, body), operation)(**params)

    assert fault_of(caught.value) is Fault.LOST
    with pytest.raises(type(caught.value)):
        unless_unknown(lambda: getattr(answered(service, body), operation)(**params), "none")


@pytest.mark.parametrize("title", ["404 Not Found", "500 Internal Server Error"])
@pytest.mark.parametrize("service", READS)
def test_what_moto_does_not_know_is_told_apart(service: str, title: str) -> None:
    operation, params = READS[service]
    page = f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n".encode()
    client = answered(service, page, int(title[:3]))

    assert unless_unknown(lambda: getattr(client, operation)(**params), "none") == "none"


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("elbv2", "delete_rule", {"RuleArn": "r"}),
        ("logs", "delete_log_group", {"logGroupName": "g"}),
        ("s3", "delete_bucket", {"Bucket": "some-bucket"}),
    ],
)
def test_a_page_is_no_yes(service: str, operation: str, params: dict[str, str]) -> None:
    with pytest.raises(Exception, match="a page of HTML") as caught:
        getattr(answered(service, PAGE), operation)(**params)

    assert fault_of(caught.value) is Fault.LOST


@pytest.mark.parametrize("service", ["logs", "ecs", "dynamodb"])
def test_a_refusal_that_was_cut_is_no_refusal(service: str) -> None:
    operation, params = {**READS, "logs": ("describe_log_groups", {}), "dynamodb": ("list_tables", {})}[
        service
    ]

    with pytest.raises(Exception, match="was cut") as caught:
        getattr(answered(service, b'{"__type": "ResourceNotFou', 400), operation)(**params)

    assert fault_of(caught.value) is Fault.LOST


GARBAGE = b"\x1f\xff\xfe garbage"


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("logs", "delete_log_group", {"logGroupName": "g"}),
        ("dynamodb", "list_tables", {}),
        ("backup", "list_backup_vaults", {}),
        ("ec2", "describe_vpcs", {}),
        (
            "application-autoscaling",
            "deregister_scalable_target",
            {"ServiceNamespace": "ecs", "ResourceId": "r", "ScalableDimension": "ecs:service:DesiredCount"},
        ),
    ],
)
def test_bytes_that_are_no_text_are_a_lost_reply(
    service: str, operation: str, params: dict[str, str], status: int
) -> None:
    """Of an operation that answers nothing, too: a teardown ended with a traceback."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it means is the question
        getattr(answered(service, GARBAGE, status), operation)(**params)

    assert fault_of(caught.value) is Fault.LOST


def test_garbage_is_no_yes() -> None:
    """DeleteLogGroup answers with an empty body."""
    with pytest.raises(ResponseParserError):
        answered("logs", b"not found here").delete_log_group(logGroupName="g")


def test_an_emulators_word_for_nothing_is_whole() -> None:
    """The local AWS's KMS answers DeleteAlias with `null`, where AWS sends no body."""
    answered("kms", b"null").delete_alias(AliasName="alias/a")


def test_an_answer_of_json_that_is_no_object_is_none() -> None:
    with pytest.raises(Exception, match="no JSON, or was cut") as caught:
        answered("logs", b"[]").describe_log_groups()

    assert fault_of(caught.value) is Fault.LOST


def test_an_answer_that_has_nothing_to_tell_is_whole() -> None:
    assert answered("ecs", b"{}").describe_clusters()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answered("s3", b"").put_object(Bucket="some-bucket", Key="k", Body=b"")["ETag"] == '"e"'
