"""Secrets Manager: what a service owns is not the user's to change, and a deleted name is not free."""

from __future__ import annotations

from typing import Any

from provisioner.embedded.hooks import AwsError, Reply, always
from provisioner.embedded.inner import backend
from provisioner.embedded.wire import Call


def _secret(call: Call, name: str) -> Any:
    return backend("secretsmanager", call.account, call.region).secrets.get(name)


@always.before("secretsmanager", "DeleteSecret", "PutSecretValue", "UpdateSecret", "RotateSecret")
def managed(call: Call) -> None:
    """Leave RDS its own: botocore ServiceModel, InvalidRequestException."""
    if ":secret:rds!" in call.params["SecretId"] or call.params["SecretId"].startswith("rds!"):
        raise AwsError(
            "InvalidRequestException",
            "You can't perform this operation on the secret because it is managed by another service (rds).",
        )


@always.before("secretsmanager", "CreateSecret")
def still_going(call: Call) -> None:
    """Refuse a name that is in its recovery window: terraform-provider-aws secretsmanager/secret.go."""
    secret = _secret(call, call.params["Name"])
    if secret is not None and secret.is_deleted():
        raise AwsError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )


@always.after("secretsmanager", "DescribeSecret")
def echo_key(call: Call, reply: Reply) -> None:
    """Say the key it is encrypted with, unless that is the account's own."""
    secret = _secret(call, reply["Name"])
    if secret is not None and secret.kms_key_id:
        reply["KmsKeyId"] = secret.kms_key_id
