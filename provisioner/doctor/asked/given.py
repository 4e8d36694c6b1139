"""Reads of what the tasks get: their IAM roles, their secrets, and the KMS keys of the secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass

from provisioner.doctor.asked.tasks import definitions
from provisioner.doctor.finding import Doc, Sought
from provisioner.doctor.patient import Patient, unless

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
class Role:
    """An IAM role with its policies and its boundary; `doc` is None if the role does not exist.

    `of` says what it is for, such as "execution role".
    """

    name: str
    of: str
    doc: Doc | None = None
    policies: tuple[Doc, ...] = ()
    boundary: Doc | None = None


@dataclass(frozen=True)
class Lock:
    """A customer managed key that encrypts a secret, with its policy and tags; `arn` is the secret's ARN."""

    secret: str
    key: Doc
    policy: Doc
    tags: dict[str, str]
    arn: str = ""


def secret_arns(p: Patient) -> list[str]:
    """Return the ARNs of the secrets in the running task definitions, without a JSON key at the end."""
    named = (
        one["valueFrom"]
        for definition in definitions(p)
        for container in definition["containerDefinitions"]
        for one in container.get("secrets", [])
    )
    return list(dict.fromkeys(":".join(arn.split(":")[:7]) for arn in named if ":secretsmanager:" in arn))


def secrets(p: Patient) -> list[Sought]:
    """Return what AWS says of each secret, never its value (DescribeSecret)."""
    return [_secret(p, arn) for arn in secret_arns(p)]


def _secret(p: Patient, arn: str) -> Sought:
    """Return what AWS says of one secret."""
    manager = p.clients.client("secretsmanager")
    return Sought(f"secret {arn}", unless(_NO_SUCH, lambda: manager.describe_secret(SecretId=arn)))


def locks(p: Patient) -> list[Lock]:
    """Return the customer managed key of each secret that has one.

    It calls DescribeKey, GetKeyPolicy and ListResourceTags.
    """
    kms = p.clients.client("kms")
    found = []
    for secret in secrets(p):
        doc = secret.doc or {}
        if not doc.get("KmsKeyId"):
            continue
        key = kms.describe_key(KeyId=doc["KmsKeyId"])["KeyMetadata"]
        if key["KeyManager"] == "CUSTOMER":
            policy = json.loads(kms.get_key_policy(KeyId=key["Arn"], PolicyName="default")["Policy"])
            tags = kms.list_resource_tags(KeyId=key["Arn"])["Tags"]
            held = {one["TagKey"]: one["TagValue"] for one in tags}
            found.append(Lock(doc["Name"], key, policy, held, doc["ARN"]))
    return found


def roles(p: Patient) -> list[Role]:
    """Return the execution roles and task roles of the running task definitions, with all their policies."""
    named = {
        definition[member]: words
        for definition in definitions(p)
        for member, words in (("executionRoleArn", EXECUTION), ("taskRoleArn", "task role"))
        if member in definition
    }
    return [_role(p, arn.rpartition("/")[2], words) for arn, words in named.items()]


def _role(p: Patient, name: str, words: str) -> Role:
    """Return a role (GetRole) with its inline policies, its attached policies and its boundary."""
    iam = p.clients.client("iam")
    doc = unless(_NO_SUCH, lambda: iam.get_role(RoleName=name)["Role"])
    if doc is None:
        return Role(name, words, doc)
    own = [
        iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"]
        for one in iam.list_role_policies(RoleName=name)["PolicyNames"]
    ]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    managed = [_managed(p, one["PolicyArn"]) for one in attached]
    boundary = doc.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return Role(name, words, doc, (*own, *managed), _managed(p, boundary) if boundary else None)


def _managed(p: Patient, arn: str) -> Doc:
    """Return the default version of a managed policy (GetPolicy, GetPolicyVersion)."""
    iam = p.clients.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return dict(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
