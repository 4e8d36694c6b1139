"""Error categories: whether a failed call may be sent again, only after a look, or never.

One table for everything that calls AWS: `CLASSES` for botocore's exceptions, `CODES` for AWS's error codes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Any, TypeVar

from botocore import exceptions as raised
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from provisioner.aws.credential_errors import ChainError
from provisioner.aws.credentials import CHAIN_ERRORS
from provisioner.aws.responses import NotAwsResponse, UnsupportedOperation
from provisioner.engine.calls.error_codes import (
    DENIED,
    EXPIRED,
    INVALID_CREDENTIALS,
    SERVER_FAILURES,
    THROTTLES,
    UNIMPLEMENTED,
    trust_error,
    tunnel_refusal_status,
)

Answer = TypeVar("Answer")
Default = TypeVar("Default")


class ErrorCategory(Enum):
    """The category of a failed call."""

    THROTTLED = auto()
    # The call was not sent: no connection was made.
    UNSENT = auto()
    # No answer that can be read: the call may have had an effect.
    LOST = auto()
    EXPIRED = auto()
    DENIED = auto()
    # This machine does not trust the server's certificate, or cannot read its own trust file.
    UNTRUSTED = auto()
    # Something on the way to AWS, such as a proxy, refused the call.
    PROXY_REFUSED = auto()
    REFUSED = auto()


# Time may cure these: the call had no effect, or nobody knows whether it had one.
TRANSIENT = frozenset({ErrorCategory.THROTTLED, ErrorCategory.UNSENT, ErrorCategory.LOST})
_NEVER_REACHED_AWS = frozenset({ErrorCategory.UNTRUSTED, ErrorCategory.PROXY_REFUSED})

# botocore.exceptions, 1.44.5. A class that is not here has the category of its nearest base class here; one
# whose nearest is BotoCoreError is a call that was never made as it was meant (tests/engine/test_error_categories.py).
CLASSES: Mapping[type[BaseException], ErrorCategory] = {
    **dict.fromkeys(CHAIN_ERRORS, ErrorCategory.EXPIRED),
    raised.EndpointConnectionError: ErrorCategory.UNSENT,
    raised.ConnectTimeoutError: ErrorCategory.UNSENT,
    raised.ProxyConnectionError: ErrorCategory.UNSENT,
    # A TLS handshake broke off: nothing was sent yet, unless the connection was open already.
    raised.SSLError: ErrorCategory.LOST,
    raised.ConnectionError: ErrorCategory.LOST,
    raised.HTTPClientError: ErrorCategory.LOST,
    raised.IncompleteReadError: ErrorCategory.LOST,
    raised.ChecksumError: ErrorCategory.LOST,
    raised.FlexibleChecksumError: ErrorCategory.LOST,
    raised.EventStreamError: ErrorCategory.LOST,
    ResponseParserError: ErrorCategory.LOST,
    BotoCoreError: ErrorCategory.REFUSED,
}

CODES: Mapping[str, ErrorCategory] = {
    **dict.fromkeys(SERVER_FAILURES, ErrorCategory.LOST),
    **dict.fromkeys(THROTTLES, ErrorCategory.THROTTLED),
    **dict.fromkeys(EXPIRED | INVALID_CREDENTIALS, ErrorCategory.EXPIRED),
    **dict.fromkeys(DENIED, ErrorCategory.DENIED),
    **dict.fromkeys(UNIMPLEMENTED, ErrorCategory.REFUSED),
}

TOO_MANY = 429
SERVER_ERROR = 500
NOT_IMPLEMENTED = 501
_PROXY_AUTHENTICATION_REQUIRED = 407
# AWS names the time in ms, and botocore waits at most 5 s longer for it than it would have
# (retries/standard.py, ExponentialBackoff).
_RETRY_AFTER = "x-amz-retry-after"
MAX_RETRY_AFTER_SECONDS = 5.0


def code_of(error: BaseException) -> str:
    """Return AWS's error code; "" where AWS did not answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: ClientError) -> int:
    """Return the HTTP status of AWS's answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def categorize(error: BaseException) -> ErrorCategory | None:
    """Return the category of an error; None where it is no error of a call."""
    if isinstance(error, ClientError) and not isinstance(error, raised.EventStreamError):
        return _answer_category(error)
    if isinstance(error, ChainError):
        return _credential_chain_category(error)
    if isinstance(error, NotAwsResponse):
        return _intermediary_category(error.status)
    is_of_way = isinstance(error, (raised.ConnectionError, raised.InvalidConfigError))
    return _connection_category(error) if is_of_way else _class_category(error)


def _credential_chain_category(error: ChainError) -> ErrorCategory:
    """Return the category of an error of botocore's credential chain.

    A chain that could not reach a source is asked again; any other error means that there are no credentials.
    """
    cause = categorize(error.__cause__) if error.__cause__ else None
    return cause if cause in TRANSIENT or cause in _NEVER_REACHED_AWS else ErrorCategory.EXPIRED


def _answer_category(error: ClientError) -> ErrorCategory:
    # The category of AWS's answer: by its code, else by its HTTP status.
    code, status = code_of(error), status_of(error)
    if status == _PROXY_AUTHENTICATION_REQUIRED:
        return ErrorCategory.PROXY_REFUSED
    if code not in CODES and (status == TOO_MANY or "Rate exceeded" in str(error)):
        return ErrorCategory.THROTTLED
    if code not in CODES and status >= SERVER_ERROR and status != NOT_IMPLEMENTED:
        return ErrorCategory.LOST
    return CODES.get(code, ErrorCategory.REFUSED)


def _connection_category(error: BaseException) -> ErrorCategory | None:
    """Return the category of a connection error: trust on this machine, a proxy, or the network."""
    if trust_error(error):
        return ErrorCategory.UNTRUSTED
    if (status := tunnel_refusal_status(error)) and _intermediary_category(status) is ErrorCategory.PROXY_REFUSED:
        return ErrorCategory.PROXY_REFUSED
    return _class_category(error)


def _class_category(error: BaseException) -> ErrorCategory | None:
    # The category of the nearest base class in `CLASSES`; None where it has none.
    return next((CLASSES[base] for base in type(error).__mro__ if base in CLASSES), None)


def _intermediary_category(status: int) -> ErrorCategory:
    """Return the category of an answer that came not from AWS, but from something on the way to it."""
    if status == TOO_MANY:
        return ErrorCategory.THROTTLED
    is_refusal = status in range(400, SERVER_ERROR) and str(status) not in CODES
    return ErrorCategory.PROXY_REFUSED if is_refusal else ErrorCategory.LOST


def retry_after(error: BaseException) -> float | None:
    """Return the seconds after which AWS asks to be called again; None where it names none."""
    milliseconds = str(_headers(error).get(_RETRY_AFTER, ""))
    return int(milliseconds) / 1000 if milliseconds.isdecimal() else None


def _headers(error: BaseException) -> Mapping[str, str]:
    """Return the HTTP headers of the answer; empty where there was no answer."""
    if isinstance(error, NotAwsResponse):
        return error.headers
    meta: Mapping[str, Any] = error.response.get("ResponseMetadata", {}) if isinstance(error, ClientError) else {}
    return dict(meta.get("HTTPHeaders", {}))


def is_unsupported_operation(error: BaseException) -> bool:
    """Return whether an emulator said that it does not know the call; AWS never does.

    An incomplete answer or a proxy's page does not count: it says nothing about the call.
    """
    if isinstance(error, ClientError):
        return code_of(error) in UNIMPLEMENTED or status_of(error) == NOT_IMPLEMENTED
    return isinstance(error, UnsupportedOperation)


def default_if_unsupported(call: Callable[[], Answer], default: Default) -> Answer | Default:
    """Return the answer of a call; `default` where an emulator does not know the call."""
    try:
        return call()
    except (ClientError, UnsupportedOperation) as error:
        if is_unsupported_operation(error):
            return default
        raise


def describe_error(error: BaseException) -> str:
    """Return the error in one line, with AWS's code, message and request id where there are any."""
    if not isinstance(error, ClientError):
        return f"{type(error).__name__}: {error}"
    body = error.response.get("Error", {})
    request = error.response.get("ResponseMetadata", {}).get("RequestId", "")
    tail = f" (request {request})" if request else ""
    return f"{error.operation_name} answered {body.get('Code', '')}: {body.get('Message', '')}{tail}"
