"""DynamoDB: members that moto leaves out, backups of deleted tables, and changes that AWS refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from moto.dynamodb.models.table import Backup

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import AccountRegion, Call

_extras: AccountStore[dict[str, Any]] = AccountStore()  # by table name: members that moto does not keep
# By table name: the types of its attributes before the update that is under way.
_types: AccountStore[dict[str, str]] = AccountStore()


@always.after("dynamodb", "CreateTable")
def complete_created(call: Call, reply: Reply) -> None:
    """Add the new table's id, requested class and throughput limits to the reply, and the status CREATING."""
    extra: dict[str, Any] = {"TableId": str(uuid4()), **_limits(call)}
    if "TableClass" in call.params:
        extra["TableClassSummary"] = {"TableClass": call.params["TableClass"]}
    _extras.of(call)[call.params["TableName"]] = extra
    reply["TableDescription"].update(extra, TableStatus="CREATING")


def _limits(call: Call) -> dict[str, Any]:
    """Return the on-demand throughput limits of a call (botocore ServiceModel, OnDemandThroughput)."""
    limits = call.params.get("OnDemandThroughput")
    return {"OnDemandThroughput": limits} if limits else {}


@always.after("dynamodb", "DescribeTable")
def complete_description(call: Call, reply: Reply) -> None:
    """Add the table's id, class and throughput limits, which moto does not keep."""
    reply["Table"].update(_extras.of(call).get(reply["Table"]["TableName"], {}))


@always.before("dynamodb", "UpdateTable")
def refuse_without_capacity(call: Call) -> None:
    """Refuse to switch to provisioned capacity without the capacity of each index (go-to-k/cdkd#1588)."""
    table = backend("dynamodb", call.account, call.region).tables.get(call.params["TableName"])
    is_bought = call.params.get("BillingMode") == "PROVISIONED"
    if table is None or not is_bought or table.billing_mode == "PROVISIONED":
        return
    updates = [one for each in call.params.get("GlobalSecondaryIndexUpdates") or [] for one in each.values()]
    updated_indexes = {one["IndexName"] for one in updates}
    if missing := [one.name for one in table.global_indexes if one.name not in updated_indexes]:
        problem = f"ProvisionedThroughput must be specified for index: {','.join(missing)}"
        raise AwsError("ValidationException", f"One or more parameter values were invalid: {problem}")


@always.before("dynamodb", "UpdateTable")
def remember_definitions(call: Call) -> None:
    """Remember a table's attribute definitions: moto replaces all of them by those that an update sends."""
    table = backend("dynamodb", call.account, call.region).tables.get(call.params["TableName"])
    if table is not None:
        _types.of(call)[table.name] = _by_name(table.attr)


def _by_name(defined: list[dict[str, str]]) -> dict[str, str]:
    """Return the types of attributes by name."""
    return {definition["AttributeName"]: definition["AttributeType"] for definition in defined}


def _of_keys(call: Call, table: Any) -> list[dict[str, str]]:
    """Return the definitions of the attributes in the keys of a table and of its indexes.

    An update must send the attributes of a new index, and removes no other attribute (botocore ServiceModel,
    UpdateTable, AttributeDefinitions).
    """
    types = _types.of(call).pop(table.name, {}) | _by_name(table.attr)
    schemas = [table.schema, *(index.schema for index in (*table.indexes, *table.global_indexes))]
    keys = dict.fromkeys(key["AttributeName"] for schema in schemas for key in schema)
    return [{"AttributeName": name, "AttributeType": types[name]} for name in keys]


