"""An answer that was cut, is empty or is somebody else's page is a lost reply, and no news of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.parsers import ResponseParserError
from moto.core.botocore_stubber import MockRawResponse

from provisioner.aws.rate_limits import RateLimiter
from provisioner.aws.responses import require_complete_responses
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.error_categories import (
    ErrorCategory,
    categorize,
    default_if_unsupported,
    describe_error,
    retry_after,
)
from tests.engine.test_waiter import Hurried

PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
READS: dict[str, tuple[str, dict[str, Any]]] = {
    "ecs": ("describe_clusters", {}),
    "backup": ("list_backup_vaults", {}),
    "ec2": ("describe_vpcs", {}),
    "rds": ("describe_db_clusters", {}),
    "cloudfront": ("list_distributions", {}),
    "s3": ("get_bucket_versioning", {"Bucket": "some-bucket"}),
}

ONCE = Config(retries={"total_max_attempts": 1})

# An operation of each protocol of AWS, and of each form that its refusals have.
PROTOCOLS: dict[str, tuple[str, dict[str, Any]]] = {
    **READS,
    "sts": ("get_caller_identity", {}),
    "cloudwatch": ("describe_alarms", {}),
    "secretsmanager": ("list_secrets", {}),
    "route53": ("list_hosted_zones", {}),
    "signin": ("create_o_auth2_token", {"tokenInput": {"clientId": "c", "grantType": "refresh_token"}}),
}


def answered(
    service: str, body: bytes, status: int = 200, bodies: Iterator[bytes] | None = None, **headers: str
) -> Any:
    """A client of which every call is answered so: with the next of `bodies`, then with `body`."""
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    client: Any = boto3.client(service, "us-east-1", config=ONCE, **keys)

    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def answer(request: Any, **_: Any) -> AWSResponse:
        raw: Any = MockRawResponse(next(bodies) if bodies else body)
        return AWSResponse(request.url, status, {"ETag": '"e"', **named}, raw)

    client.meta.events.register("before-send.*", answer)
    require_complete_responses(client.meta.events)
    return client


@pytest.mark.parametrize("body", [b"", PAGE, b'{"clusters": [{"clu', b"<DescribeVpcsResponse><vpcS"])
@pytest.mark.parametrize("service", READS)
def test_what_cannot_be_read_is_a_lost_reply_in_every_protocol(service: str, body: bytes) -> None:
    operation, params = READS[service]

    with pytest.raises(Exception) as caught:  # noqa: PT011 - what it means is the question
        getattr(answered(service, body), operation)(**params)

    assert categorize(caught.value) is ErrorCategory.LOST
    with pytest.raises(type(caught.value)):
        default_if_unsupported(lambda: getattr(answered(service, body), operation)(**params), "none")


@pytest.mark.parametrize("title", ["404 Not Found", "500 Internal Server Error"])
@pytest.mark.parametrize("service", READS)
def test_what_moto_does_not_know_is_told_apart(service: str, title: str) -> None:
    operation, params = READS[service]
    page = f"<!doctype html>\n<html lang=en>\n<title>{title}</title>\n".encode()
    client = answered(service, page, int(title[:3]))

    assert default_if_unsupported(lambda: getattr(client, operation)(**params), "none") == "none"


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

    assert categorize(caught.value) is ErrorCategory.LOST


@pytest.mark.parametrize("service", ["logs", "ecs", "dynamodb"])
def test_a_refusal_that_was_cut_is_no_refusal(service: str) -> None:
    operation, params = {**READS, "logs": ("describe_log_groups", {}), "dynamodb": ("list_tables", {})}[service]

    with pytest.raises(Exception, match="was cut") as caught:
        getattr(answered(service, b'{"__type": "ResourceNotFou', 400), operation)(**params)

    assert categorize(caught.value) is ErrorCategory.LOST


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

    assert categorize(caught.value) is ErrorCategory.LOST


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

    assert categorize(caught.value) is ErrorCategory.LOST


def test_an_answer_that_has_nothing_to_tell_is_whole() -> None:
    assert answered("ecs", b"{}").describe_clusters()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answered("s3", b"").put_object(Bucket="some-bucket", Key="k", Body=b"")["ETag"] == '"e"'


# What stands before a service says with a 429: nothing, or something in no protocol of AWS's.
BARE = [b"", b" \n", b"Too Many Requests", b"{}", b"null", b"[]", b'"slow"', b"<html><br>slow down", GARBAGE]
BARE += [b'{"message": "Too', b'{"message": "Too Many Requests"}']
NO_OBJECTS = [b"null", b"[]", b'"slow"']


def refused(service: str, status: int, bodies: list[bytes], **headers: str) -> list[Exception]:
    """What the call of a protocol ends with, answered with each of those bodies."""
    operation, params = PROTOCOLS[service]
    given, ended = iter(bodies), []
    client = answered(service, b"", status, bodies=given, **headers)
    for _ in bodies:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - what it means is the question
            getattr(client, operation)(**params)
        ended.append(caught.value)
    assert next(given, None) is None
    return ended


@pytest.mark.parametrize("service", PROTOCOLS)
def test_a_429_is_a_throttle_in_every_protocol_whatever_its_body(service: str) -> None:
    for error in refused(service, 429, BARE, X_Amz_Retry_After="250"):
        assert categorize(error) is ErrorCategory.THROTTLED
        assert retry_after(error) == 0.25
        assert "429" in describe_error(error)


@pytest.mark.parametrize("service", PROTOCOLS)
def test_a_429_lowers_the_rate_of_its_service(service: str) -> None:
    operation, params = PROTOCOLS[service]
    rates, raw = RateLimiter(), answered(service, b"", 429)
    aws: Any = SimpleNamespace(rates=rates, client=lambda *_: raw, region="us-east-1", endpoint="")

    with pytest.raises(Exception, match="429"):
        getattr(Clients(aws, Hurried(), timeout=0).client(service), operation)(**params)

    assert rates.throttles.keys() == {service}


@pytest.mark.parametrize("status", [400, 403, 503])
@pytest.mark.parametrize("service", PROTOCOLS)
def test_a_refusal_that_is_no_object_is_no_traceback(service: str, status: int) -> None:
    for error in refused(service, status, NO_OBJECTS):
        assert categorize(error) in {ErrorCategory.LOST, ErrorCategory.REFUSED}


@pytest.mark.parametrize(
    ("status", "fault"),
    [(403, ErrorCategory.PROXY_REFUSED), (407, ErrorCategory.PROXY_REFUSED), (408, ErrorCategory.LOST)],
)
@pytest.mark.parametrize("service", ["ec2", "sts", "rds"])
def test_who_says_no_with_a_status_alone_is_no_service_of_aws(service: str, status: int, fault: ErrorCategory) -> None:
    assert [categorize(error) for error in refused(service, status, [b""])] == [fault]


def test_a_page_in_the_place_of_an_object_is_a_proxys() -> None:
    with pytest.raises(Exception, match="as a proxy sends") as caught:
        answered("s3", PAGE, 403).get_object(Bucket="some-bucket", Key="k")

    assert categorize(caught.value) is ErrorCategory.PROXY_REFUSED
