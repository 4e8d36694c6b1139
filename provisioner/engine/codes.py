"""AWS's error codes by what they mean for the caller; `faults.CODES` is the table made of them."""

from __future__ import annotations

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
BROKE_OFF = frozenset(
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
UNKNOWN_CALLER = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
    | {"AuthFailure", "InvalidSignatureException"}
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess"})
UNIMPLEMENTED = frozenset({"NotImplemented", "UnknownOperationException", "UnknownOperation"})
