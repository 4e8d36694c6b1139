"""Log deliveries: the first call to create or delete one is refused, because its source is being updated."""

from __future__ import annotations

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.wire import Call

_refused: AccountStore[bool] = AccountStore()


@behaviours.before("logs", "CreateDelivery", "DeleteDelivery")
def refuse_busy(call: Call) -> None:
    """Refuse the first such call for a delivery (message: hashicorp/terraform-provider-aws#42194).

    Raises:
        AwsError: ConflictException.

    """
    delivery = call.params.get("id") or call.params["deliverySourceName"]
    refused = _refused.of(call)
    if refused.setdefault(f"{call.operation} {delivery}", False):
        return
    refused[f"{call.operation} {delivery}"] = True
    raise AwsError("ConflictException", "Requested resource is currently being updated. Please try again later.")
