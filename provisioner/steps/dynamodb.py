"""The sessions table."""

from __future__ import annotations

from provisioner.engine.graph import Handle, Piece
from provisioner.kinds.dynamodb import PointInTimeRecovery, Table, TimeToLive

_ACTIVE = "only an ACTIVE table takes it"


def sessions(up: Piece) -> Handle:
    """On demand, keyed by `sessionId`, items expire by `ttl`, every second can be restored."""
    table = up(
        Table,
        "sessions",
        noun="sessions",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "sessionId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "sessionId", "KeyType": "HASH"}],
        DeletionProtectionEnabled=False,
    )
    expiry = up(
        TimeToLive,
        "sessions-ttl",
        TableName=table.id,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"},
        after=[table.ready(_ACTIVE)],
    )
    # TTL first: it is refused for a while after backups were turned on.
    up(
        PointInTimeRecovery,
        "sessions-pitr",
        TableName=table.id,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        after=[expiry, table.ready(_ACTIVE)],
    )
    return table
