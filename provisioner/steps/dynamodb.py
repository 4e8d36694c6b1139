"""The DynamoDB table of sessions."""

from __future__ import annotations

from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.dynamodb import PointInTimeRecovery, Table, TimeToLive
from provisioner.settings import Settings
from provisioner.steps.keys import Keys

_ACTIVE = "only an ACTIVE table takes it"


def sessions(up: Piece, s: Settings, keys: Keys) -> Handle:
    """Declare the table with key `sessionId`, and its TTL and point-in-time recovery.

    AWS sets these two by calls of their own, so they are resources of their own.
    """
    table = up(
        Table,
        "sessions",
        noun="sessions",
        AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
        DeletionProtectionEnabled=s.table.deletion_protection or s.protect_data,
        **_capacity(s),
        **keys.table(up.stack.region),
    )
    expiry = up(
        TimeToLive,
        "sessions-ttl",
        TableName=table.id,
        TimeToLiveSpecification=_expiry(s),
        after=[table.ready(_ACTIVE)],
    )
    # TTL first: it is refused for a while after backups were turned on.
    up(
        PointInTimeRecovery,
        "sessions-pitr",
        TableName=table.id,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": s.table.point_in_time_recovery},
        after=[expiry, table.ready(_ACTIVE)],
    )
    return table


def _capacity(s: Settings) -> dict[str, Any]:
    if s.table.billing == "on_demand":
        return {"BillingMode": "PAY_PER_REQUEST"}
    units = {"ReadCapacityUnits": s.table.read_units, "WriteCapacityUnits": s.table.write_units}
    return {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units}


def _expiry(s: Settings) -> dict[str, Any]:
    attribute = s.table.ttl_attribute
    return {"Enabled": True, "AttributeName": attribute} if attribute else {"Enabled": False}
