"""Checks of what the tasks may do: their IAM roles, their secrets, and the KMS keys of the secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from provisioner.doctor.finding import Finding, JsonObject, NotApplicable, NotChecked, ReadResult
from provisioner.doctor.reads.task_roles import EXECUTION, SecretKey, TaskRole
from provisioner.iam.evaluator import Request, allows, matches_pattern, statements
from provisioner.names import PROJECT
from provisioner.resources.tags import mapping

_NO_START = "No new task starts."
_READ, _OPEN = "secretsmanager:GetSecretValue", "kms:Decrypt"
_KEEP = ("dynamodb:GetItem", "dynamodb:PutItem")
_TASKS = "ecs-tasks.amazonaws.com"


def roles_are_assumable(roles: list[TaskRole]) -> Finding | None:
    """Check that each role exists, and that ECS tasks may assume it."""
    for role in roles:
        if role.doc is None:
            return Finding("role-absent", f"The {role.of} {role.name} is not there.", _NO_START, "apply")
        if not any(map(_trusts, statements(role.doc["AssumeRolePolicyDocument"]))):
            what = f"The {role.of} {role.name} does not trust {_TASKS}."
            return Finding("role-untrusting", what, _NO_START, "apply")
    return None


def _trusts(statement: Any) -> bool:
    """Return whether a statement of a trust policy lets ECS tasks assume the role."""
    named = statement.get("Principal", {}).get("Service", [])
    return statement["Effect"] == "Allow" and _TASKS in ([named] if isinstance(named, str) else named)


def secrets_are_readable(roles: list[TaskRole], secrets: list[ReadResult]) -> Finding | None:
    """Check that the execution role may read each secret that a container gets.

    Raises:
        Unset: No container gets a secret.

    """
    if not secrets:
        raise NotApplicable("no container is given a secret")
    for role in roles:
        if role.doc is None or role.of != EXECUTION:
            continue
        for one in secrets:
            arn = one.description.removeprefix("secret ")
            if not _may(role, _READ, arn, mapping((one.actual or {}).get("Tags", []))):
                what = f"The execution role {role.name} may not call {_READ} on {arn}."
                return Finding("secret-closed", what, f"{_NO_START} ECS reads the secret in its name.", "apply")
    return None


def table_is_usable(roles: list[TaskRole], table: JsonObject) -> Finding | None:
    """Check that the task role may read and write sessions in the table."""
    for role in roles:
        for action in _KEEP:
            if role.doc is not None and role.of != EXECUTION and not _may(role, action, table["TableArn"], {}):
                what = f"The task role {role.name} may not call {action} on {table['TableArn']}."
                return Finding("table-closed", what, "The tasks run, and lose their sessions.", "apply")
    return None


def keys_are_usable(roles: list[TaskRole], locks: list[SecretKey]) -> Finding | None:
    """Check that the secrets' KMS keys are enabled, and that the execution role may decrypt with them.

    Raises:
        Unset: The secrets are encrypted with AWS's own key.

    """
    if not locks:
        raise NotApplicable("the secrets are under AWS's own key")
    for lock in locks:
        arn, state = lock.key["Arn"], lock.key["KeyState"]
        why = f"{_NO_START} Nothing that is under the key can be read: {lock.secret} is."
        if state != "Enabled":
            wake = f"aws kms enable-key --key-id {arn}"
            command = wake if state == "Disabled" else wake.replace("enable-key", "cancel-key-deletion")
            return Finding("key-off", f"The key {arn} is {state}.", why, command)
        for role in roles:
            if role.doc is not None and role.of == EXECUTION and not _may_open(role, lock):
                what = f"The execution role {role.name} may not call {_OPEN} on {arn}."
                return Finding("key-closed", what, f"{_NO_START} ECS reads {lock.secret} in its name.", "apply")
    return None


def _may_open(role: TaskRole, lock: SecretKey) -> bool:
    """Return whether a role may decrypt a secret with a key.

    Both must allow it: the role's policies, and the key's policy, for the account or for the role.
    """
    arn = lock.key["Arn"]
    whom = (f"arn:aws:iam::{_account(role)}:root", _account(role), role.doc["Arn"] if role.doc else "", "*")
    meant = [one for one in statements(lock.policy) if _principals(one) & set(whom)]
    held = {**lock.policy, "Statement": meant}
    of_key = replace(role, policies=(held,), boundary=None)
    return all(_may(one, _OPEN, arn, lock.tags, lock.arn) for one in (role, of_key))


def _principals(statement: Any) -> set[str]:
    """Return the AWS principals of a statement."""
    named = statement.get("Principal", {})
    told = named if isinstance(named, str) else named.get("AWS", [])
    return {told} if isinstance(told, str) else set(told)


def _may(role: TaskRole, action: str, resource: str, tags: dict[str, str], opened: str = "") -> bool:
    """Return whether a role may call an action on a resource, as IAM decides it.

    Args:
        role: The role, with its policies and its boundary.
        action: The action, such as "kms:Decrypt".
        resource: The ARN of the resource.
        tags: The tags of the resource.
        opened: The ARN of the secret that a key is to decrypt: Secrets Manager tells it to KMS.

    Raises:
        Unseen: A policy cannot be judged, or depends on a condition key that only the real request has.

    """
    region, account = resource.split(":")[3], _account(role)
    context = {
        "aws:RequestedRegion": (region,),
        "aws:PrincipalAccount": (account,),
        "kms:CallerAccount": (account,),
        "kms:ViaService": (f"secretsmanager.{region}.amazonaws.com",),
        "kms:EncryptionContext:SecretARN": (opened,),
    }
    request = Request(action, resource, context, lambda: tags)
    every = [*role.policies, *([role.boundary] if role.boundary else [])]
    if strange := sorted({key for policy in every for key in _conditions(policy, action)} - context.keys()):
        raise NotChecked(f"whether {role.name} may depends on {', '.join(strange)}")
    try:
        return allows(role.policies, request, role.boundary)
    except ValueError as error:
        raise NotChecked(f"a policy of {role.name} cannot be judged: {error}") from error


def _account(role: TaskRole) -> str:
    """Return the account of a role."""
    return str((role.doc or {}).get("Arn", "::::")).split(":")[4]


def _conditions(policy: JsonObject, action: str) -> Iterator[str]:
    """Yield the condition keys of a policy's statements for an action, except tags, which are known."""
    for one in statements(policy):
        named = one.get("Action", [])
        listed = [named] if isinstance(named, str) else named
        if "Action" not in one or any(matches_pattern(pattern, action, fold=True) for pattern in listed):
            keys = (key for test in one.get("Condition", {}).values() for key in test)
            yield from (key for key in keys if "ResourceTag/" not in key)


