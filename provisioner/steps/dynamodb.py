"""The DynamoDB table of sessions."""

from __future__ import annotations

from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.resources.dynamodb import PointInTimeRecovery, Table, TimeToLive
from provisioner.settings import Settings
from provisioner.steps.keys import Keys

_ACTIVE_REASON = "only an ACTIVE table takes it"


def declare_sessions_table(step: Step, settings: Settings, keys: Keys) -> ResourceHandle:
    """Declare the table with key `sessionId`, and its TTL and point-in-time recovery.

    AWS sets these two by calls of their own, so they are resources of their own.
    """
    table = step(
        Table,
        "sessions",
        noun="sessions",
        AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
        DeletionProtectionEnabled=settings.table.deletion_protection or settings.protect_data,
        **_billing(settings),
        **keys.table_encryption(step.stack.region),
    )
    expiry = step(
        TimeToLive,
        "sessions-ttl",
        TableName=table.id,
        TimeToLiveSpecification=_ttl_specification(settings),
        depends_on=[table.ready(_ACTIVE_REASON)],
    )
    # TTL first: it is refused for a while after backups were turned on.
    step(
        PointInTimeRecovery,
        "sessions-pitr",
        TableName=table.id,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": settings.table.point_in_time_recovery},
        depends_on=[expiry, table.ready(_ACTIVE_REASON)],
    )
    return table


def _billing(settings: Settings) -> dict[str, Any]:
    """Return how the table's capacity is billed."""
    if settings.table.billing == "on_demand":
        return {"BillingMode": "PAY_PER_REQUEST"}
    units = {"ReadCapacityUnits": settings.table.read_units, "WriteCapacityUnits": settings.table.write_units}
    return {"BillingMode": "PROVISIONED", "ProvisionedThroughput": units}


def _ttl_specification(settings: Settings) -> dict[str, Any]:
    """Return the TTL; it is off if the settings name no attribute."""
    attribute = settings.table.ttl_attribute
    return {"Enabled": True, "AttributeName": attribute} if attribute else {"Enabled": False}
