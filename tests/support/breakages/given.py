"""What breaks of what a task is given: its roles, its secrets, and the keys that those are under."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.breakages.deed import Act, Break, state
from tests.support.live_stack import SUFFIX, LiveStack
from tests.support.manual_changes import TASK_ROLE

EXECUTION_ROLE = f"ml-api-execution-role-{SUFFIX}"
# The user's own secret, which the container of the standing stack is given beside the database's.
OWN_SECRET = "shop/token"


def _distrust(live_stack: LiveStack) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    live_stack.aws("iam").update_assume_role_policy(RoleName=EXECUTION_ROLE, PolicyDocument=json.dumps(trust))


def _drop_role(live_stack: LiveStack) -> None:
    iam = live_stack.aws("iam")
    for name in iam.list_role_policies(RoleName=EXECUTION_ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=EXECUTION_ROLE, PolicyName=name)
    iam.delete_role(RoleName=EXECUTION_ROLE)


def _key(live_stack: LiveStack) -> str:
    """The key that the database's secret is under."""
    told = live_stack.aws("secretsmanager").describe_secret(SecretId=live_stack.secret)
    return str(told["KmsKeyId"])


def _shut_out(live_stack: LiveStack) -> None:
    """The key's own policy leaves its use to nobody."""
    kms, key = live_stack.aws("kms"), _key(live_stack)
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    kept = [one for one in policy["Statement"] if one["Sid"] != "Users"]
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({**policy, "Statement": kept}))


def _delete_own(*, at_once: bool) -> Act:
    """Somebody deletes the user's secret: for good, or with the usual days in which it can be restored."""

    def delete(live_stack: LiveStack) -> None:
        live_stack.aws("secretsmanager").delete_secret(SecretId=OWN_SECRET, ForceDeleteWithoutRecovery=at_once)

    return delete


def give_anew(live_stack: LiveStack) -> None:
    """Let the setting name the secret that bears the name now."""
    arn = live_stack.aws("secretsmanager").describe_secret(SecretId=OWN_SECRET)["ARN"]
    live_stack.desk.environment["MLAPI_CONTAINER__SECRETS"] = json.dumps({"TOKEN": arn})
    live_stack.desk.well("apply", "--yes", "--suffix", SUFFIX)


def _delete_for_good(live_stack: LiveStack) -> None:
    _delete_own(at_once=True)(live_stack)
    Path("value.txt").write_text("a value")


def _empty_own(live_stack: LiveStack) -> None:
    """As it is when it was made without a value; the file is what is then told to be put there."""
    secret = state(live_stack, "secretsmanager").secrets[OWN_SECRET]
    secret.versions.clear()
    secret.set_default_version_id(None)
    Path("value.txt").write_text("a value")


BREAKS = (
    Break("roles", "role-absent", _drop_role, f"execution role {EXECUTION_ROLE} is not there", turn=0),
    Break("roles", "role-untrusting", _distrust, "does not trust ecs-tasks.amazonaws.com"),
    Break(
        "secret-rights",
        "secret-closed",
        lambda live_stack: live_stack.aws("iam").delete_role_policy(RoleName=EXECUTION_ROLE, PolicyName="secrets"),
        "may not call secretsmanager:GetSecretValue",
        also={"key-closed"},  # the same policy lets it open what is under the stack's key
    ),
    Break(
        "table-rights",
        "table-closed",
        lambda live_stack: live_stack.aws("iam").delete_role_policy(RoleName=TASK_ROLE, PolicyName="use"),
        "may not call dynamodb:GetItem",
        turn=2,
    ),
    Break("key", "key-closed", _shut_out, "may not call kms:Decrypt", turn=0),
    Break(
        "key",
        "key-off",
        lambda live_stack: live_stack.aws("kms").disable_key(KeyId=_key(live_stack)),
        "is Disabled",
        "aws kms enable-key",
        turn=0,
    ),
    Break(
        "key",
        "key-off",
        lambda live_stack: live_stack.aws("kms").schedule_key_deletion(KeyId=_key(live_stack), PendingWindowInDays=7),
        "is PendingDeletion",
        "aws kms cancel-key-deletion",
        turn=0,
    ),
    Break(
        "secrets",
        "secret-going",
        _delete_own(at_once=False),
        f"The secret {OWN_SECRET} is about to be deleted",
        f"aws secretsmanager restore-secret --secret-id {OWN_SECRET}",
        turn=0,
    ),
    Break(
        "secrets",
        "secret-absent",
        _delete_for_good,
        f"There is no secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:{OWN_SECRET}-",
        f"aws secretsmanager create-secret --name {OWN_SECRET} --secret-string file://value.txt",
        afterwards=give_anew,
        turn=0,
    ),
    Break(
        "secrets",
        "secret-empty",
        _empty_own,
        f"The secret {OWN_SECRET} has no current value",
        f"aws secretsmanager put-secret-value --secret-id {OWN_SECRET} --secret-string file://value.txt",
        turn=0,
    ),
)
