"""CloudWatch Logs deliveries: a resource has one delivery source for each log type."""

from __future__ import annotations

from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call


@always.before("logs", "PutDeliverySource")
def refuse_taken(call: Call) -> None:
    """Refuse a second delivery source for the same resource and log type.

    Source of the message: hashicorp/terraform-provider-aws#40885.
    """
    name, arn, kind = (call.params[key] for key in ("name", "resourceArn", "logType"))
    sources = backend("logs", call.account, call.region).delivery_sources.values()
    if any(one.name != name and arn in one.resource_arns and one.log_type == kind for one in sources):
        raise AwsError(
            "ConflictException",
            "This ResourceId has already been used in another Delivery Source in this account.",
        )
