"""Checks of what the tasks may do: their IAM roles, their secrets, and the KMS keys of the secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from provisioner.doctor.check import Finding, JsonObject, NotApplicable, NotChecked, ReadResult
from provisioner.doctor.reads.task_roles import EXECUTION_ROLE, SecretKey, TaskRole
from provisioner.iam.evaluator import Request, allows, matches_pattern, statements
from provisioner.names import PROJECT
from provisioner.resources.tags import mapping

_NO_START = "No new task starts."
_GET_SECRET, _DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"
_TABLE_ACTIONS = ("dynamodb:GetItem", "dynamodb:PutItem")
_ECS_TASKS = "ecs-tasks.amazonaws.com"


def roles_are_assumable(roles: list[TaskRole]) -> Finding | None:
    """Check that each role exists, and that ECS tasks may assume it."""
    for role in roles:
        if role.actual is None:
            return Finding("role-absent", f"The {role.purpose} {role.name} does not exist.", _NO_START, "apply")
        if not any(map(_trusts_ecs_tasks, statements(role.actual["AssumeRolePolicyDocument"]))):
            problem = f"The {role.purpose} {role.name} does not trust {_ECS_TASKS}."
            return Finding("role-untrusting", problem, _NO_START, "apply")
    return None


def _trusts_ecs_tasks(statement: Any) -> bool:
    """Return whether a statement of a trust policy lets ECS tasks assume the role."""
    is_named = _ECS_TASKS in _principals(statement, "Service")
    # IAM user guide, "Principal", all principals: "*" and {"AWS": "*"} are equal, and services are among them.
    is_everybody = "*" in _principals(statement, "AWS")
    return statement["Effect"] == "Allow" and (is_named or is_everybody)


def _as_list(value: Any) -> list[str]:
    """Return an element of a policy, which may be one string or a list, as a list."""
    return [value] if isinstance(value, str) else list(value)


def secrets_are_readable(roles: list[TaskRole], secrets: list[ReadResult]) -> Finding | None:
    """Check that the execution role may read each secret that a container gets.

    Raises:
        NotApplicable: No container gets a secret.

    """
    if not secrets:
        raise NotApplicable("no container is given a secret")
    for role in _execution_roles(roles):
        for secret in secrets:
            arn = secret.description.removeprefix("secret ")
            if not _is_allowed(role, _GET_SECRET, arn, mapping((secret.actual or {}).get("Tags", []))):
                problem = f"The execution role {role.name} may not call {_GET_SECRET} on {arn}."
                return Finding("secret-closed", problem, f"{_NO_START} ECS reads the secret in its name.", "apply")
    return None


def _execution_roles(roles: list[TaskRole]) -> list[TaskRole]:
    """Return the execution roles that exist."""
    return [role for role in roles if role.actual is not None and role.purpose == EXECUTION_ROLE]


def table_is_usable(roles: list[TaskRole], table: JsonObject) -> Finding | None:
    """Check that the task role may read and write sessions in the table."""
    task_roles = [role for role in roles if role.actual is not None and role.purpose != EXECUTION_ROLE]
    for role in task_roles:
        for action in _TABLE_ACTIONS:
            if not _is_allowed(role, action, table["TableArn"], {}):
                problem = f"The task role {role.name} may not call {action} on {table['TableArn']}."
                return Finding("table-closed", problem, "The tasks run, and lose their sessions.", "apply")
    return None


def keys_are_usable(roles: list[TaskRole], secret_keys: list[SecretKey]) -> Finding | None:
    """Check that the secrets' KMS keys are enabled, and that the execution role may decrypt with them.

    Raises:
        NotApplicable: The secrets are encrypted with AWS's own key.

    """
    if not secret_keys:
        raise NotApplicable("the secrets are under AWS's own key")
    for secret_key in secret_keys:
        arn, state = secret_key.key["Arn"], secret_key.key["KeyState"]
        consequence = f"{_NO_START} Nothing that is under the key can be read: {secret_key.secret_name} is."
        if state != "Enabled":
            operation = "enable-key" if state == "Disabled" else "cancel-key-deletion"
            command = f"aws kms {operation} --key-id {arn}"
            return Finding("key-off", f"The key {arn} is {state}.", consequence, command)
        for role in _execution_roles(roles):
            if not _may_decrypt(role, secret_key):
                problem = f"The execution role {role.name} may not call {_DECRYPT} on {arn}."
                consequence = f"{_NO_START} ECS reads {secret_key.secret_name} in its name."
                return Finding("key-closed", problem, consequence, "apply")
    return None


def _may_decrypt(role: TaskRole, secret_key: SecretKey) -> bool:
    """Return whether a role may decrypt a secret with a key.

    Both must allow it: the role's policies, and the key's policy, for the account or for the role.
    """
    account, role_arn = _account_of(role), role.actual["Arn"] if role.actual else ""
    principals = {f"arn:aws:iam::{account}:root", account, role_arn, "*"}
    policy = secret_key.policy
    applicable = [statement for statement in statements(policy) if _principals(statement, "AWS") & principals]
    key_policy = {**policy, "Statement": applicable}
    role_under_key_policy = replace(role, policies=(key_policy,), boundary=None)
    return all(
        _is_allowed(judged, _DECRYPT, secret_key.key["Arn"], secret_key.tags, secret_key.secret_arn)
        for judged in (role, role_under_key_policy)
    )


def _principals(statement: Any, kind: str) -> set[str]:
    """Return the principals of one kind ("AWS", "Service") in a statement; the text "*" is one of every kind."""
    principal = statement.get("Principal", {})
    return set(_as_list(principal if isinstance(principal, str) else principal.get(kind, [])))


def _is_allowed(role: TaskRole, action: str, resource: str, tags: dict[str, str], secret_arn: str = "") -> bool:
    """Return whether a role may call an action on a resource, as IAM decides it.

    Args:
        role: The role, with its policies and its boundary.
        action: The action, such as "kms:Decrypt".
        resource: The ARN of the resource.
        tags: The tags of the resource.
        secret_arn: The ARN of the secret that a key is to decrypt: Secrets Manager tells it to KMS.

    Raises:
        NotChecked: A policy cannot be judged, or depends on a condition key that only the real request has.

    """
    region, account = resource.split(":")[3], _account_of(role)
    context = {
        "aws:RequestedRegion": (region,),
        "aws:PrincipalAccount": (account,),
        "kms:CallerAccount": (account,),
        "kms:ViaService": (f"secretsmanager.{region}.amazonaws.com",),
        "kms:EncryptionContext:SecretARN": (secret_arn,),
    }
    request = Request(action, resource, context, lambda: tags)
    policies = [*role.policies, *([role.boundary] if role.boundary else [])]
    condition_keys = {key for policy in policies for key in _condition_keys(policy, action)}
    if unknown_keys := sorted(condition_keys - context.keys()):
        raise NotChecked(f"whether {role.name} is allowed depends on {', '.join(unknown_keys)}")
    try:
        return allows(role.policies, request, role.boundary)
    except ValueError as error:
        raise NotChecked(f"a policy of {role.name} cannot be judged: {error}") from error


def _account_of(role: TaskRole) -> str:
    """Return the account of a role."""
    return str((role.actual or {}).get("Arn", "::::")).split(":")[4]


def _condition_keys(policy: JsonObject, action: str) -> Iterator[str]:
    """Yield the condition keys of a policy's statements for an action, except tags, which are known."""
    for statement in statements(policy):
        patterns = _as_list(statement.get("Action", "*"))
        if any(matches_pattern(pattern, action, ignore_case=True) for pattern in patterns):
            keys = (key for test in statement.get("Condition", {}).values() for key in test)
            yield from (key for key in keys if "ResourceTag/" not in key)


