"""Each hint beside every way to reach it: what it names is what was the matter."""

from __future__ import annotations

from ssl import SSLCertVerificationError
from typing import Any, cast

import pytest
from botocore import exceptions as raised
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from provisioner.aws.responses import NotAwsResponse, UnsupportedOperation
from provisioner.engine.calls.error_categories import CLASSES, TRANSIENT, ErrorCategory, categorize
from provisioner.engine.calls.hints import hint_for, note_attempts

AT = "https://ecs.us-east-1.amazonaws.com"
HERE = "http://127.0.0.1:4566"
UNTRUSTED = SSLCertVerificationError("certificate verify failed: self signed certificate")


def answered(code: str, status: int = 400) -> ClientError:
    told = {"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(told, "DescribeVpcs")


def closed() -> raised.EndpointConnectionError:
    return raised.EndpointConnectionError(endpoint_url=HERE, error=NewConnectionError(cast("Any", None), "refused"))


# By the cause that a hint names: the words that say so, and each error that means it.
CAUSES: dict[str, tuple[str, list[BaseException]]] = {
    "no certificate that is trusted": (
        "AWS_CA_BUNDLE",
        [raised.SSLError(endpoint_url=AT, error=UNTRUSTED)],
    ),
    "a handshake that breaks off": (
        "The encrypted connection broke off.",
        [raised.SSLError(endpoint_url=AT, error="EOF occurred in violation of protocol")],
    ),
    "a proxy that is away": (
        "The proxy cannot be reached",
        [raised.ProxyConnectionError(proxy_url=HERE, error="refused")],
    ),
    "a proxy that wants a password": (
        "asks who you are (407)",
        [NotAwsResponse("a page", 407), answered("407", 407)],
    ),
    "a proxy that says no": ("A proxy, and not AWS, says no.", [NotAwsResponse("a page", 403)]),
    "a portal": (
        "Not AWS answered",
        [NotAwsResponse("a page", 200), NotAwsResponse("a page", 302), NotAwsResponse("a page", 511)],
    ),
    "nobody who listens": ("Nobody listens there", [closed()]),
    "too many calls": (
        "too many calls",
        [answered("Throttling"), answered("SlowDown", 503), answered("", 429)],
    ),
    "an answer that does not come": (
        "No whole answer came in time.",
        [raised.ReadTimeoutError(endpoint_url=AT, error=ReadTimeoutError(cast("Any", None), "", "late"))],
    ),
    "an emulator that does not know the call": ("does not know this call", [UnsupportedOperation("GetThing")]),
    "an answer of no use": (
        "AWS gave no answer that can be read.",
        [
            ResponseParserError("cut"),
            raised.ConnectionClosedError(endpoint_url=AT),
            answered("InternalFailure", 500),
        ],
    ),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_hint_names_what_is_the_matter_and_nothing_else(cause: str) -> None:
    words, errors = CAUSES[cause]
    for error in errors:
        assert words in hint_for(error), error
        for other, (others, _) in CAUSES.items():
            assert other == cause or others not in hint_for(error), (other, error)


def test_a_call_that_took_too_long_to_connect_names_no_name_that_is_unknown() -> None:
    late = raised.ConnectTimeoutError(endpoint_url=AT, error=TimeoutError())

    assert "That name is not known" not in hint_for(late)


def test_each_class_that_has_a_hint_by_what_it_means_has_one() -> None:
    meant = {category for category in CLASSES.values() if category in TRANSIENT}

    assert meant | {ErrorCategory.THROTTLED} == TRANSIENT
    for _, errors in CAUSES.values():
        for error in errors:
            assert categorize(error) in TRANSIENT | {ErrorCategory.UNTRUSTED, ErrorCategory.PROXY_REFUSED}


@pytest.mark.parametrize(("tries", "told"), [(1, False), (2, True)])
def test_one_try_is_not_told_as_many(tries: int, *, told: bool) -> None:
    error = closed()
    note_attempts(error, tries, 60.0)

    assert (f"It was tried {tries} times in 60 s." in hint_for(error)) is told
