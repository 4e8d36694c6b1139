"""KMS: keys addressed by ARN too, changes that a key's state forbids, and well-formed key policies."""

from __future__ import annotations

import json
from typing import Any

from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.wire import AccountRegion, Call

PENDING = "PendingDeletion"


def key_of(near: Call | AccountRegion, name: str) -> Any:
    """Return moto's key with an id or ARN; None where there is none."""
    return backend("kms", near.account, near.region).keys.get(name.rsplit("/", 1)[-1])


@always.before("kms", "EnableKey", "DisableKey", "CancelKeyDeletion", "ScheduleKeyDeletion")
def change_state(call: Call) -> Reply | None:
    """Refuse a change that the key's state forbids, and accept a key's ARN as well as its id.

    Source: KMS developer guide, "Key states of AWS KMS keys".
    """
    key = key_of(call, call.params["KeyId"])
    if key is None:
        return None
    if (key.key_state == PENDING) != (call.operation == "CancelKeyDeletion"):
        problem = "is pending deletion" if key.key_state == PENDING else "is not pending deletion"
        raise AwsError("KMSInvalidStateException", f"{key.arn} {problem}.")
    return ask_moto(call, "kms", call.operation, **call.params | {"KeyId": key.id}) | _added_members(call, key)


def _added_members(call: Call, key: Any) -> Reply:
    """Return the members that AWS adds to the reply (botocore ServiceModel, ScheduleKeyDeletionResponse)."""
    if call.operation == "ScheduleKeyDeletion":
        return {"KeyId": key.arn, "KeyState": PENDING}
    return {"KeyId": key.arn} if call.operation == "CancelKeyDeletion" else {}


@always.before("kms", "CreateKey", "PutKeyPolicy")
def check_policy(call: Call) -> None:
    """Refuse a key policy that is not a policy document.

    Source: botocore ServiceModel, MalformedPolicyDocumentException.
    """
    text = call.params.get("Policy")
    try:
        document = json.loads(text) if text else {"Statement": []}
        statements = document["Statement"]
        is_well_formed = all(
            statement["Effect"] and statement["Principal"] and statement["Action"] for statement in statements
        )
    except (ValueError, KeyError, TypeError):
        is_well_formed = False
    if not is_well_formed:
        raise AwsError("MalformedPolicyDocumentException", "The new key policy is not well formed.")


@always.after("kms", "DescribeKey")
def set_manager(call: Call, reply: Reply) -> None:
    """Report AWS as the manager of a key that has an alias `alias/aws/...`.

    Source: KMS developer guide, "AWS managed keys".
    """
    key = key_of(call, reply["KeyMetadata"]["KeyId"])
    if any(name.startswith("alias/aws/") for name in key.aliases):
        reply["KeyMetadata"]["KeyManager"] = "AWS"
