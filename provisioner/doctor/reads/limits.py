"""Reads of CloudWatch metrics of the last hour, of Fargate's quotas, and of the firewall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisioner.doctor.check import JsonObject, NotApplicable, NotChecked
from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.reads.balancer import read_balancer
from provisioner.doctor.reads.edge import read_distribution
from provisioner.doctor.reads.tasks import read_services, read_task_definitions
from provisioner.health import cloudwatch as cloudwatch_metrics
from provisioner.health.cloudwatch import Metric, read_metrics
from provisioner.resources.tags import GLOBAL_REGION
from provisioner.service_clients import WAFV2, ServiceQuotas

# The calls of this module by service; `policy` grants them.
CALLS = {
    **cloudwatch_metrics.CALLS,
    "service-quotas": ("GetServiceQuota",),
    "wafv2": ("GetWebACL", "GetSampledRequests"),
}
# The quota codes of Fargate's vCPUs in Service Quotas, by capacity provider.
QUOTA_CODES = {"FARGATE": "L-3032A538", "FARGATE_SPOT": "L-36FBB829"}
_NO_SUCH_QUOTA = ("NoSuchResourceException",)
_HOUR, _PERIOD = timedelta(hours=1), 300
_SAMPLES = 5


@dataclass(frozen=True)
class Quota:
    """A quota of the account in vCPUs, how much of it is used, and how much one more task needs."""

    provider: str
    limit: float
    used: float
    per_task: float


@dataclass(frozen=True)
class Firewall:
    """How many requests a web ACL allowed and blocked (by rule) in the last hour, with some blocked ones."""

    name: str
    allowed: float
    blocked: Mapping[str, float]
    samples: tuple[JsonObject, ...] = ()


def read_fargate_quotas(context: DoctorContext) -> list[Quota]:
    """Return the Fargate quotas that the services need, with their use by AWS's own metric (GetServiceQuota).

    Raises:
        NotChecked: Service Quotas knows none of them.

    """
    strategies = [service.get("capacityProviderStrategy", []) for service in read_services(context)]
    items = [item for strategy in strategies for item in strategy]
    used_providers = {item["capacityProvider"] for item in items if item.get("weight") or item.get("base")}
    vcpus = (int(definition["cpu"]) / 1024 for definition in read_task_definitions(context))
    per_task = max(vcpus, default=0.0)
    quotas = [_read_quota(context, provider, per_task) for provider in QUOTA_CODES if provider in used_providers]
    known = [quota for quota in quotas if quota]
    if not known:
        raise NotChecked("Service Quotas tells none of Fargate's limits")
    return known


def _read_quota(context: DoctorContext, provider: str, per_task: float) -> Quota | None:
    """Return one quota and its use; None if Service Quotas does not know it, or names no metric for it."""
    request = {"ServiceCode": "fargate", "QuotaCode": QUOTA_CODES[provider]}
    service_quotas = context.clients.client(ServiceQuotas)
    quota = default_on_codes(_NO_SUCH_QUOTA, lambda: service_quotas.get_service_quota(**request)["Quota"])
    usage_metric = (quota or {}).get("UsageMetric")
    if quota is None or not usage_metric:
        return None
    namespace, name = usage_metric["MetricNamespace"], usage_metric["MetricName"]
    metric = Metric(namespace, name, usage_metric["MetricDimensions"], "Maximum")
    (values,) = read_metrics(context.clients, [metric], _window_end(context), _HOUR, _PERIOD)
    return Quota(provider, float(quota["Value"]), values[0] if values else 0.0, per_task)


def _window_end(context: DoctorContext) -> float:
    """Return the end of the time window: equal for all reads within a period, so they share one answer."""
    return context.now // _PERIOD * _PERIOD + _PERIOD


def read_stack_metrics(context: DoctorContext) -> dict[str, list[float]]:
    """Return the stack's metrics that show refusals, by a word for each, newest first (GetMetricData)."""
    table, cluster = {"TableName": context.aws_name("sessions")}, {"DBClusterIdentifier": context.aws_name("aurora")}
    arn = str(read_balancer(context).found["LoadBalancerArn"])
    alb = {"LoadBalancer": arn.partition(":loadbalancer/")[2]}
    metrics = {
        "reads": Metric("AWS/DynamoDB", "ReadThrottleEvents", table, "Sum"),
        "writes": Metric("AWS/DynamoDB", "WriteThrottleEvents", table, "Sum"),
        "capacity": Metric("AWS/RDS", "ACUUtilization", cluster, "Average"),
        "requests": Metric("AWS/ApplicationELB", "RequestCount", alb, "Sum"),
        "refused": Metric("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", alb, "Sum"),
        "failed": Metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", alb, "Sum"),
    }
    values = read_metrics(context.clients, list(metrics.values()), _window_end(context), _HOUR, _PERIOD)
    return dict(zip(metrics, values, strict=True))


def read_firewall(context: DoctorContext) -> Firewall:
    """Return the counts of the web ACL, and if it blocks requests, samples from the rule that blocks most.

    It calls GetWebACL, GetMetricData and GetSampledRequests.

    Raises:
        NotApplicable: CloudFront has no web ACL.

    """
    arn = read_distribution(context).found.get("WebACLId", "")
    if not arn:
        raise NotApplicable("CloudFront has no firewall")
    waf = context.clients.client(WAFV2, GLOBAL_REGION)
    name, id_ = arn.split("/")[-2:]
    acl = waf.get_web_acl(Name=name, Scope="CLOUDFRONT", Id=id_)["WebACL"]
    acl_metric = acl["VisibilityConfig"]["MetricName"]
    rules = [rule["VisibilityConfig"]["MetricName"] for rule in acl["Rules"]]
    metrics = [Metric("AWS/WAFV2", "AllowedRequests", {"WebACL": acl_metric, "Rule": "ALL"}, "Sum")]
    metrics += [Metric("AWS/WAFV2", "BlockedRequests", {"WebACL": acl_metric, "Rule": rule}, "Sum") for rule in rules]
    values = read_metrics(context.clients, metrics, _window_end(context), _HOUR, _PERIOD, GLOBAL_REGION)
    allowed, *counts = map(sum, values)
    blocked = {rule: count for rule, count in zip(rules, counts, strict=True) if count}
    if not blocked:
        return Firewall(name, allowed, blocked)
    top_rule = max(blocked, key=lambda rule: blocked[rule])
    return Firewall(name, allowed, blocked, tuple(_read_blocked_samples(context, arn, top_rule)))


def _read_blocked_samples(context: DoctorContext, arn: str, rule: str) -> list[JsonObject]:
    """Return samples of the requests that a rule blocked in the last hour."""
    waf = context.clients.client(WAFV2, GLOBAL_REGION)
    end = datetime.fromtimestamp(context.now, UTC)
    samples = waf.get_sampled_requests(
        WebAclArn=arn,
        RuleMetricName=rule,
        Scope="CLOUDFRONT",
        TimeWindow={"StartTime": end - _HOUR, "EndTime": end},
        MaxItems=_SAMPLES,
    )["SampledRequests"]
    return [sample for sample in samples if sample["Action"] == "BLOCK"]
