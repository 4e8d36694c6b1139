"""Secrets Manager: secrets that RDS owns cannot be changed, and the name of a deleted secret is not free."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import backend
from provisioner.emulator.wire import Call


def _secret(call: Call, name: str) -> Any:
    """Return moto's secret with this name or ARN; None where there is none."""
    return backend("secretsmanager", call.account, call.region).secrets.get(name)


def _is_rds_own(call: Call) -> bool:
    """Return whether the secret that a call names is owned by RDS."""
    return ":secret:rds!" in call.params["SecretId"] or call.params["SecretId"].startswith("rds!")


@always.before("secretsmanager", "RotateSecret")
def reschedule(call: Call) -> Reply | None:
    """Set the rotation schedule of a secret that RDS owns.

    Source: Secrets Manager user guide, rotate-secrets_managed.
    """
    if not _is_rds_own(call):
        return None
    secret = _secret(call, call.params["SecretId"])
    secret.rotation_requested = secret.rotation_enabled = True
    if days := call.params.get("RotationRules", {}).get("AutomaticallyAfterDays"):
        secret.auto_rotate_after_days = days
    return {"ARN": secret.arn, "Name": secret.name}


# A managed secret rotates every seven days (Aurora user guide, rds-secrets-manager).
_USUAL_DAYS = 7


@always.after("rds", "CreateDBCluster", "ModifyDBCluster")
def schedule_rotation(call: Call, reply: Reply) -> None:
    """Turn on rotation, every seven days, for a master password that RDS has begun to manage."""
    arn = (reply["DBCluster"].get("MasterUserSecret") or {}).get("SecretArn", "")
    secret = _secret(call, arn) if arn else None
    if secret is not None and not secret.rotation_enabled:
        secret.rotation_requested = secret.rotation_enabled = True
        secret.auto_rotate_after_days = _USUAL_DAYS


@always.before("secretsmanager", "DeleteSecret", "PutSecretValue", "UpdateSecret")
def refuse_managed(call: Call) -> None:
    """Refuse to change or delete a secret that RDS owns (botocore ServiceModel, InvalidRequestException)."""
    if _is_rds_own(call):
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it is managed by another service (rds).",
        )


@always.before("secretsmanager", "CreateSecret")
def refuse_reserved_name(call: Call) -> None:
    """Refuse the name of a secret in its recovery window.

    Source: terraform-provider-aws secretsmanager/secret.go.
    """
    secret = _secret(call, call.params["Name"])
    if secret is not None and secret.is_deleted():
        raise AwsError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )


@always.after("secretsmanager", "DescribeSecret")
def echo_key(call: Call, reply: Reply) -> None:
    """Add the KMS key of a secret, unless it is the account's default key."""
    secret = _secret(call, reply["Name"])
    if secret is not None and secret.kms_key_id:
        reply["KmsKeyId"] = secret.kms_key_id
