"""KMS keys: services refuse a key that is disabled, pending deletion, or too new for them to see."""

from __future__ import annotations

from collections.abc import Mapping

from provisioner.emulator.behaviours.lag import hides_from_use
from provisioner.emulator.errors import AwsError
from provisioner.emulator.hooks import behaviours
from provisioner.emulator.patches.kms import key_of
from provisioner.emulator.wire import Call

# The parameter with the key of a call, and the error code and message of a key that cannot be used: botocore
# ServiceModel, and for CloudWatch Logs hashicorp/terraform-provider-aws#9463. SNS accepts any key and loses
# its messages.
USES: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("logs", "CreateLogGroup"): (
        "kmsKeyId",
        "InvalidParameterException",
        "The specified KMS key does not exist or is not allowed to be used with the log group",
    ),
    ("logs", "AssociateKmsKey"): (
        "kmsKeyId",
        "InvalidParameterException",
        "The specified KMS key does not exist or is not allowed to be used with the log group",
    ),
    ("dynamodb", "CreateTable"): ("SSESpecification", "ValidationException", "KMS validation error"),
    ("dynamodb", "UpdateTable"): ("SSESpecification", "ValidationException", "KMS validation error"),
    ("rds", "CreateDBCluster"): (
        "KmsKeyId",
        "KMSKeyNotAccessibleFault",
        "The specified KMS key does not exist, is not enabled or you do not have permissions to access it.",
    ),
    ("secretsmanager", "CreateSecret"): ("KmsKeyId", "EncryptionFailure", "KMS key is not available"),
    ("secretsmanager", "UpdateSecret"): ("KmsKeyId", "EncryptionFailure", "KMS key is not available"),
}


def _check_key(call: Call) -> None:
    """Refuse a key that is unknown, new to the service, or not enabled; accept aliases, which are AWS's own.

    Raises:
        AwsError: The error of the service.

    """
    path, code, message = USES[call.service, call.operation]
    value = call.params.get(path)
    name = value.get("KMSMasterKeyId") if isinstance(value, dict) else value
    if not name or "alias/" in name:
        return
    key = key_of(call, name)
    if key is None or key.key_state != "Enabled" or hides_from_use(call, key.arn):
        raise AwsError(code, f"{message}: {name}")


for _service, _operation in USES:
    behaviours.before(_service, _operation)(_check_key)
