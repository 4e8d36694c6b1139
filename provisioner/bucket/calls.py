"""Calls to the state's bucket: their retries, and the errors that a user sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeVar

from tenacity import stop_after_delay

from provisioner.aws.credential_errors import credentials_refused_error
from provisioner.aws.credentials import call_when_signed_in
from provisioner.engine.calls.clock import Clock
from provisioner.engine.calls.denials import Denial
from provisioner.engine.calls.error_categories import ErrorCategory, categorize, code_of, describe_error
from provisioner.engine.calls.hints import hint_for
from provisioner.engine.calls.retry_policy import RETRY_TRANSIENT, RetryPolicy, retry_if_code
from provisioner.names import PROGRAM
from state.errors import ProvisionerError, StateError

T = TypeVar("T")

# The retry timeout in seconds: less than what is left of a lease after one missed heartbeat.
RETRY_TIMEOUT_SECONDS = 20.0
# S3 asks for another try (API_PutObject: "On a 409 failure, retry the upload"); OperationAborted means the
# same for a bucket.
_BUSY = frozenset({"ConditionalRequestConflict", "OperationAborted"})
# IAM's actions for operations of another name (service authorization reference, Amazon S3).
_LIST = "ListBucket"
_ACTIONS = {"ListObjectsV2": _LIST, "HeadBucket": _LIST}
# How stores refuse the checksum of an upload: botocore sends one since 1.36 (boto/boto3#4392).
_CHECKSUM = re.compile(
    r"(?i)checksum|trailer|aws-chunked|XAmzContentSHA256Mismatch|STREAMING-|header you provided implies"
)
NO_BUCKET = "NoSuchBucket"
# Not the run's clock, which a signal stops: a write of the state is retried even when the run is to end.
_CLOCK = Clock()


def call_with_retries(
    call: Callable[[], T], activity: str, *, also_retried: Collection[str] = (), timeout: float | None = None
) -> T:
    """Make a call, and repeat it while S3 does not answer or refuses it for a time that passes.

    Args:
        call: The call to make.
        activity: What the call does, in words for the error.
        also_retried: Error codes that count as temporary for this call.
        timeout: The retry timeout in seconds, if it is another than `RETRY_TIMEOUT_SECONDS`.

    Raises:
        StateError: S3 does not answer, or refuses the call.
        CredentialsError: The credentials have expired.

    """
    retry = RETRY_TRANSIENT | retry_if_code(_BUSY.union(also_retried))
    policy = RetryPolicy(_CLOCK, stop_after_delay(timeout or RETRY_TIMEOUT_SECONDS), retry)
    try:
        return call_when_signed_in(lambda: policy.call(call))
    except Exception as error:
        raise _user_error(error, activity) or error from error


def _user_error(error: Exception, activity: str) -> ProvisionerError | None:
    """Return the error to show for an exception of a call; None if the exception itself can be shown."""
    category = categorize(error)
    if isinstance(error, ProvisionerError) or category is None:
        return None
    if category is ErrorCategory.EXPIRED:
        return credentials_refused_error(describe_error(error))
    if code_of(error) == NO_BUCKET:
        return StateError(f"{activity}: there is no such bucket.", f"`{PROGRAM} state init --state s3://...` makes it.")
    if category is ErrorCategory.DENIED or code_of(error) == "403":
        call = getattr(error, "operation_name", "this call")
        action = _ACTIONS.get(call, call)
        list_permission = "" if action == _LIST else f", and s3:{_LIST}"
        list_permission += f": without s3:{_LIST}, S3 refuses to say that something is not there"
        denial = Denial.of(error, f"s3:{action}")
        hint = f"Nothing was called for it. {denial.remedy(list_permission)}. {denial.further_cause}"
        return StateError(f"{activity}: {describe_error(error)}", hint.rstrip())
    if category is ErrorCategory.REFUSED and _CHECKSUM.search(f"{code_of(error)} {describe_error(error)}"):
        return StateError(
            f"{activity}: {describe_error(error)}",
            "This store does not know the checksums that boto3 sends with each upload. Set "
            "AWS_REQUEST_CHECKSUM_CALCULATION=when_required and "
            "AWS_RESPONSE_CHECKSUM_VALIDATION=when_required, then run the same command again.",
        )
    hint = "" if category is ErrorCategory.REFUSED else f"{hint_for(error)} "
    return StateError(
        f"{activity}: {describe_error(error)}",
        f"{hint}Nothing more is called in AWS until the state can be kept. Mend that, then run the same "
        "command again: what was done is recorded up to the last call.",
    )
