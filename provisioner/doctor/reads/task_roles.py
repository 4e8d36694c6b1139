"""Reads of what the tasks get: their IAM roles, their secrets, and the KMS keys of the secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass

from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.finding import JsonObject, ReadResult
from provisioner.doctor.reads.tasks import definitions

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
_NO_SUCH = ("ResourceNotFoundException", "NoSuchEntity", "NotFoundException")
EXECUTION = "execution role"


@dataclass(frozen=True)
class TaskRole:
    """An IAM role with its policies and its boundary; `doc` is None if the role does not exist.

    `of` says what it is for, such as "execution role".
    """

    name: str
    of: str
    doc: JsonObject | None = None
    policies: tuple[JsonObject, ...] = ()
    boundary: JsonObject | None = None


@dataclass(frozen=True)
class SecretKey:
    """A customer managed key that encrypts a secret, with its policy and tags; `arn` is the secret's ARN."""

    secret: str
    key: JsonObject
    policy: JsonObject
    tags: dict[str, str]
    arn: str = ""


def secret_arns(context: DoctorContext) -> list[str]:
    """Return the ARNs of the secrets in the running task definitions, without a JSON key at the end."""
    named = (
        one["valueFrom"]
        for definition in definitions(context)
        for container in definition["containerDefinitions"]
        for one in container.get("secrets", [])
    )
    return list(dict.fromkeys(":".join(arn.split(":")[:7]) for arn in named if ":secretsmanager:" in arn))


def secrets(context: DoctorContext) -> list[ReadResult]:
    """Return what AWS says of each secret, never its value (DescribeSecret)."""
    return [_secret(context, arn) for arn in secret_arns(context)]


def _secret(context: DoctorContext, arn: str) -> ReadResult:
    """Return what AWS says of one secret."""
    manager = context.clients.client("secretsmanager")
    return ReadResult(f"secret {arn}", default_on_codes(_NO_SUCH, lambda: manager.describe_secret(SecretId=arn)))


def secret_keys(context: DoctorContext) -> list[SecretKey]:
    """Return the customer managed key of each secret that has one.

    It calls DescribeKey, GetKeyPolicy and ListResourceTags.
    """
    kms = context.clients.client("kms")
    found = []
    for secret in secrets(context):
        doc = secret.actual or {}
        if not doc.get("KmsKeyId"):
            continue
        key = kms.describe_key(KeyId=doc["KmsKeyId"])["KeyMetadata"]
        if key["KeyManager"] == "CUSTOMER":
            policy = json.loads(kms.get_key_policy(KeyId=key["Arn"], PolicyName="default")["Policy"])
            tags = kms.list_resource_tags(KeyId=key["Arn"])["Tags"]
            held = {one["TagKey"]: one["TagValue"] for one in tags}
            found.append(SecretKey(doc["Name"], key, policy, held, doc["ARN"]))
    return found


def roles(context: DoctorContext) -> list[TaskRole]:
    """Return the execution roles and task roles of the running task definitions, with all their policies."""
    named = {
        definition[member]: words
        for definition in definitions(context)
        for member, words in (("executionRoleArn", EXECUTION), ("taskRoleArn", "task role"))
        if member in definition
    }
    return [_role(context, arn.rpartition("/")[2], words) for arn, words in named.items()]


def _role(context: DoctorContext, name: str, words: str) -> TaskRole:
    """Return a role (GetRole) with its inline policies, its attached policies and its boundary."""
    iam = context.clients.client("iam")
    doc = default_on_codes(_NO_SUCH, lambda: iam.get_role(RoleName=name)["Role"])
    if doc is None:
        return TaskRole(name, words, doc)
    own = [
        iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    managed = [_managed(context, one["PolicyArn"]) for one in attached]
    boundary = doc.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return TaskRole(name, words, doc, (*own, *managed), _managed(context, boundary) if boundary else None)


def _managed(context: DoctorContext, arn: str) -> JsonObject:
    """Return the default version of a managed policy (GetPolicy, GetPolicyVersion)."""
    iam = context.clients.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return dict(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
