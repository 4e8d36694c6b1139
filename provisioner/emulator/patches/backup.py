"""AWS Backup: jobs and recovery points, which moto lacks; moto has the vaults only."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from moto.core.utils import utcnow

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call

# Recovery points by the ARN of the resource that was backed up; they outlive the resource.
_points: AccountStore[list[dict[str, Any]]] = AccountStore()


@always.before("backup", "StartBackupJob")
def start_backup_job(call: Call) -> Reply:
    """Complete a backup job at once, with a recovery point that is encrypted with the vault's key.

    AWS Backup encrypts so where its advanced features for DynamoDB are on (AWS Backup developer guide,
    "Advanced DynamoDB backup"). Reply: botocore, StartBackupJobOutput.
    """
    name, resource = call.params["BackupVaultName"], call.params["ResourceArn"]
    vault = backend("backup", call.account, call.region).vaults.get(name)
    if vault is None:
        raise AwsError("ResourceNotFoundException", f"Backup vault with name {name} was not found.")
    arn = f"arn:aws:backup:{call.region}:{call.account}:recovery-point:{uuid4()}"
    point = {
        "RecoveryPointArn": arn,
        "CreationDate": utcnow(),
        "Status": "COMPLETED",
        "EncryptionKeyArn": vault.encryption_key_arn,
        "BackupVaultName": name,
    }
    _points.of(call).setdefault(resource, []).append(point)
    return {"BackupJobId": str(uuid4()), "RecoveryPointArn": arn, "CreationDate": point["CreationDate"]}


@always.before("backup", "ListRecoveryPointsByResource")
def list_recovery_points_by_resource(call: Call) -> Reply:
    """List the recovery points of a resource, also after the resource was deleted."""
    return {"RecoveryPoints": _points.of(call).get(call.params["ResourceArn"], [])}


@always.before("backup", "DeleteRecoveryPoint")
def delete_recovery_point(call: Call) -> Reply:
    """Delete a recovery point."""
    for points in _points.of(call).values():
        points[:] = [point for point in points if point["RecoveryPointArn"] != call.params["RecoveryPointArn"]]
    return {}
