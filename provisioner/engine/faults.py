"""What an error of a call means: which may be sent again, which only after looking, which never."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

from provisioner.answers import UnknownCall
from provisioner.aws import NO_CREDENTIALS

Answer = TypeVar("Answer")

# botocore retries/standard.py, without LimitExceededException, which is a quota in most services.
THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
    }
)
# RequestTimeTooSkewed is S3's: the call was signed too long ago, as by a machine that slept, or by another
# clock.
EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
    }
)
UNKNOWN_CALLER = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
    | {"AuthFailure", "InvalidSignatureException"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"})
UNIMPLEMENTED = frozenset({"NotImplemented", "UnknownOperationException", "UnknownOperation"})
SERVER_ERROR = 500
NOT_IMPLEMENTED = 501


class Fault(Enum):
    """What to make of a failed call."""

    THROTTLED = auto()
    UNSENT = auto()
    LOST = auto()
    EXPIRED = auto()
    DENIED = auto()
    REFUSED = auto()


# The call had no effect, or cannot be known to have had one: time may cure it.
PASSING = frozenset({Fault.THROTTLED, Fault.UNSENT, Fault.LOST})


def code_of(error: BaseException) -> str:
    """AWS's wire code, or "" where AWS did not answer."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status_of(error: ClientError) -> int:
    """The HTTP status of AWS's answer."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def fault_of(error: BaseException) -> Fault | None:
    """What `error` means; None for an error that is not the call's."""
    if isinstance(error, ClientError):
        return _answered(error)
    if isinstance(error, NO_CREDENTIALS) or _is_stale_refresh(error):
        return Fault.EXPIRED
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return Fault.UNSENT
    if isinstance(error, (HTTPClientError, ResponseParserError, IncompleteReadError)):
        return Fault.LOST
    return Fault.REFUSED if isinstance(error, BotoCoreError) else None


def _answered(error: ClientError) -> Fault:
    code, status = code_of(error), status_of(error)
    if code in THROTTLES or "Rate exceeded" in str(error):
        return Fault.THROTTLED
    if code in EXPIRED or code in UNKNOWN_CALLER:
        return Fault.EXPIRED
    if code in DENIED:
        return Fault.DENIED
    if status >= SERVER_ERROR and status != NOT_IMPLEMENTED and code not in UNIMPLEMENTED:
        return Fault.LOST
    return Fault.REFUSED


def is_unknown_call(error: BaseException) -> bool:
    """Whether the other side does not know the call: an emulator's ways to say so, never AWS's own.

    An answer that was cut, or a proxy's page, is none of them: it is no news of nothing.
    """
    if isinstance(error, ClientError):
        return code_of(error) in UNIMPLEMENTED or status_of(error) == NOT_IMPLEMENTED
    return isinstance(error, UnknownCall)


def unless_unknown(call: Callable[[], Answer], otherwise: Answer) -> Answer:
    """What a call answers; `otherwise` where an emulator does not know the call."""
    try:
        return call()
    except (ClientError, UnknownCall) as error:
        if is_unknown_call(error):
            return otherwise
        raise


def _is_stale_refresh(error: BaseException) -> bool:
    """Botocore's own RuntimeError where new credentials are as expired as the old ones."""
    return isinstance(error, RuntimeError) and "credentials" in str(error)


def told(error: BaseException) -> str:
    """The error in one line: AWS's code, message and request id where there are any."""
    if not isinstance(error, ClientError):
        return f"{type(error).__name__}: {error}"
    body = error.response.get("Error", {})
    request = error.response.get("ResponseMetadata", {}).get("RequestId", "")
    tail = f" (request {request})" if request else ""
    return f"{error.operation_name} answered {body.get('Code', '')}: {body.get('Message', '')}{tail}"
