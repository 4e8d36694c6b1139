"""What an error of a call means is decided once, for every class and code that botocore knows."""

from __future__ import annotations

import inspect
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore import exceptions as raised
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.retries import standard
from tenacity import stop_after_delay

from provisioner.aws.credential_errors import ChainError
from provisioner.aws.responses import NotAwsResponse, UnsupportedOperation
from provisioner.engine.calls import error_codes
from provisioner.engine.calls.error_categories import (
    CLASSES,
    CODES,
    MAX_RETRY_AFTER_SECONDS,
    TRANSIENT,
    ErrorCategory,
    categorize,
    code_of,
    default_if_unsupported,
    describe_error,
    is_unsupported_operation,
    retry_after,
    status_of,
)
from provisioner.engine.calls.retry_policy import RetryPolicy
from tests.support.memory_object_store import Hands

# What nobody meets who calls by clients that this tool makes, or what says that a call was never made as
# it was meant: the setting, the parameters, the model.
OF_THE_CALL = {
    *("DataNotFoundError", "UnknownServiceError", "UnknownRegionError", "ApiVersionNotFoundError"),
    *("UnknownSignatureVersionError", "ServiceNotInRegionError", "BaseEndpointResolverError"),
    *("NoRegionError", "EndpointVariantError", "UnknownEndpointError", "UnknownFIPSEndpointError"),
    *("MissingParametersError", "ValidationError", "ParamValidationError", "UnknownKeyError", "RangeError"),
    *("UnknownParameterError", "InvalidRegionError", "AliasConflictParameterError", "UnknownServiceStyle"),
    *("PaginationError", "OperationNotPageableError", "UnseekableStreamError", "WaiterError"),
    *("InvalidExpressionError", "WaiterConfigError", "UnknownClientMethodError"),
    *("UnsupportedSignatureVersionError", "InvalidDNSNameError", "InvalidS3AddressingStyleError"),
    *("UnsupportedS3ArnError", "UnsupportedS3ControlArnError", "InvalidHostLabelError"),
    *("UnsupportedOutpostResourceError", "UnsupportedS3ConfigurationError"),
    *("UnsupportedS3AccesspointConfigurationError", "InvalidEndpointDiscoveryConfigurationError"),
    *("UnsupportedS3ControlConfigurationError", "InvalidRetryConfigurationError"),
    *("InvalidMaxRetryAttemptsError", "InvalidRetryModeError", "InvalidS3UsEast1RegionalEndpointConfigError"),
    *("InvalidSTSRegionalEndpointsConfigError", "StubResponseError", "StubAssertionError"),
    *("UnStubbedResponseError", "MD5UnavailableError", "MissingDependencyException"),
    *("CapacityNotAvailableError", "InvalidProxiesConfigError", "InvalidDefaultsMode"),
    *("AwsChunkedWrapperError", "InvalidEndpointConfigurationError", "EndpointProviderError"),
    *("EndpointResolutionError", "UnknownEndpointResolutionBuiltInName", "InvalidChecksumConfigError"),
    *("UnsupportedServiceProtocolsError", "BotoCoreError"),
}
SERVICES = (
    *("acm", "application-autoscaling", "backup", "cloudfront", "cloudwatch", "dynamodb", "ec2", "ecr"),
    *("ecs", "elbv2", "events", "iam", "kms", "logs", "pricing", "rds", "resourcegroupstaggingapi"),
    *("route53", "s3", "secretsmanager", "service-quotas", "sns", "ssm", "sts", "wafv2"),
    *("signin", "sso", "sso-oidc"),
)
# A quota in most services: asking again cures nothing.
QUOTA = "LimitExceededException"


def classes() -> list[type[BaseException]]:
    """Every error that botocore declares."""
    declared: list[Any] = [one for _, one in inspect.getmembers(raised, inspect.isclass)]
    return [one for one in declared if issubclass(one, BotoCoreError) and one.__module__ == raised.__name__]


