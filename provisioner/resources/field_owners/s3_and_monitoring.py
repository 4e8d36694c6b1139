"""Field ownership of buckets, topics, alarms, dashboards and event rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provisioner.engine.types.field_ownership import FieldOwnership, ForeignFields

BUCKET = FieldOwnership(
    ("s3 HeadBucket",),
    create_only="BucketLocationName BucketLocationType BucketRegion",
    read_only="AccessPointAlias BucketArn",
)
PUBLIC_ACCESS = FieldOwnership(("s3 GetPublicAccessBlock",), ours="PublicAccessBlockConfiguration.**")
_ENCRYPTION_RULES = "ServerSideEncryptionConfiguration.Rules"
ENCRYPTION = FieldOwnership(
    ("s3 GetBucketEncryption",),
    ours=(
        f"ServerSideEncryptionConfiguration {_ENCRYPTION_RULES} "
        f"{_ENCRYPTION_RULES}.ApplyServerSideEncryptionByDefault.**"
    ),
    unowned=f"{_ENCRYPTION_RULES}.BlockedEncryptionTypes.** {_ENCRYPTION_RULES}.BucketKeyEnabled",
)
# S3 returns the rules without `LifecycleConfiguration`, and takes them inside it.
LIFECYCLE = FieldOwnership(
    ("s3 GetBucketLifecycleConfiguration",),
    renamed="Rules.**",
    unowned="TransitionDefaultMinimumObjectSize",
)
_DELIVERY_PRINCIPAL = {"Service": "delivery.logs.amazonaws.com"}
_DELIVERY_ACTIONS = {"s3:PutObject", "s3:GetBucketAcl", "s3:ListBucket"}


def is_log_delivery_statement(statement: Mapping[str, Any]) -> bool:
    """Return whether CloudWatch Logs appended a statement to a bucket policy; its name does not prove that.

    It appends such statements when a delivery is created by a caller who may change the policy (CloudWatch
    Logs user guide, AWS-logs-infrastructure-V2-S3). A statement of this name could allow any account
    (go-to-k/cdk-real-drift#715), so it has to be for the account in the bucket's name.
    """
    if statement.get("Effect") != "Allow" or statement.get("Principal") != _DELIVERY_PRINCIPAL:
        return False
    accounts = _as_list(statement.get("Condition", {}).get("StringEquals", {}).get("aws:SourceAccount"))
    actions, resources = _as_list(statement.get("Action")), _as_list(statement.get("Resource"))
    is_for_own_account = all(f"-{account}-" in resource for account in accounts for resource in resources)
    return bool(accounts and actions and resources) and is_for_own_account and set(actions) <= _DELIVERY_ACTIONS


def _as_list(value: Any) -> list[str]:
    """Return a value of a policy statement as a list: AWS also returns a single value without a list."""
    return value if isinstance(value, list) else [value] if value else []


BUCKET_POLICY = FieldOwnership(
    ("s3 GetBucketPolicy",),
    ours="Policy",
    foreign=(ForeignFields("CloudWatch Logs", "Policy.Statement.AWSLogDelivery*", is_log_delivery_statement),),
    unowned="Policy.Id",
)
# The other attributes of a topic are not read here.
TOPIC = FieldOwnership(("sns GetTopicAttributes",), unowned="Attributes")
TOPIC_POLICY = FieldOwnership(("sns GetTopicAttributes",), renamed="Attributes", unowned="Policy.Id")
SUBSCRIPTION = FieldOwnership(("sns GetSubscriptionAttributes",), unowned="Attributes")
ALARM = FieldOwnership(
    ("cloudwatch DescribeAlarms MetricAlarms",),
    ours="ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator Dimensions.**"
    " EvaluationPeriods ExtendedStatistic MetricName Metrics.** Namespace OKActions Period Statistic"
    " Threshold ThresholdMetricId TreatMissingData Unit EvaluationCriteria.**",
    read_only="AlarmArn AlarmConfigurationUpdatedTimestamp EvaluationState StateReason StateReasonData"
    " StateTransitionedTimestamp StateUpdatedTimestamp StateValue",
    unowned="ActionConfiguration.** DatapointsToAlarm EvaluateLowSampleCountPercentile EvaluationInterval"
    " EvaluationWindow.** InsufficientDataActions WarmUpConfiguration.**",
)
DASHBOARD = FieldOwnership(("cloudwatch GetDashboard",), ours="DashboardBody DashboardName", read_only="DashboardArn")
EVENT_RULE = FieldOwnership(
    ("events DescribeRule",),
    ours="Description EventPattern Name ScheduleExpression State",
    create_only="EventBusName",
    foreign=(ForeignFields("the service that manages it", "ManagedBy"),),
    read_only="Arn CreatedBy",
    unowned="RoleArn",
)
_OTHER_TARGETS = (
    "AppSyncParameters BatchParameters EcsParameters HttpParameters KinesisParameters RedshiftDataParameters"
    " RunCommandParameters SageMakerPipelineParameters SqsParameters"
)
EVENT_TARGET = FieldOwnership(
    ("events ListTargetsByRule Targets",),
    # The message that the topic gets instead of the event.
    ours="Arn Id Input InputPath InputTransformer.**",
    unowned=" ".join(f"{key}.**" for key in _OTHER_TARGETS.split()) + " DeadLetterConfig.** RetryPolicy.** RoleArn",
)
