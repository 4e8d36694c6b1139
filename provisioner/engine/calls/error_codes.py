"""What lies beneath an error: AWS's codes by what they mean, and the causes of a broken connection."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator

from botocore.exceptions import InvalidConfigError, SSLError
from urllib3.util.ssl_match_hostname import CertificateError

from provisioner.aws.network import has_no_such_host

# botocore retries/standard.py, without LimitExceededException, which is a quota in most services; SNS has
# two of its own (botocore sns, Throttled and KMSThrottling).
THROTTLES = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottledException",
        "RequestThrottled",
        "TooManyRequestsException",
        "TooManyRequestsError",
        "ProvisionedThroughputExceededException",
        "TransactionInProgressException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "SlowDown",
        "PriorRequestNotComplete",
        "EC2ThrottledException",
        "Throttled",
        "KMSThrottling",
        "429",
    }
)
# AWS failed or broke off, whatever the HTTP status says: botocore retries/standard.py (transient codes),
# data/_retry.json (BadDigest: the body was damaged on the way), and the services' models.
SERVER_FAILURES = frozenset(
    {
        "RequestTimeout",
        "RequestTimeoutException",
        "BadDigest",
        "IDPCommunicationError",
        "ReplicatedWriteConflictException",
        "InternalError",
        "InternalErrorException",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "InternalServiceError",
        "InternalServiceException",
        "KMSInternalException",
        "DependencyTimeoutException",
        "WAFInternalErrorException",
        "WAFTagOperationInternalErrorException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Unavailable",
        "408",
    }
)
# RequestTimeTooSkewed is S3's: the signature is too old, because the machine slept or its clock is wrong.
EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
    }
)
INVALID_CREDENTIALS = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
    | {"AuthFailure", "InvalidSignatureException"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"})
UNIMPLEMENTED = frozenset({"NotImplemented", "UnknownOperationException", "UnknownOperation"})


# What http.client says when a proxy opens no tunnel.
_NO_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
# Errors of opening a file. A connection can fail with one too, where this machine's firewall refuses it.
_FILE_ERRORS = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all errors beneath it, as botocore, urllib3 and Python chain them."""
    pending, seen = [error], set()
    while pending:
        cause = pending.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        inner = [getattr(cause, "kwargs", {}).get("error"), getattr(cause, "reason", None), cause.__cause__]
        pending += [each for each in (*inner, cause.__context__, *cause.args) if isinstance(each, BaseException)]


def trust_error(error: BaseException) -> BaseException | None:
    """Return the error of a bad certificate or trust file; None where trust is not the cause."""
    return next((cause for cause in causes_of(error) if _is_certificate_error(cause)), None) or trust_file_error(error)


def trust_file_error(error: BaseException) -> BaseException | None:
    """Return why the file of trusted certificates cannot be read; None where that is not the cause."""
    # botocore endpoint.py, `_validate_verify_value`: a CA bundle is configured, and its file name is empty.
    if isinstance(error, InvalidConfigError):
        return Exception(str(error)) if "CA bundle" in str(error) else None
    if not isinstance(error, SSLError):
        return None
    return next(
        (cause for cause in causes_of(error) if isinstance(cause, _FILE_ERRORS) or _is_trust_file_error(cause)), None
    )


def _is_certificate_error(error: BaseException) -> bool:
    """Return whether the certificate was signed by nobody trusted, or is that of another host."""
    return isinstance(error, (ssl.SSLCertVerificationError, CertificateError))


def _is_trust_file_error(error: BaseException) -> bool:
    return isinstance(error, ssl.SSLError) and getattr(error, "library", "") in ("X509", "PEM")


def tunnel_refusal_status(error: BaseException) -> int:
    """Return the HTTP status with which a proxy refused to open a tunnel; 0 where none did."""
    return next((int(match[1]) for cause in causes_of(error) if (match := _NO_TUNNEL.search(str(cause)))), 0)


def is_unknown_host(error: BaseException) -> bool:
    """Return whether a host name was not resolved to an address."""
    return any(isinstance(cause, socket.gaierror) for cause in causes_of(error))


def is_nonexistent_host(error: BaseException) -> bool:
    """Return whether the host does not exist, which no retry cures.

    Its name has no address and had none before in this process, while other names have one: it is no outage.
    """
    details = getattr(error, "kwargs", {})
    return is_unknown_host(error) and has_no_such_host(str(details.get("proxy_url") or details.get("endpoint_url")))