@always.after("dynamodb", "UpdateTable")
def apply_update(call: Call, reply: Reply) -> None:
    """Apply the table's class and encryption key, which moto ignores, and restore attribute definitions."""
    name = reply["TableDescription"]["TableName"]
    table = backend("dynamodb", call.account, call.region).tables[name]
    reply["TableDescription"]["AttributeDefinitions"] = table.attr = _of_keys(call, table)
    extra = _extras.of(call).setdefault(name, {})
    extra |= _limits(call)
    if "TableClass" in call.params:
        extra["TableClassSummary"] = {"TableClass": call.params["TableClass"]}
    if "SSESpecification" in call.params:
        table.sse_specification = dict(call.params["SSESpecification"])
        reply["TableDescription"] = table.describe()["TableDescription"]
    reply["TableDescription"].update(extra, TableStatus="UPDATING")


@always.after("dynamodb", "DeleteTable")
def delete_policy(call: Call, reply: Reply) -> None:
    """Delete the table's resource policy with it, and report the table as DELETING."""
    policies = backend("dynamodb", call.account, call.region).resource_policies
    policies.pop(reply["TableDescription"]["TableArn"], None)
    extra = _extras.of(call).pop(reply["TableDescription"]["TableName"], {})
    reply["TableDescription"].update(extra, TableStatus="DELETING")


@always.before("dynamodb", "DeleteTable")
def keep_system_backup(call: Call) -> None:
    """Keep a system backup of a table that is about to be deleted."""
    keep_last(call, call.params["TableName"])


def keep_last(near: Call | AccountRegion, name: str) -> None:
    """Keep a system backup of a table that has point-in-time recovery.

    Source: DynamoDB developer guide, point-in-time.
    """
    dynamodb = backend("dynamodb", near.account, near.region)
    table = dynamodb.tables.get(name)
    if table is None or table.deletion_protection_enabled:
        return
    recovery = table.continuous_backups["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] == "ENABLED":
        backup = Backup(near.account, near.region, f"{name}$DeletedTableBackup", table, type_="SYSTEM")
        dynamodb.backups[backup.arn] = backup


@always.after("dynamodb", "ListBackups")
def filter_by_type(call: Call, reply: Reply) -> None:
    """List only on-demand backups unless others are asked for, and add when system backups expire.

    Source: botocore ServiceModel, BackupType.
    """
    backup_type = call.params.get("BackupType", "USER")
    summaries = [summary for summary in reply["BackupSummaries"] if backup_type in ("ALL", summary["BackupType"])]
    for summary in summaries:
        if summary["BackupType"] == "SYSTEM":
            summary["BackupExpiryDateTime"] = summary["BackupCreationDateTime"] + timedelta(days=35)
    reply["BackupSummaries"] = summaries


@always.after("dynamodb", "DescribeBackup")
def add_encryption(call: Call, reply: Reply) -> None:
    """Add the encryption of the table that was backed up.

    Source: botocore ServiceModel, SourceTableFeatureDetails.
    """
    description = reply["BackupDescription"]
    table = backend("dynamodb", call.account, call.region).backups[call.params["BackupArn"]].table
    if sse := table.describe()["TableDescription"].get("SSEDescription"):
        description.setdefault("SourceTableFeatureDetails", {})["SSEDescription"] = sse


@always.before("dynamodb", "UpdateTimeToLive")
def set_time_to_live(call: Call) -> None:
    """Refuse to turn time to live on or off where it is so already (aws/aws-cdk#13720)."""
    name, is_enabled = call.params["TableName"], call.params["TimeToLiveSpecification"]["Enabled"]
    table = backend("dynamodb", call.account, call.region).tables.get(name)
    if table is not None and (table.ttl["TimeToLiveStatus"] == "ENABLED") == is_enabled:
        raise AwsError("ValidationException", f"TimeToLive is already {'en' if is_enabled else 'dis'}abled")


@always.refused("dynamodb", "DescribeTimeToLive", "UpdateTimeToLive")
def missing_table(call: Call, error: AwsError) -> None:
    """Give moto's error for a missing table AWS's code and message."""
    if error.code == "ResourceNotFound":
        message = f"Requested resource not found: Table: {call.params['TableName']} not found"
        raise AwsError("ResourceNotFoundException", message)
