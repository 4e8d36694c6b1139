"""What the emulator answers in moto's place: a reply, or an error in the code and status its service uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provisioner.iam.reference import action_of

if TYPE_CHECKING:
    from provisioner.emulator.wire import Call


Reply = dict[str, Any]


class AwsError(Exception):
    """An AWS error response; boto3 raises it as a ClientError with this error code and HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Answered(Exception):  # control flow, not an error
    """Raised by a `before` hook to return a reply that no other hook may change."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("replayed")
        self.reply = reply


# AWS doc, throttling pages of each service; a service that is not listed uses the protocol's default.
THROTTLES = {
    "ec2": ("RequestLimitExceeded", 503),
    "s3": ("SlowDown", 503),
    "resourcegroupstaggingapi": ("ThrottledException", 400),
    "elbv2": ("ThrottlingException", 400),
}


def _speaks_json(call: Call) -> bool:
    """Return whether the service names its errors as exceptions; CloudWatch kept its old codes (botocore)."""
    return call.protocol in ("json", "rest-json") and call.service != "cloudwatch"


def throttled(call: Call) -> AwsError:
    """Return the error for too many calls."""
    default = ("ThrottlingException" if _speaks_json(call) else "Throttling", 400)
    code, status = THROTTLES.get(call.service, default)
    message = "Request limit exceeded." if call.service == "ec2" else "Rate exceeded"
    return AwsError(code, message, status)


def access_denied(call: Call, action: str = "", resource: str = "*", *, explicit: bool = False) -> AwsError:
    """Return the error for a call that no policy allows, or that one denies (`explicit`).

    Without `action`, the error names the call's own action.
    """
    action = action or action_of(call.service, call.operation)
    reason = f"because no identity-based policy allows the {action} action"
    if explicit:
        reason = "with an explicit deny in an identity-based policy"
    message = (
        f"User: arn:aws:iam::{call.account}:user/provisioner is not authorized to perform: {action} on"
        f" resource: {resource} {reason}"
    )
    if call.service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
        return AwsError("UnauthorizedOperation", message, 403)
    if _speaks_json(call):
        return AwsError("AccessDeniedException", message, 400)
    return AwsError("AccessDenied", message, 403)


def expired(call: Call) -> AwsError:
    """Return the error for expired credentials."""
    if call.service == "ec2":
        return AwsError("RequestExpired", "Request has expired.", 400)
    message = "The security token included in the request is expired"
    if _speaks_json(call):
        return AwsError("ExpiredTokenException", message, 400)
    return AwsError("ExpiredToken", message, 403)


def internal_error(_: Call) -> AwsError:
    """Return the error for a failure inside AWS."""
    return AwsError("InternalError", "An internal error has occurred", 500)


def unavailable(_: Call) -> AwsError:
    """Return the error for an overloaded AWS."""
    return AwsError("ServiceUnavailable", "Service is unable to handle request.", 503)
