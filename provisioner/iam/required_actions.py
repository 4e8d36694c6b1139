"""The further IAM permissions that a call needs, in tables: tagging, passing roles, the use of keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

# The parameters that pass a role to a service, and that service (iam:PassedToService; IAM user guide, "Grant
# a user permissions to pass a role to an AWS service", and the guide of each service).
PASSED_ROLES: Mapping[str, Mapping[str, str]] = {
    "ec2:CreateFlowLogs": {"DeliverLogsPermissionArn": "vpc-flow-logs.amazonaws.com"},
    "ecs:RegisterTaskDefinition": {
        "executionRoleArn": "ecs-tasks.amazonaws.com",
        "taskRoleArn": "ecs-tasks.amazonaws.com",
    },
    "rds:CreateDBInstance": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "rds:ModifyDBInstance": {"MonitoringRoleArn": "monitoring.rds.amazonaws.com"},
    "events:PutTargets": {"Targets.*.RoleArn": "events.amazonaws.com"},
}
# The permissions for a password that RDS manages (Aurora user guide, "Permissions required for Secrets
# Manager integration").
MANAGED_PASSWORD_ACTIONS = ("secretsmanager:CreateSecret", "secretsmanager:TagResource", "kms:DescribeKey")

# A further action, and the parameter that holds the ARN of its resource, by the action of the call
# (CloudFront developer guide, standard logging v2, "Permissions").
ACTIONS_ON_NAMED: Mapping[str, tuple[str, str]] = {
    "logs:PutDeliverySource": ("cloudfront:AllowVendedLogDeliveryForResource", "resourceArn")
}
# IAM evaluates these on "*", whichever resource the call names: it has no resource type for a subscription
# (danilop/yas3fs#57).
UNSCOPED_ACTIONS = frozenset({"sns:Unsubscribe"})
# A call that puts managed rule groups of AWS into a web ACL needs the same action on those groups
# (aws-samples/amazon-cloudfront-waf-secretsmanager#3).
RULE_GROUP_ACTIONS = ("wafv2:CreateWebACL", "wafv2:UpdateWebACL")
_RULE_GROUPS_PATH = "Rules.*.Statement.ManagedRuleGroupStatement"
# Further actions, all on "*" (WAF developer guide, "Permissions for logging a web ACL's traffic to CloudWatch
# Logs": they apply to the log groups and resource policies of the whole account).
ACTIONS_ON_ALL: Mapping[str, tuple[str, ...]] = {
    # CloudFront developer guide, "AWS managed policies": the part of CloudFrontFullAccess for VPC origins.
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


class KeyUse(NamedTuple):
    """Actions on the KMS key at `path` of a call's parameters, used through one service (kms:ViaService)."""

    path: str
    service: str
    actions: tuple[str, ...]