def secrets_have_values(secrets: list[ReadResult]) -> Finding | None:
    """Check that each secret exists, is not being deleted, and has a current value, which is not read.

    Raises:
        NotApplicable: No container gets a secret.

    """
    if not secrets:
        raise NotApplicable("no container is given a secret")
    for secret in secrets:
        consequence = f"{_NO_START} ECS cannot give it its login."
        if secret.actual is None:
            return _missing_secret_finding(secret, consequence)
        name, deletion_date = secret.actual["Name"], secret.actual.get("DeletedDate")
        if deletion_date:
            problem = f"The secret {name} is about to be deleted ({_format_day(deletion_date)})."
            command = f"aws secretsmanager restore-secret --secret-id {name}"
            return Finding("secret-going", problem, consequence, command)
        stages_in_use = [stage for stages in secret.actual.get("VersionIdsToStages", {}).values() for stage in stages]
        if "AWSCURRENT" not in stages_in_use:
            command = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string file://value.txt"
            return Finding("secret-empty", f"The secret {name} has no current value.", consequence, command)
    return None


def _missing_secret_finding(secret: ReadResult, consequence: str) -> Finding:
    """Return the finding for a missing secret: `apply` creates one of the stack, and the user any other."""
    name = secret.description.rpartition(":")[2]
    if name.startswith(("rds!", f"{PROJECT}-")):
        return secret.missing_finding("secret-absent", consequence)
    # Secrets Manager ends an ARN with a hyphen and six characters (API reference, CreateSecret).
    command = f"aws secretsmanager create-secret --name {name[:-7]} --secret-string file://value.txt"
    consequence += " Its new ARN then goes into `container.secrets`."
    return secret.missing_finding("secret-absent", consequence, command)


def _format_day(when: Any) -> str:
    """Return the day of a date in UTC."""
    return when.astimezone(UTC).date().isoformat() if isinstance(when, datetime) else str(when)
