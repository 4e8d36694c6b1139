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
def created(call: Call, reply: Reply) -> None:
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
def described(call: Call, reply: Reply) -> None:
    """Add the table's id, class and throughput limits, which moto does not keep."""
    reply["Table"].update(_extras.of(call).get(reply["Table"]["TableName"], {}))


@always.before("dynamodb", "UpdateTable")
def buy(call: Call) -> None:
    """Refuse to switch to provisioned capacity without the capacity of each index (go-to-k/cdkd#1588)."""
    table = backend("dynamodb", call.account, call.region).tables.get(call.params["TableName"])
    is_bought = call.params.get("BillingMode") == "PROVISIONED"
    if table is None or not is_bought or table.billing_mode == "PROVISIONED":
        return
    updates = [one for each in call.params.get("GlobalSecondaryIndexUpdates") or [] for one in each.values()]
    told = {one["IndexName"] for one in updates}
    if lacking := [one.name for one in table.global_indexes if one.name not in told]:
        wanted = f"ProvisionedThroughput must be specified for index: {','.join(lacking)}"
        raise AwsError("ValidationException", f"One or more parameter values were invalid: {wanted}")


@always.before("dynamodb", "UpdateTable")
def define(call: Call) -> None:
    """Remember a table's attribute definitions: moto replaces all of them by those that an update sends."""
    table = backend("dynamodb", call.account, call.region).tables.get(call.params["TableName"])
    if table is not None:
        _types.of(call)[table.name] = _by_name(table.attr)


def _by_name(defined: list[dict[str, str]]) -> dict[str, str]:
    """Return the types of attributes by name."""
    return {one["AttributeName"]: one["AttributeType"] for one in defined}


def _of_keys(call: Call, table: Any) -> list[dict[str, str]]:
    """Return the definitions of the attributes in the keys of a table and of its indexes.

    An update must send the attributes of a new index, and removes no other attribute (botocore ServiceModel,
    UpdateTable, AttributeDefinitions).
    """
    types = _types.of(call).pop(table.name, {}) | _by_name(table.attr)
    schemas = [table.schema, *(one.schema for one in (*table.indexes, *table.global_indexes))]
    keys = dict.fromkeys(key["AttributeName"] for schema in schemas for key in schema)
    return [{"AttributeName": name, "AttributeType": types[name]} for name in keys]


@always.after("dynamodb", "UpdateTable")
def updated(call: Call, reply: Reply) -> None:
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
def deleted(call: Call, reply: Reply) -> None:
    """Delete the table's resource policy with it, and report the table as DELETING."""
    policies = backend("dynamodb", call.account, call.region).resource_policies
    policies.pop(reply["TableDescription"]["TableArn"], None)
    extra = _extras.of(call).pop(reply["TableDescription"]["TableName"], {})
    reply["TableDescription"].update(extra, TableStatus="DELETING")


@always.before("dynamodb", "DeleteTable")
def deleting(call: Call) -> None:
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
        kept = Backup(near.account, near.region, f"{name}$DeletedTableBackup", table, type_="SYSTEM")
        dynamodb.backups[kept.arn] = kept


@always.after("dynamodb", "ListBackups")
def of_type(call: Call, reply: Reply) -> None:
    """List only on-demand backups unless others are asked for, and add when system backups expire.

    Source: botocore ServiceModel, BackupType.
    """
    wanted = call.params.get("BackupType", "USER")
    told = [one for one in reply["BackupSummaries"] if wanted in ("ALL", one["BackupType"])]
    for one in told:
        if one["BackupType"] == "SYSTEM":
            one["BackupExpiryDateTime"] = one["BackupCreationDateTime"] + timedelta(days=35)
    reply["BackupSummaries"] = told


@always.after("dynamodb", "DescribeBackup")
def under(call: Call, reply: Reply) -> None:
    """Add the encryption of the table that was backed up.

    Source: botocore ServiceModel, SourceTableFeatureDetails.
    """
    told = reply["BackupDescription"]
    table = backend("dynamodb", call.account, call.region).backups[call.params["BackupArn"]].table
    if sse := table.describe()["TableDescription"].get("SSEDescription"):
        told.setdefault("SourceTableFeatureDetails", {})["SSEDescription"] = sse


@always.before("dynamodb", "UpdateTimeToLive")
def set_time_to_live(call: Call) -> None:
    """Refuse to turn time to live on or off where it is so already (aws/aws-cdk#13720)."""
    name, wanted = call.params["TableName"], call.params["TimeToLiveSpecification"]["Enabled"]
    table = backend("dynamodb", call.account, call.region).tables.get(name)
    if table is not None and (table.ttl["TimeToLiveStatus"] == "ENABLED") == wanted:
        raise AwsError("ValidationException", f"TimeToLive is already {'en' if wanted else 'dis'}abled")


@always.refused("dynamodb", "DescribeTimeToLive", "UpdateTimeToLive")
def missing_table(call: Call, error: AwsError) -> None:
    """Give moto's error for a missing table AWS's code and message."""
    if error.code == "ResourceNotFound":
        message = f"Requested resource not found: Table: {call.params['TableName']} not found"
        raise AwsError("ResourceNotFoundException", message)