def secrets_have_values(secrets: list[ReadResult]) -> Finding | None:
    """Check that each secret exists, is not being deleted, and has a current value, which is not read.

    Raises:
        Unset: No container gets a secret.

    """
    if not secrets:
        raise NotApplicable("no container is given a secret")
    for one in secrets:
        why = f"{_NO_START} ECS cannot give it its login."
        if one.actual is None:
            return _lost(one, why)
        name, ends = one.actual["Name"], one.actual.get("DeletedDate")
        if ends:
            restore = f"aws secretsmanager restore-secret --secret-id {name}"
            return Finding("secret-going", f"The secret {name} is about to be deleted ({_day(ends)}).", why, restore)
        held = [stage for stages in one.actual.get("VersionIdsToStages", {}).values() for stage in stages]
        if "AWSCURRENT" not in held:
            put = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file://value.txt"
            return Finding("secret-empty", f"The secret {name} has no current value.", why, put)
    return None


def _lost(one: ReadResult, why: str) -> Finding:
    """Return the finding for a missing secret: `apply` creates one of the stack, and the user any other."""
    name = one.description.rpartition(":")[2]
    if name.startswith(("rds!", f"{PROJECT}-")):
        return one.missing_finding("secret-absent", why)
    # Secrets Manager ends an ARN with a hyphen and six characters (API reference, CreateSecret).
    make = f"aws secretsmanager create-secret --name {name[:-7]} --secret-string file://value.txt"
    return one.missing_finding("secret-absent", f"{why} Its new ARN then goes into `container.secrets`.", make)


def _day(when: Any) -> str:
    """Return the day of a date in UTC."""
    return when.astimezone(UTC).date().isoformat() if isinstance(when, datetime) else str(when)
