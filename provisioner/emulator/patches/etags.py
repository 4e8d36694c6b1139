"""ETags of CloudFront: every change names the version that it changes."""

from __future__ import annotations

import secrets
import string

from provisioner.emulator.errors import AwsError
from provisioner.emulator.wire import Call


def new_etag() -> str:
    """Return a new ETag in the form of CloudFront's."""
    return "E" + "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(13))


def check_etag(call: Call, etag: str) -> None:
    """Refuse a change unless it names `etag`, the newest version.

    Source: botocore ServiceModel, UpdateDistribution.
    """
    sent_etag = call.params.get("IfMatch")
    if not sent_etag:
        message = "The If-Match version is missing or not valid for the resource."
        raise AwsError("InvalidIfMatchVersion", message)
    if sent_etag != etag:
        message = "The request failed because it didn't meet the preconditions in one or more request-header"
        raise AwsError("PreconditionFailed", f"{message} fields.", 412)
