"""The AWS services that are called, each with the types of its operations, parameters and answers.

`clients.client(EC2)` returns the client of EC2. A misspelt operation, parameter or member is an error of mypy: the
types are those of `types-boto3`, which are generated from botocore's models and installed for development only.
"""

# ruff: noqa: N803 - AWS spells its parameters so

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from provisioner.engine.calls.clients import Client

if TYPE_CHECKING:
    from types_boto3_acm.client import ACMClient
    from types_boto3_application_autoscaling.client import ApplicationAutoScalingClient
    from types_boto3_backup.client import BackupClient
    from types_boto3_cloudfront.client import CloudFrontClient
    from types_boto3_cloudwatch.client import CloudWatchClient
    from types_boto3_dynamodb.client import DynamoDBClient
    from types_boto3_ec2.client import EC2Client
    from types_boto3_ecr.client import ECRClient
    from types_boto3_ecs.client import ECSClient
    from types_boto3_elbv2.client import ElasticLoadBalancingv2Client
    from types_boto3_events.client import EventBridgeClient
    from types_boto3_iam.client import IAMClient
    from types_boto3_kms.client import KMSClient
    from types_boto3_logs.client import CloudWatchLogsClient
    from types_boto3_pricing.client import PricingClient
    from types_boto3_pricing_plan_manager.client import PricingPlanManagerClient
    from types_boto3_rds.client import RDSClient
    from types_boto3_resourcegroupstaggingapi.client import ResourceGroupsTaggingAPIClient
    from types_boto3_route53.client import Route53Client
    from types_boto3_s3.client import S3Client
    from types_boto3_secretsmanager.client import SecretsManagerClient
    from types_boto3_service_quotas.client import ServiceQuotasClient
    from types_boto3_sns.client import SNSClient
    from types_boto3_ssm.client import SSMClient
    from types_boto3_wafv2.client import WAFV2Client
else:  # the types are not installed where the program runs
    ACMClient = object
    ApplicationAutoScalingClient = object
    BackupClient = object
    CloudFrontClient = object
    CloudWatchClient = object
    DynamoDBClient = object
    EC2Client = object
    ECRClient = object
    ECSClient = object
    ElasticLoadBalancingv2Client = object
    EventBridgeClient = object
    IAMClient = object
    KMSClient = object
    CloudWatchLogsClient = object
    PricingClient = object
    PricingPlanManagerClient = object
    RDSClient = object
    ResourceGroupsTaggingAPIClient = object
    Route53Client = object
    S3Client = object
    SecretsManagerClient = object
    ServiceQuotasClient = object
    SNSClient = object
    SSMClient = object
    WAFV2Client = object


class ACM(Client, ACMClient):
    """ACM."""

    service_name = "acm"


class ApplicationAutoScaling(Client, ApplicationAutoScalingClient):
    """Application Auto Scaling."""

    service_name = "application-autoscaling"


class Backup(Client, BackupClient):
    """AWS Backup."""

    service_name = "backup"


class CloudFront(Client, CloudFrontClient):
    """CloudFront."""

    service_name = "cloudfront"


class CloudWatch(Client, CloudWatchClient):
    """CloudWatch."""

    service_name = "cloudwatch"


class DynamoDB(Client, DynamoDBClient):
    """DynamoDB."""

    service_name = "dynamodb"


class EC2(Client, EC2Client):
    """EC2."""

    service_name = "ec2"


class ECR(Client, ECRClient):
    """ECR."""

    service_name = "ecr"


class ECS(Client, ECSClient):
    """ECS."""

    service_name = "ecs"


class ELBV2(Client, ElasticLoadBalancingv2Client):
    """Elastic Load Balancing."""

    service_name = "elbv2"


class EventBridge(Client, EventBridgeClient):
    """EventBridge."""

    service_name = "events"


class IAM(Client, IAMClient):
    """IAM."""

    service_name = "iam"


class KMS(Client, KMSClient):
    """KMS."""

    service_name = "kms"


class CloudWatchLogs(Client, CloudWatchLogsClient):
    """CloudWatch Logs."""

    service_name = "logs"


class PriceList(Client, PricingClient):
    """The price list."""

    service_name = "pricing"


class PricingPlanManager(Client, PricingPlanManagerClient):
    """CloudFront's pricing plans."""

    service_name = "pricing-plan-manager"


class RDS(Client, RDSClient):
    """RDS."""

    service_name = "rds"


class ResourceGroupsTagging(Client, ResourceGroupsTaggingAPIClient):
    """The index of tags."""

    service_name = "resourcegroupstaggingapi"


class Route53(Client, Route53Client):
    """Route 53."""

    service_name = "route53"

    if TYPE_CHECKING:
        # Newer than the types (types-boto3-route53 1.43.0): botocore 1.44.2 brought them.
        def list_resource_record_set_protections(self, *, HostedZoneId: str) -> dict[str, list[dict[str, str]]]:
            """Return the protections of a zone as `{"ResourceRecordSetProtections": [...]}`."""

        def delete_resource_record_set_protections(
            self, *, HostedZoneId: str, Protections: Sequence[Mapping[str, str]]
        ) -> dict[str, Any]:
            """Remove protections, each given by `RecordName` and `RecordType`."""


class S3(Client, S3Client):
    """S3."""

    service_name = "s3"


class SecretsManager(Client, SecretsManagerClient):
    """Secrets Manager."""

    service_name = "secretsmanager"


class ServiceQuotas(Client, ServiceQuotasClient):
    """Service Quotas."""

    service_name = "service-quotas"


class SNS(Client, SNSClient):
    """SNS."""

    service_name = "sns"


class SSM(Client, SSMClient):
    """Systems Manager."""

    service_name = "ssm"


class WAFV2(Client, WAFV2Client):
    """AWS WAF."""

    service_name = "wafv2"