_SECRET_KEY_USE = KeyUse("KmsKeyId", "secretsmanager", ("Decrypt", "Encrypt", "GenerateDataKey"))
_TABLE_KEY_USE = KeyUse(
    "SSESpecification.KMSMasterKeyId",
    "dynamodb",
    ("CreateGrant", "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"),
)
# DynamoDB developer guide, "encryption.usagenotes"; Aurora user guide, "Overview.Encryption.Keys" and
# "rds-secrets-manager": RDS creates the secret with the caller's permissions; Secrets Manager user guide,
# "security-encryption".
KEY_USES: Mapping[str, tuple[KeyUse, ...]] = {
    "dynamodb:CreateTable": (_TABLE_KEY_USE,),
    "dynamodb:UpdateTable": (_TABLE_KEY_USE,),
    "rds:CreateDBCluster": (
        KeyUse("KmsKeyId", "rds", ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey")),
        KeyUse("MasterUserSecretKmsKeyId", "secretsmanager", ("CreateGrant", "Decrypt", "GenerateDataKey")),
    ),
    "secretsmanager:CreateSecret": (_SECRET_KEY_USE,),
    "secretsmanager:UpdateSecret": (_SECRET_KEY_USE,),
}
# Resource types for which AWS uses a default resource if the call omits this parameter; IAM evaluates the
# default, too (Aurora user guide, "Permission policies to create, modify and, delete resources").
DEFAULT_RESOURCES: Mapping[tuple[str, str], str] = {
    ("rds:CreateDBCluster", "og"): "OptionGroupName",
    ("rds:CreateDBInstance", "og"): "OptionGroupName",
    ("rds:CreateDBInstance", "pg"): "DBParameterGroupName",
}
# IAM resource types that lie inside another one and are not managed by themselves: type, containing type.
CONTAINING_TYPES: Mapping[tuple[str, str], str] = {("s3", "object"): "bucket"}


class AlsoRequired(NamedTuple):
    """Further actions on the same resources, needed by a call that has a value at `path` of its parameters.

    `is_declared` says that the properties of a declared resource have the same path, so they tell whether the
    actions are needed.
    """

    path: str
    actions: tuple[str, ...]
    is_declared: bool


# S3 API reference, DeleteObjects, "Permissions"; service authorization reference, RDS, dependent actions.
ALSO_REQUIRED: Mapping[str, AlsoRequired] = {
    "s3:DeleteObject": AlsoRequired("Delete.Objects.*.VersionId", ("s3:DeleteObjectVersion",), is_declared=False),
    "rds:DeleteDBCluster": AlsoRequired(
        "FinalDBSnapshotIdentifier", ("rds:AddTagsToResource", "rds:CreateDBClusterSnapshot"), is_declared=True
    ),
}
# With private DNS names, AWS associates a hosted zone of its own with the VPC (service authorization
# reference, Amazon EC2, dependent actions of CreateVpcEndpoint; IAM evaluates the zone and the VPC).
PRIVATE_DNS_ACTIONS: Mapping[str, tuple[str, str]] = {
    "ec2:CreateVpcEndpoint": ("PrivateDnsEnabled", "route53:AssociateVPCWithHostedZone")
}
# Application Auto Scaling checks the permissions of a caller who lets it scale a service: to describe and
# update the service, and to create and delete alarms without naming one (its user guide, "Permissions
# validation for API calls on target resources"; the requests that IAM evaluates then:
# aws-samples/amazon-cloudwatch-auto-alarms#18).
_VALIDATING_ACTIONS = ("application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget")
_NO_ALARM, _ALL_ALARMS = "alarm:", "alarm:*"
_VALIDATED_ALARM_ACTIONS = {
    "cloudwatch:DeleteAlarms": _NO_ALARM,
    "cloudwatch:DescribeAlarms": _ALL_ALARMS,
    "cloudwatch:PutMetricAlarm": _NO_ALARM,
}
_VALIDATED_SERVICE_ACTIONS = ("ecs:DescribeServices", "ecs:UpdateService")
# The condition keys for the record names of a change batch and for its actions (Route 53 developer guide,
# "Using IAM policy conditions for fine-grained access control": names in lower case, without the last dot).
RECORD_NAMES_KEY = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
RECORD_ACTIONS_KEY = "route53:ChangeResourceRecordSetsActions"
# Reading a secret decrypts it with its key.
GET_SECRET, DECRYPT, DECRYPTED_THROUGH = "secretsmanager:GetSecretValue", "kms:Decrypt", "secretsmanager"
# Resource types that IAM evaluates only if the call sets this parameter: a cluster may be deleted without a
# final snapshot.
EVALUATED_IF_NAMED: Mapping[tuple[str, str], str] = {
    ("rds:DeleteDBCluster", "cluster-snapshot"): "FinalDBSnapshotIdentifier"
}


def via_service(service: str, region: str) -> str:
    """Return the name of a service as the condition key kms:ViaService has it."""
    return f"{service}.{region}.amazonaws.com"


def managed_rule_groups_arn(action: str, params: Mapping[str, Any], location: Mapping[str, str]) -> str:
    """Return an ARN for the managed rule groups that a call puts into a web ACL; "" if it puts none."""
    names_groups = action in RULE_GROUP_ACTIONS and any(values_at(params, _RULE_GROUPS_PATH.split(".")))
    template = "arn:{Partition}:wafv2:{Region}:{Account}:global/managedruleset/*"
    return template.format_map(location) if names_groups else ""


def validated_actions(action: str, services: Iterable[str], location: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the actions, each with its ARN, that Application Auto Scaling checks before it accepts an action.

    Yield nothing for the actions of other services.
    """
    if action not in _VALIDATING_ACTIONS:
        return
    for required, alarm_name in _VALIDATED_ALARM_ACTIONS.items():
        yield required, "arn:{Partition}:cloudwatch:{Region}:{Account}:".format_map(location) + alarm_name
    for service in services:
        yield from ((required, service) for required in _VALIDATED_SERVICE_ACTIONS)


def normalized_record_name(name: str) -> str:
    """Return the name of a record as IAM's condition keys have it."""
    return name.rstrip(".").lower()


def values_at(value: Any, path: list[str]) -> Iterator[Any]:
    """Yield every value at a path in nested parameters; "*" in the path stands for each item of a list."""
    if not path:
        yield value
    elif path[0] == "*":
        for item in value or []:
            yield from values_at(item, path[1:])
    elif isinstance(value, Mapping) and value.get(path[0]):
        yield from values_at(value[path[0]], path[1:])
