"""The stack's KMS key, and a second one in us-east-1 for the resources that live there with CloudFront."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.resource_graph.graph import ResourceHandle, Step
from provisioner.engine.resource_graph.references import Ref, interpolate
from provisioner.names import NAME_TEMPLATES, name_of
from provisioner.resources.kms import EdgeKey, Key, KeyAlias, KeyRotation
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.settings import Settings
from provisioner.steps.account import arn
from provisioner.steps.lookups import StackLookups

# KMS developer guide, "Allow key administrators to administer the KMS key".
_ADMIN_ACTIONS = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
_USE_ACTIONS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
# Services that use the key with their caller's rights (Aurora user guide, "Overview.Encryption.Keys";
# DynamoDB developer guide, "encryption.usagenotes"; Secrets Manager user guide, "security-encryption").
_CALLER_SERVICES = ("rds", "dynamodb", "secretsmanager")


@dataclass(frozen=True)
class Keys:
    """The stack's KMS key in each region with something to encrypt; empty if AWS's own keys are used."""

    by_region: dict[str, ResourceHandle] = field(default_factory=dict)
    encrypts_database: bool = False

    def log_group_encryption(self, region: str) -> dict[str, Any]:
        """Return the property that encrypts a log group with the key of its region."""
        return {"kmsKeyId": self.by_region[region].id} if self.by_region else {}

    def topic_encryption(self, region: str) -> dict[str, Any]:
        """Return the property that encrypts a topic with the key."""
        return {"Attributes": {"KmsMasterKeyId": self.by_region[region].id}} if self.by_region else {}

    def secret_encryption(self, region: str) -> dict[str, Any]:
        """Return the property that encrypts a secret with the key."""
        return {"KmsKeyId": self.by_region[region].id} if self.by_region else {}

    def table_encryption(self, region: str) -> dict[str, Any]:
        """Return the property that encrypts a table with the key."""
        key = self.table_key(region)
        return {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}} if key else {}

    def table_key(self, region: str) -> Ref | None:
        """Return the key that encrypts the table; None if AWS's own key does."""
        return self.by_region[region].id if self.by_region else None

    def cluster_encryption(self, region: str) -> dict[str, Any]:
        """Return the property that encrypts a new database with the key, if the settings ask for it."""
        return {"KmsKeyId": self.by_region[region].id} if self.by_region and self.encrypts_database else {}


def declare_keys(step: Step, settings: Settings, lookups: StackLookups) -> Keys:
    """Declare the stack's keys.

    A key belongs to one region, so what lives in us-east-1 (the firewall's log, its alarms) has a key there.
    """
    if settings.encryption.key == "aws":
        return Keys()
    region = step.stack.region
    by_region = {region: _declare_key(step, lookups, "key", region)}
    if region != GLOBAL_REGION and settings.waf.enabled and (settings.waf.logs or settings.alarms.enabled):
        by_region[GLOBAL_REGION] = _declare_key(step, lookups, "global-key", GLOBAL_REGION)
    return Keys(by_region, settings.encryption.database)


def _declare_key(step: Step, lookups: StackLookups, noun: str, region: str) -> ResourceHandle:
    """Declare a key with its alias and its yearly rotation."""
    other_region = region if region != step.stack.region else ""
    key = step(
        EdgeKey if other_region else Key,
        noun,
        noun=noun,
        region=other_region,
        Description=f"{name_of(noun, step.stack.suffix)} of {step.stack.region}",
        Policy={"Version": "2012-10-17", "Statement": list(_policy_statements(step, lookups, region))},
    )
    step(KeyAlias, f"{noun}-alias", region=other_region, AliasName=f"alias/{key.aws_name}", TargetKeyId=key.id)
    step(KeyRotation, f"{noun}-rotation", region=other_region, KeyId=key.id, KeyRotationEnabled=True)
    return key


def _policy_statements(step: Step, lookups: StackLookups, region: str) -> Iterator[dict[str, Any]]:
    """Yield the key policy: IAM decides who manages the key, and services use it for the account."""
    account = {"AWS": interpolate("arn:{}:iam::{}:root", lookups.partition, lookups.account)}
    through = {"kms:ViaService": [f"{service}.{region}.amazonaws.com" for service in _CALLER_SERVICES]}
    from_account = {**through, "kms:CallerAccount": lookups.account}
    yield _allow("Keepers", account, _ADMIN_ACTIONS)
    yield _allow("Users", account, _USE_ACTIONS, {"StringEquals": from_account})
    grant_condition = {"StringEquals": from_account, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    yield _allow("Grants", account, ["kms:CreateGrant"], grant_condition)
    groups = [
        arn(step, lookups, "logs", f"log-group:{name_of(noun, step.stack.suffix)}", region)
        for noun in NAME_TEMPLATES
        if noun.endswith("-logs")
    ]
    # CloudWatch Logs user guide, "encrypt-log-data-kms".
    log_condition = {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": groups}}
    yield _allow("Logs", {"Service": f"logs.{region}.amazonaws.com"}, _USE_ACTIONS, log_condition)
    # SNS developer guide, "sns-key-management": with a condition on EventBridge, its events would be lost.
    publish_actions = ("kms:Decrypt", "kms:GenerateDataKey*")
    alarm_condition = {"StringEquals": {"aws:SourceAccount": lookups.account}}
    yield _allow("Alarms", {"Service": "cloudwatch.amazonaws.com"}, publish_actions, alarm_condition)
    yield _allow("Events", {"Service": "events.amazonaws.com"}, publish_actions)


def _allow(sid: str, principal: dict[str, Any], actions: Any, condition: Any = None) -> dict[str, Any]:
    """Return a statement of the key policy."""
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return {**statement, "Condition": condition} if condition else statement
