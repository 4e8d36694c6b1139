"""What IAM wants for a call besides the right to make it: to give tags, to pass a role, to keep a secret."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

# The action that gives tags to what a call makes, by prefix; of IAM, by the call itself
# (service authorization reference, dependent actions; "granting permission to tag resources during creation"
# of each service).
TAGGING: Mapping[str, str] = {
    "acm": "AddTagsToCertificate",
    "application-autoscaling": "TagResource",
    "cloudfront": "TagResource",
    "cloudwatch": "TagResource",
    "dynamodb": "TagResource",
    "ec2": "CreateTags",
    "ecs": "TagResource",
    "elasticloadbalancing": "AddTags",
    "events": "TagResource",
    "iam:CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
    "iam:CreatePolicy": "TagPolicy",
    "iam:CreateRole": "TagRole",
    "kms": "TagResource",
    "logs": "TagResource",
    "rds": "AddTagsToResource",
    "s3": "TagResource",
    "secretsmanager": "TagResource",
    "sns": "TagResource",
    "wafv2": "TagResource",
}
# The parameters that pass a role on, and to whom (iam:PassedToService; IAM user guide, "Grant a user
# permissions to pass a role to an AWS service", and the guide of each service).
PASSES: Mapping[str, Mapping[str, str]] = {
    "ec2:CreateFlowLogs": {"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    "ecs:RegisterTaskDefinition": {
        "executionRoleArn": "ecs-tasks.amazonaws.com",
        "taskRoleArn": "ecs-tasks.amazonaws.com",
    },
    "rds:CreateDBInstance": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "rds:ModifyDBInstance": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "events:PutTargets": {"Targets.*.RoleArn": "events.amazonaws.com"},
}
# Aurora user guide, "Permissions required for Secrets Manager integration": for a password that RDS manages.
MANAGED_PASSWORD = ("secretsmanager:CreateSecret", "secretsmanager:TagResource", "kms:DescribeKey")

# What a call is to be allowed on a thing that it names, by the parameter that names it: CloudFront developer
# guide, standard logging v2, "Permissions".
ON_NAMED: Mapping[str, tuple[str, str]] = {
    "logs:PutDeliverySource": ("cloudfront:AllowVendedLogDeliveryForResource", "resourceArn"),
}
# Asked of all of a type, whichever one is meant: no resource of IAM's is a subscription (danilop/yas3fs#57).
OF_ALL = frozenset({"sns:Unsubscribe"})
# Who puts AWS's own groups of rules into a list is asked for the same action on those
# (aws-samples/amazon-cloudfront-waf-secretsmanager#3).
WITH_GROUPS = ("wafv2:CreateWebACL", "wafv2:UpdateWebACL")
_GROUPS = "Rules.*.Statement.ManagedRuleGroupStatement"
# WAF developer guide, "Permissions for logging a web ACL's traffic to CloudWatch Logs": none takes a resource
# but the groups and policies of the whole account.
BESIDES: Mapping[str, tuple[str, ...]] = {
    # CloudFront developer guide, "AWS managed policies": what CloudFrontFullAccess has for VPC origins.
    "cloudfront:CreateVpcOrigin": (
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "elasticloadbalancing:DescribeLoadBalancers",
    ),
    "wafv2:PutLoggingConfiguration": (
        "logs:CreateLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
    ),
    "wafv2:DeleteLoggingConfiguration": ("logs:DeleteLogDelivery",),
}


class UnderKey(NamedTuple):
    """What is allowed on a key that a call names at a path, through one service (kms:ViaService)."""

    path: str
    through: str
    actions: tuple[str, ...]


_SECRET_KEY = UnderKey("KmsKeyId", "secretsmanager", ("Decrypt", "Encrypt", "GenerateDataKey"))
_TABLE_KEY = UnderKey(
    "SSESpecification.KMSMasterKeyId",
    "dynamodb",
    ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
)
# DynamoDB developer guide, "encryption.usagenotes"; Aurora user guide, "Overview.Encryption.Keys" and
# "rds-secrets-manager": RDS makes the secret in the caller's name; Secrets Manager user guide,
# "security-encryption".
UNDER_KEY: Mapping[str, tuple[UnderKey, ...]] = {
    "dynamodb:CreateTable": (_TABLE_KEY,),
    "dynamodb:UpdateTable": (_TABLE_KEY,),
    "rds:CreateDBCluster": (
        UnderKey("KmsKeyId", "rds", ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey")),
        UnderKey("MasterUserSecretKmsKeyId", "secretsmanager", ("CreateGrant", "Decrypt", "GenerateDataKey")),
    ),
    "secretsmanager:CreateSecret": (_SECRET_KEY,),
    "secretsmanager:UpdateSecret": (_SECRET_KEY,),
}
# What AWS takes of its own where a call names none, by the parameter that would: IAM is asked about it, too
# (Aurora user guide, "Permission policies to create, modify and, delete resources").
DEFAULTS: Mapping[tuple[str, str], str] = {
    ("rds:CreateDBCluster", "og"): "OptionGroupName",
    ("rds:CreateDBInstance", "og"): "OptionGroupName",
    ("rds:CreateDBInstance", "pg"): "DBParameterGroupName",
}
# What lies in a resource, and is none of its own to the tool: by its type, the type that it lies in.
LIES_IN: Mapping[tuple[str, str], str] = {("s3", "object"): "bucket"}


class Too(NamedTuple):
    """What is asked of the same resources as a call, where it names something at a path.

    `declared` says that a node's properties tell it, too.
    """

    path: str
    actions: tuple[str, ...]
    declared: bool


# S3 API reference, DeleteObjects, "Permissions"; service authorization reference, RDS, dependent actions.
TOO: Mapping[str, Too] = {
    "s3:DeleteObject": Too("Delete.Objects.*.VersionId", ("s3:DeleteObjectVersion",), declared=False),
    "rds:DeleteDBCluster": Too(
        "FinalDBSnapshotIdentifier",
        ("rds:AddTagsToResource", "rds:CreateDBClusterSnapshot"),
        declared=True,
    ),
}
# With private names an endpoint brings a zone of AWS's own into the VPC (service authorization reference,
# Amazon EC2, dependent actions of CreateVpcEndpoint; IAM is asked about zone and VPC).
PRIVATE_NAMES: Mapping[str, tuple[str, str]] = {
    "ec2:CreateVpcEndpoint": ("PrivateDnsEnabled", "route53:AssociateVPCWithHostedZone")
}
# Who has a service scaled is tried by Application Auto Scaling, in the caller's name: whether the service may
# be asked and changed, and alarms made and deleted, without naming one (its user guide, "Permissions
# validation for API calls on target resources"; what IAM is asked then:
# aws-samples/amazon-cloudwatch-auto-alarms#18).
TRIES = ("application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget")
_NO_ALARM, _ALL_ALARMS = "alarm:", "alarm:*"
_TRIED = {
    "cloudwatch:DeleteAlarms": _NO_ALARM,
    "cloudwatch:DescribeAlarms": _ALL_ALARMS,
    "cloudwatch:PutMetricAlarm": _NO_ALARM,
}
_TRIED_ON_SERVICE = ("ecs:DescribeServices", "ecs:UpdateService")
# Which records of a zone a change is about, and what it does to them (Route 53 developer guide, "Using IAM
# policy conditions for fine-grained access control"): a name is in lower case there, without its last dot.
RECORDS = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
CHANGES = "route53:ChangeResourceRecordSetsActions"
# Who reads a secret opens it.
OPENS, OPENING, OPENED_BY = "secretsmanager:GetSecretValue", "kms:Decrypt", "secretsmanager"
# Concerned only where the call names one: a cluster may end without a last snapshot.
IF_NAMED: Mapping[tuple[str, str], str] = {
    ("rds:DeleteDBCluster", "cluster-snapshot"): "FinalDBSnapshotIdentifier"
}


def via(service: str, region: str) -> str:
    """A service as kms:ViaService names it."""
    return f"{service}.{region}.amazonaws.com"


def on_groups(action: str, params: Mapping[str, Any], place: Mapping[str, str]) -> str:
    """The groups of rules that a call puts into a web ACL, as an ARN; "" where it puts none."""
    named = action in WITH_GROUPS and any(dug(params, _GROUPS.split(".")))
    form = "arn:{Partition}:wafv2:{Region}:{Account}:global/managedruleset/*"
    return form.format_map(place) if named else ""


def tried(action: str, services: Iterable[str], place: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is tried before an action, and on what; nothing before most."""
    if action not in TRIES:
        return
    for name, alarm in _TRIED.items():
        yield name, "arn:{Partition}:cloudwatch:{Region}:{Account}:".format_map(place) + alarm
    for service in services:
        yield from ((name, service) for name in _TRIED_ON_SERVICE)


def record_name(name: str) -> str:
    """A record's name as IAM is told it."""
    return name.rstrip(".").lower()


def tagging_action(action: str) -> str:
    """The action that gives tags to what another one makes, "" where none is needed."""
    prefix = action.split(":", 1)[0]
    short = TAGGING.get(action) or TAGGING.get(prefix, "")
    return f"{prefix}:{short}" if short else ""


def dug(value: Any, path: list[str]) -> Iterator[Any]:
    """What stands at a path, a star standing for each member of a list."""
    if not path:
        yield value
    elif path[0] == "*":
        for one in value or []:
            yield from dug(one, path[1:])
    elif isinstance(value, Mapping) and value.get(path[0]):
        yield from dug(value[path[0]], path[1:])
