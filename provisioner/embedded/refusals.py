"""The errors any call can meet, in the code and status its service uses for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provisioner.embedded.answers import AwsError
from provisioner.embedded.reference import action_of

if TYPE_CHECKING:
    from provisioner.embedded.wire import Call

# AWS doc, throttling pages of each service; Throttling where a service is not named.
THROTTLES = {
    "ec2": ("RequestLimitExceeded", 503),
    "s3": ("SlowDown", 503),
    "resourcegroupstaggingapi": ("ThrottledException", 400),
    "elbv2": ("ThrottlingException", 400),
}


def _speaks_json(call: Call) -> bool:
    """Whether the service names its errors as exceptions; CloudWatch kept its old codes (botocore)."""
    return call.protocol in ("json", "rest-json") and call.service != "cloudwatch"


def throttled(call: Call) -> AwsError:
    """Too many calls."""
    default = ("ThrottlingException" if _speaks_json(call) else "Throttling", 400)
    code, status = THROTTLES.get(call.service, default)
    message = "Request limit exceeded." if call.service == "ec2" else "Rate exceeded"
    return AwsError(code, message, status)


def access_denied(call: Call, action: str = "", resource: str = "*", *, explicit: bool = False) -> AwsError:
    """No policy allows it, or one denies it; the action is the call's own where none is named."""
    action = action or action_of(call.service, call.operation)
    why = f"because no identity-based policy allows the {action} action"
    if explicit:
        why = "with an explicit deny in an identity-based policy"
    message = (
        f"User: arn:aws:iam::{call.account}:user/provisioner is not authorized to perform: {action} on"
        f" resource: {resource} {why}"
    )
    if call.service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
        return AwsError("UnauthorizedOperation", message, 403)
    if _speaks_json(call):
        return AwsError("AccessDeniedException", message, 400)
    return AwsError("AccessDenied", message, 403)


def expired(call: Call) -> AwsError:
    """The credentials are of yesterday."""
    if call.service == "ec2":
        return AwsError("RequestExpired", "Request has expired.", 400)
    message = "The security token included in the request is expired"
    if _speaks_json(call):
        return AwsError("ExpiredTokenException", message, 400)
    return AwsError("ExpiredToken", message, 403)


def internal_error(_: Call) -> AwsError:
    """Something broke at AWS."""
    return AwsError("InternalError", "An internal error has occurred", 500)


def unavailable(_: Call) -> AwsError:
    """AWS is overloaded."""
    return AwsError("ServiceUnavailable", "Service is unable to handle request.", 503)