@pytest.mark.parametrize("one", classes(), ids=lambda one: str(one.__name__))
def test_every_class_of_botocore_is_in_the_table(one: type[BaseException]) -> None:
    nearest = next(base for base in one.__mro__ if base in CLASSES)

    assert (nearest is BotoCoreError) == (one.__name__ in OF_THE_CALL), f"{one.__name__}: nobody classed it"


def test_nothing_is_named_that_botocore_does_not_have() -> None:
    assert {one.__name__ for one in classes()} >= OF_THE_CALL


def legacy_codes(node: Any) -> Iterator[str]:
    """The codes of botocore's older retry table."""
    if isinstance(node, dict):
        yield from [node["service_error_code"]] if "service_error_code" in node else []
        for one in node.values():
            yield from legacy_codes(one)


def retried_codes() -> set[str]:
    """What botocore retries, by its standard mode, its older table and the services' models."""
    table = json.loads((Path(botocore.__file__).parent / "data" / "_retry.json").read_text())
    named = {*legacy_codes(table)}
    named |= {*standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES}
    named |= {*standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES}
    session = botocore.session.Session()
    for service in SERVICES:
        model = session.get_service_model(service)
        for shape in map(model.shape_for, model.shape_names):
            facts = getattr(shape, "metadata", {})
            if facts.get("retryable") is not None:
                named.add(facts.get("error", {}).get("code") or shape.name)
    return named


def answered(code: str, status: int = 400, **headers: str) -> ClientError:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    meta: Any = {"HTTPStatusCode": status, "HTTPHeaders": told}
    return ClientError({"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": meta}, "DoThing")


def test_what_botocore_retries_passes_here() -> None:
    missing = {code for code in retried_codes() if categorize(answered(code)) not in TRANSIENT}

    assert missing == {QUOTA}


def test_a_throttle_of_botocore_is_one_here() -> None:
    for code in {*standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES} - {QUOTA}:
        assert categorize(answered(code)) is ErrorCategory.THROTTLED
    for status in standard.ThrottlingStatusCodeChecker._THROTTLING_STATUS_CODES:
        assert categorize(answered(str(status), status)) is ErrorCategory.THROTTLED
        assert categorize(answered("", status)) is ErrorCategory.THROTTLED
    for status in standard.TransientRetryableChecker._TRANSIENT_STATUS_CODES:
        assert categorize(answered("SomethingNew", status)) is ErrorCategory.LOST


def test_a_refusal_of_aws_is_one_also_with_the_status_of_a_throttle() -> None:
    assert categorize(answered("AccessDeniedException", 429)) is ErrorCategory.DENIED
    assert CODES["AccessDeniedException"] is ErrorCategory.DENIED


URL = "https://ec2.us-east-1.amazonaws.com/"


def proxied(words: str) -> BaseException:
    error: BaseException = raised.ProxyConnectionError(proxy_url="http://p:3128", error=OSError(words))
    return error


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (raised.ProxyConnectionError(proxy_url="http://p:3128", error=OSError("refused")), ErrorCategory.UNSENT),
        (proxied("Tunnel connection failed: 503 Service Unavailable"), ErrorCategory.UNSENT),
        (proxied("Tunnel connection failed: 407 Proxy Authentication Required"), ErrorCategory.PROXY_REFUSED),
        (proxied("Tunnel connection failed: 403 Forbidden"), ErrorCategory.PROXY_REFUSED),
        (raised.SSLError(endpoint_url=URL, error=ssl.SSLEOFError(8, "EOF occurred")), ErrorCategory.LOST),
        (raised.SSLError(endpoint_url=URL, error=ssl.SSLCertVerificationError(1, "no")), ErrorCategory.UNTRUSTED),
        (raised.SSLError(endpoint_url=URL, error=FileNotFoundError(2, "No such file")), ErrorCategory.UNTRUSTED),
        (
            raised.ProxyConnectionError(proxy_url="https://p", error=ssl.SSLCertVerificationError(1, "no")),
            ErrorCategory.UNTRUSTED,
        ),
        (answered("407", 407), ErrorCategory.PROXY_REFUSED),
        (answered("RequestTimeout", 400), ErrorCategory.LOST),
        (answered("408", 408), ErrorCategory.LOST),
        (answered("BadDigest", 400), ErrorCategory.LOST),
        (answered("IDPCommunicationError", 400), ErrorCategory.LOST),
        (raised.EventStreamError({"Error": {"Code": "x"}}, "StartLiveTail"), ErrorCategory.LOST),
    ],
)
def test_what_an_error_on_the_way_means(error: BaseException, fault: ErrorCategory) -> None:
    assert categorize(error) is fault


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        (raised.EndpointConnectionError(endpoint_url=URL), ErrorCategory.UNSENT),
        (answered("Throttling"), ErrorCategory.THROTTLED),
        (answered("AccessDenied", 403), ErrorCategory.EXPIRED),
        (EOFError(), ErrorCategory.EXPIRED),
        (raised.SSLError(endpoint_url=URL, error=ssl.SSLCertVerificationError(1, "no")), ErrorCategory.UNTRUSTED),
    ],
)
def test_a_chain_that_could_not_ask_is_asked_again(cause: Exception, fault: ErrorCategory) -> None:
    error = ChainError("no credentials")
    error.__cause__ = cause

    assert categorize(error) is fault


