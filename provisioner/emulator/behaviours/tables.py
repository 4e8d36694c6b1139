"""DynamoDB tables: busy for seconds after a change, with backups and TTL that become available later."""

from __future__ import annotations

from functools import partial
from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.clock import clock
from provisioner.emulator.errors import Answered, AwsError, Reply
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.dynamodb import keep_last
from provisioner.emulator.wire import AccountRegion, Call

# Seconds: go-to-k/cdkd docs/benchmarks.md; terraform-provider-aws dynamodb/table.go for the backups; a change
# of TTL may take an hour, and a second one within the hour is refused: AWS doc, DynamoDB time to live.
CREATE, UPDATE, DELETE, BACKUPS, TTL, TTL_AGAIN = 10.0, 5.0, 5.0, 20.0, 600.0, 3600.0

table_states: AccountStore[str] = AccountStore()
_no_backups: AccountStore[bool] = AccountStore()
_ttl: AccountStore[str] = AccountStore()
_ttl_changed: AccountStore[float] = AccountStore()


def _name(call: Call) -> str:
    """Return the table's name from the name or ARN in the call."""
    return str(call.params["TableName"]).rpartition("/")[2]


def _tables(call: Call | AccountRegion) -> dict[str, Any]:
    """Return moto's tables by name."""
    tables: dict[str, Any] = backend("dynamodb", call.account, call.region).tables
    return tables


def _set_passing_status(place: AccountRegion, name: str, status: str, seconds: float) -> None:
    """Set a status that turns into "ACTIVE" after `seconds`, unless another status replaces it before."""
    table_states.of(place)[name] = status

    def done() -> None:
        if table_states.of(place).get(name) == status:
            del table_states.of(place)[name]

    clock.later(seconds, done)


@behaviours.after("dynamodb", "CreateTable")
def create(call: Call, _: Reply) -> None:
    """Start the creation of a table; backups can be configured some seconds later."""
    name = _name(call)
    _set_passing_status(call.place, name, "CREATING", CREATE)
    _no_backups.of(call)[name] = True
    clock.later(BACKUPS, partial(_no_backups.of(call).pop, name, None))


@behaviours.before("dynamodb", "UpdateTable", "UpdateTimeToLive")
def raise_if_busy(call: Call) -> None:
    """Refuse a change during another one: botocore ServiceModel, ResourceInUseException."""
    status = table_states.of(call).get(_name(call))
    if status is not None:
        message = f"Attempt to change a resource which is still in use: Table is being {status.lower()}"
        raise AwsError("ResourceInUseException", f"{message}: {_name(call)}")


@behaviours.after("dynamodb", "UpdateTable")
def update(call: Call, _: Reply) -> None:
    """Make the table UPDATING for a while."""
    _set_passing_status(call.place, _name(call), "UPDATING", UPDATE)


@behaviours.after("dynamodb", "DescribeTable")
def set_status(call: Call, reply: Reply) -> None:
    """Put the emulated status of the table into the reply."""
    reply["Table"]["TableStatus"] = table_states.of(call).get(reply["Table"]["TableName"], "ACTIVE")


@behaviours.before("dynamodb", "UpdateContinuousBackups", "DescribeContinuousBackups")
def refuse_backups(call: Call) -> None:
    """Refuse to configure backups while they are being enabled: terraform-provider-aws dynamodb/table.go."""
    name = _name(call)
    if call.operation.startswith("Update") and name in _no_backups.of(call) and name in _tables(call):
        message = f"Backups are being enabled for the table: {name}. Please retry later"
        raise AwsError("ContinuousBackupsUnavailableException", message)


@behaviours.before("dynamodb", "UpdateTimeToLive")
def refuse_second_ttl(call: Call) -> None:
    """Refuse a second change of TTL within an hour: aws/aws-cdk#13720."""
    changed = _ttl_changed.of(call).get(_name(call))
    if changed is not None and clock.now() < changed + clock.scaled(TTL_AGAIN):
        message = "Time to live has been modified multiple times within a fixed interval"
        raise AwsError("ValidationException", message)


@behaviours.after("dynamodb", "UpdateTimeToLive")
def set_ttl(call: Call, _: Reply) -> None:
    """Make a change of TTL take effect after a while."""
    name = _name(call)
    enabled = call.params["TimeToLiveSpecification"]["Enabled"]
    _ttl.of(call)[name] = "ENABLING" if enabled else "DISABLING"
    _ttl_changed.of(call)[name] = clock.now()
    clock.later(TTL, partial(_ttl.of(call).pop, name, None))


@behaviours.after("dynamodb", "DescribeTimeToLive")
def set_ttl_status(call: Call, reply: Reply) -> None:
    """Put the status ENABLING or DISABLING into the reply while a change of TTL takes effect."""
    description = reply["TimeToLiveDescription"]
    description["TimeToLiveStatus"] = _ttl.of(call).get(_name(call), description["TimeToLiveStatus"])


@behaviours.before("dynamodb", "DeleteTable")
def delete(call: Call) -> None:
    """Start the deletion of a table; a second call is no error (botocore ServiceModel, DeleteTable).

    A missing or protected table is left to moto.

    Raises:
        Answered: The deletion has started.
        AwsError: ResourceInUseException.

    """
    name = _name(call)
    table = _tables(call).get(name)
    if table is None or table.deletion_protection_enabled:
        return
    description = ask_moto(call, "dynamodb", "DescribeTable", TableName=name)["Table"]
    status = table_states.of(call).get(name)
    if status not in (None, "DELETING"):
        raise_if_busy(call)
    if status is None:
        table_states.of(call)[name] = "DELETING"
        clock.later(DELETE, partial(_complete_deletion, call.place, name))
    raise Answered({"TableDescription": description | {"TableStatus": "DELETING"}})


def _complete_deletion(place: AccountRegion, name: str) -> None:
    """Complete the deletion of a table."""
    keep_last(place, name)
    _tables(place).pop(name, None)
    for shelf in (table_states, _no_backups, _ttl, _ttl_changed):
        shelf.of(place).pop(name, None)
