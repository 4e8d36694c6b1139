"""The stack's own key, where it has one, and a second one where CloudFront's things live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from provisioner.engine.graph import Handle, Piece
from provisioner.engine.refs import Ref, text
from provisioner.kinds.kms import EdgeKey, Key, KeyAlias, KeyRotation
from provisioner.kinds.tagging import GLOBAL_REGION
from provisioner.names import FORMS, name_of
from provisioner.settings import Settings
from provisioner.steps.arns import arn
from provisioner.steps.facts import Facts

# KMS developer guide, "Allow key administrators to administer the KMS key".
_KEPT_BY_IAM = (
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
_USED = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
# Whose callers' own rights count (Aurora user guide, "Overview.Encryption.Keys"; DynamoDB developer guide,
# "encryption.usagenotes"; Secrets Manager user guide, "security-encryption").
_THROUGH = ("rds", "dynamodb", "secretsmanager")


@dataclass(frozen=True)
class Keys:
    """The key of each region in which the stack has something to encrypt; none where AWS's are used."""

    by_region: dict[str, Handle] = field(default_factory=dict)
    database: bool = False

    def group(self, region: str) -> dict[str, Any]:
        """What puts a log group under the key of its region."""
        return {"kmsKeyId": self.by_region[region].id} if self.by_region else {}

    def topic(self, region: str) -> dict[str, Any]:
        """What puts a topic under it."""
        return {"Attributes": {"KmsMasterKeyId": self.by_region[region].id}} if self.by_region else {}

    def secret(self, region: str) -> dict[str, Any]:
        """What puts a secret of ours under it."""
        return {"KmsKeyId": self.by_region[region].id} if self.by_region else {}

    def table(self, region: str) -> dict[str, Any]:
        """What puts a table under it."""
        key = self.table_key(region)
        return {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}} if key else {}

    def table_key(self, region: str) -> Ref | None:
        """The key that the table is under; none where it is AWS's."""
        return self.by_region[region].id if self.by_region else None

    def cluster(self, region: str) -> dict[str, Any]:
        """What puts the database under it when it is made."""
        return {"KmsKeyId": self.by_region[region].id} if self.by_region and self.database else {}


def keys(up: Piece, s: Settings, facts: Facts) -> Keys:
    """A key rests in one region: what lives with CloudFront has one there."""
    if s.encryption.key == "aws":
        return Keys()
    here = up.stack.region
    made = {here: _key(up, facts, "key", here)}
    if here != GLOBAL_REGION and (s.waf.enabled or s.alarms.enabled):
        made[GLOBAL_REGION] = _key(up, facts, "global-key", GLOBAL_REGION)
    return Keys(made, s.encryption.database)


def _key(up: Piece, facts: Facts, noun: str, region: str) -> Handle:
    elsewhere = region if region != up.stack.region else ""
    key = up(
        EdgeKey if elsewhere else Key,
        noun,
        noun=noun,
        region=elsewhere,
        Description=f"{name_of(noun, up.stack.suffix)} of {up.stack.region}",
        Policy={"Version": "2012-10-17", "Statement": list(_statements(up, facts, region))},
    )
    up(
        KeyAlias,
        f"{noun}-alias",
        region=elsewhere,
        AliasName=f"alias/{key.aws_name}",
        TargetKeyId=key.id,
    )
    up(KeyRotation, f"{noun}-rotation", region=elsewhere, KeyId=key.id, KeyRotationEnabled=True)
    return key


def _statements(up: Piece, facts: Facts, region: str) -> Iterator[dict[str, Any]]:
    """IAM says who keeps the key; it is used through the services that need it alone."""
    account = {"AWS": text("arn:{}:iam::{}:root", facts.partition, facts.account)}
    through = {"kms:ViaService": [f"{one}.{region}.amazonaws.com" for one in _THROUGH]}
    ours = {**through, "kms:CallerAccount": facts.account}
    yield _allow("Keepers", account, _KEPT_BY_IAM)
    yield _allow("Users", account, _USED, {"StringEquals": ours})
    granted = {"StringEquals": ours, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    yield _allow("Grants", account, ["kms:CreateGrant"], granted)
    groups = [
        arn(up, facts, "logs", f"log-group:{name_of(noun, up.stack.suffix)}", region)
        for noun in FORMS
        if noun.endswith("-logs")
    ]
    # CloudWatch Logs user guide, "encrypt-log-data-kms".
    logs = {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": groups}}
    yield _allow("Logs", {"Service": f"logs.{region}.amazonaws.com"}, _USED, logs)
    # SNS developer guide, "sns-key-management": for EventBridge no condition holds, and events would be lost.
    publish = ("kms:Decrypt", "kms:GenerateDataKey*")
    alarms = {"StringEquals": {"aws:SourceAccount": facts.account}}
    yield _allow("Alarms", {"Service": "cloudwatch.amazonaws.com"}, publish, alarms)
    yield _allow("Events", {"Service": "events.amazonaws.com"}, publish)


def _allow(sid: str, principal: dict[str, Any], actions: Any, condition: Any = None) -> dict[str, Any]:
    made = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return {**made, "Condition": condition} if condition else made