@pytest.mark.parametrize(("told", "seconds"), [("250", 0.25), ("0", 0.0), ("-5", None), ("soon", None)])
def test_aws_names_the_moment_in_ms(told: str, seconds: float | None) -> None:
    assert retry_after(answered("Throttling", x_amz_retry_after=told)) == seconds


@pytest.mark.parametrize(("told", "least", "most"), [("3000", 3.0, 3.2), ("600000", 5.0, 5.2)])
def test_no_try_is_made_before_the_moment_that_aws_names(told: str, least: float, most: float) -> None:
    clock, answers = Hands(), iter([answered("429", 429, x_amz_retry_after=told)])

    def call() -> str:
        for error in answers:
            raise error
        return "done"

    start = clock.at
    done = RetryPolicy(clock, stop_after_delay(60)).call(call)  # type: ignore[arg-type]

    assert done == "done"
    assert least <= clock.at - start <= most


def page(status: int, **headers: str) -> NotAwsResponse:
    return NotAwsResponse("a page", status, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (page(429), ErrorCategory.THROTTLED),
        (page(400), ErrorCategory.PROXY_REFUSED),
        (page(403), ErrorCategory.PROXY_REFUSED),
        (page(451), ErrorCategory.PROXY_REFUSED),
        (page(499), ErrorCategory.PROXY_REFUSED),
        (page(408), ErrorCategory.LOST),
        (page(302), ErrorCategory.LOST),
        (page(500), ErrorCategory.LOST),
        (page(503), ErrorCategory.LOST),
        (answered("New", 499), ErrorCategory.REFUSED),
        (answered("New", 500), ErrorCategory.LOST),
        (answered("New", 501), ErrorCategory.REFUSED),
        (answered("New", 502), ErrorCategory.LOST),
        (answered("NotImplemented", 500), ErrorCategory.REFUSED),
        (answered("ExpiredToken", 503), ErrorCategory.EXPIRED),
        (answered("InvalidClientTokenId", 403), ErrorCategory.EXPIRED),
        (answered("SlowDown", 503), ErrorCategory.THROTTLED),
        (answered("InternalFailure", 400), ErrorCategory.LOST),
        (ClientError({"Error": {"Code": "New", "Message": "Rate exceeded"}}, "DoThing"), ErrorCategory.THROTTLED),
        (ClientError({}, "DoThing"), ErrorCategory.REFUSED),
        (raised.ConnectTimeoutError(endpoint_url=URL), ErrorCategory.UNSENT),
        (raised.EndpointConnectionError(endpoint_url=URL), ErrorCategory.UNSENT),
        (raised.ReadTimeoutError(endpoint_url=URL), ErrorCategory.LOST),
        (raised.ConnectionClosedError(endpoint_url=URL), ErrorCategory.LOST),
        (raised.IncompleteReadError(actual_bytes=1, expected_bytes=2), ErrorCategory.LOST),
        (raised.ChecksumError(checksum_type="c", expected_checksum="1", actual_checksum="2"), ErrorCategory.LOST),
        (raised.FlexibleChecksumError(error_msg="x"), ErrorCategory.LOST),
        (raised.HTTPClientError(error="x"), ErrorCategory.LOST),
        (ResponseParserError("x"), ErrorCategory.LOST),
        (raised.NoCredentialsError(), ErrorCategory.EXPIRED),
        (raised.ParamValidationError(report="x"), ErrorCategory.REFUSED),
        (ChainError("nothing beneath it"), ErrorCategory.EXPIRED),
        (KeyError("x"), None),
    ],
)
def test_what_any_other_error_means(error: BaseException, fault: ErrorCategory | None) -> None:
    assert categorize(error) is fault


