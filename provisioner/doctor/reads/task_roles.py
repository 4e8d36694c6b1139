"""Reads of what the tasks get: their IAM roles, their secrets, and the KMS keys of the secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass

from provisioner.doctor.check import JsonObject, ReadResult
from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.reads.tasks import read_task_definitions
from provisioner.service_clients import IAM, KMS, SecretsManager

# The calls of this module by service; `policy` grants them.
CALLS = {
    "secretsmanager": ("DescribeSecret",),
    "kms": ("DescribeKey", "GetKeyPolicy", "ListResourceTags"),
    "iam": (
        "GetRole ml-api-*-{suffix}",
        "ListRolePolicies ml-api-*-{suffix}",
        "GetRolePolicy ml-api-*-{suffix}",
        "ListAttachedRolePolicies ml-api-*-{suffix}",
        "GetPolicy",
        "GetPolicyVersion",
    ),
}
_NOT_FOUND = ("ResourceNotFoundException", "NoSuchEntity", "NotFoundException")
EXECUTION_ROLE = "execution role"


@dataclass(frozen=True)
class TaskRole:
    """An IAM role with its policies and its boundary; `actual` is None if the role does not exist.

    `purpose` says what it is for, such as "execution role".
    """

    name: str
    purpose: str
    actual: JsonObject | None = None
    policies: tuple[JsonObject, ...] = ()
    boundary: JsonObject | None = None


@dataclass(frozen=True)
class SecretKey:
    """A customer managed key that encrypts a secret, with its policy and tags; `secret_arn` is the secret's ARN."""

    secret_name: str
    key: JsonObject
    policy: JsonObject
    tags: dict[str, str]
    secret_arn: str = ""


def read_secret_arns(context: DoctorContext) -> list[str]:
    """Return the ARNs of the secrets in the running task definitions, without a JSON key at the end."""
    value_sources = (
        secret["valueFrom"]
        for definition in read_task_definitions(context)
        for container in definition["containerDefinitions"]
        for secret in container.get("secrets", [])
    )
    return list(dict.fromkeys(":".join(arn.split(":")[:7]) for arn in value_sources if ":secretsmanager:" in arn))


def read_secrets(context: DoctorContext) -> list[ReadResult]:
    """Return what AWS says of each secret, never its value (DescribeSecret)."""
    return [_read_secret(context, arn) for arn in read_secret_arns(context)]


def _read_secret(context: DoctorContext, arn: str) -> ReadResult:
    """Return what AWS says of one secret."""
    manager = context.clients.client(SecretsManager)
    return ReadResult(f"secret {arn}", default_on_codes(_NOT_FOUND, lambda: manager.describe_secret(SecretId=arn)))


def read_secret_keys(context: DoctorContext) -> list[SecretKey]:
    """Return the customer managed key of each secret that has one.

    It calls DescribeKey, GetKeyPolicy and ListResourceTags.
    """
    kms = context.clients.client(KMS)
    secret_keys = []
    for secret in read_secrets(context):
        description = secret.actual or {}
        if not description.get("KmsKeyId"):
            continue
        key = kms.describe_key(KeyId=description["KmsKeyId"])["KeyMetadata"]
        if key["KeyManager"] == "CUSTOMER":
            policy = json.loads(kms.get_key_policy(KeyId=key["Arn"], PolicyName="default")["Policy"])
            tags = kms.list_resource_tags(KeyId=key["Arn"])["Tags"]
            tag_values = {tag["TagKey"]: tag["TagValue"] for tag in tags}
            secret_keys.append(SecretKey(description["Name"], key, policy, tag_values, description["ARN"]))
    return secret_keys


def read_task_roles(context: DoctorContext) -> list[TaskRole]:
    """Return the execution roles and task roles of the running task definitions, with all their policies."""
    purposes = {
        definition[field]: purpose
        for definition in read_task_definitions(context)
        for field, purpose in (("executionRoleArn", EXECUTION_ROLE), ("taskRoleArn", "task role"))
        if field in definition
    }
    return [_read_role(context, arn.rpartition("/")[2], purpose) for arn, purpose in purposes.items()]


def _read_role(context: DoctorContext, name: str, purpose: str) -> TaskRole:
    """Return a role (GetRole) with its inline policies, its attached policies and its boundary."""
    iam = context.clients.client(IAM)
    role = default_on_codes(_NOT_FOUND, lambda: iam.get_role(RoleName=name)["Role"])
    if role is None:
        return TaskRole(name, purpose, role)
    inline = [
        _decoded(iam.get_role_policy(RoleName=name, PolicyName=policy_name)["PolicyDocument"])
        for policy_name in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    managed = [_read_managed_policy(context, policy["PolicyArn"]) for policy in attached]
    boundary_arn = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    boundary = _read_managed_policy(context, boundary_arn) if boundary_arn else None
    return TaskRole(name, purpose, role, (*inline, *managed), boundary)


def _read_managed_policy(context: DoctorContext, arn: str) -> JsonObject:
    """Return the default version of a managed policy (GetPolicy, GetPolicyVersion)."""
    iam = context.clients.client(IAM)
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return _decoded(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def _decoded(document: str | JsonObject) -> JsonObject:
    """Return a policy document, which the types call text too: botocore decodes it (json_decode_policies)."""
    return json.loads(document) if isinstance(document, str) else document