def test_each_group_of_codes_means_one_thing() -> None:
    expected = {
        **dict.fromkeys(error_codes.SERVER_FAILURES, ErrorCategory.LOST),
        **dict.fromkeys(error_codes.THROTTLES, ErrorCategory.THROTTLED),
        **dict.fromkeys(error_codes.EXPIRED, ErrorCategory.EXPIRED),
        **dict.fromkeys(error_codes.INVALID_CREDENTIALS, ErrorCategory.EXPIRED),
        **dict.fromkeys(error_codes.DENIED, ErrorCategory.DENIED),
        **dict.fromkeys(error_codes.UNIMPLEMENTED, ErrorCategory.REFUSED),
    }

    assert expected == CODES
    assert {code: categorize(answered(code)) for code in expected} == expected


def test_time_cures_three_of_them() -> None:
    assert {ErrorCategory.THROTTLED, ErrorCategory.UNSENT, ErrorCategory.LOST} == TRANSIENT


def test_a_chain_that_a_proxy_refuses_is_that() -> None:
    error = ChainError("no credentials")
    error.__cause__ = page(403)

    assert categorize(error) is ErrorCategory.PROXY_REFUSED


def test_the_moment_that_a_front_end_names_counts_too() -> None:
    assert retry_after(page(429, x_amz_retry_after="1500")) == 1.5
    assert retry_after(page(429)) is None
    assert retry_after(ClientError({}, "DoThing")) is None
    assert retry_after(KeyError("x")) is None
    assert MAX_RETRY_AFTER_SECONDS == 5


def test_code_and_status_of_an_answer() -> None:
    assert (code_of(answered("New", 418)), status_of(answered("New", 418))) == ("New", 418)
    assert (code_of(ClientError({}, "DoThing")), status_of(ClientError({}, "DoThing"))) == ("", 0)
    assert code_of(KeyError("x")) == ""


@pytest.mark.parametrize(
    ("error", "is_unknown"),
    [
        (answered("NotImplemented", 400), True),
        (answered("UnknownOperationException", 400), True),
        (answered("New", 501), True),
        (answered("New", 500), False),
        (UnsupportedOperation("x"), True),
        (page(501), False),
        (ResponseParserError("x"), False),
        (KeyError("x"), False),
    ],
)
def test_what_an_emulator_does_not_know(error: Exception, is_unknown: bool) -> None:
    def call() -> str:
        raise error

    assert is_unsupported_operation(error) is is_unknown
    assert default_if_unsupported(lambda: "an answer", "none") == "an answer"
    if is_unknown:
        assert default_if_unsupported(call, "none") == "none"
    else:
        with pytest.raises(type(error)):
            default_if_unsupported(call, "none")


def test_an_error_in_one_line() -> None:
    reply: Any = {"Error": {"Code": "New", "Message": "words"}, "ResponseMetadata": {"RequestId": "r-1"}}

    assert describe_error(ClientError(reply, "DoThing")) == "DoThing answered New: words (request r-1)"
    assert describe_error(ClientError({"Error": {"Code": "New"}}, "DoThing")) == "DoThing answered New: "
    assert describe_error(ClientError({}, "DoThing")) == "DoThing answered : "
    assert describe_error(KeyError("x")) == "KeyError: 'x'"
