"""Reads of CloudWatch metrics of the last hour, of Fargate's quotas, and of the firewall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from provisioner.doctor.context import DoctorContext, default_on_codes
from provisioner.doctor.finding import JsonObject, NotApplicable, NotChecked
from provisioner.doctor.reads.balancer import balancer
from provisioner.doctor.reads.edge import distribution
from provisioner.doctor.reads.tasks import definitions, services
from provisioner.health.metrics import CALLS as MEASURED
from provisioner.health.metrics import Metric, read_metrics
from provisioner.resources.tagging import GLOBAL_REGION

# The calls of this module by service; `policy` grants them.
CALLS = {**MEASURED, "service-quotas": ("GetServiceQuota",), "wafv2": ("GetWebACL", "GetSampledRequests")}
# The quota codes of Fargate's vCPUs in Service Quotas, by capacity provider.
QUOTAS = {"FARGATE": "L-3032A538", "FARGATE_SPOT": "L-36FBB829"}
_UNKNOWN = ("NoSuchResourceException",)
_HOUR, _PERIOD = timedelta(hours=1), 300
_SAMPLES = 5


@dataclass(frozen=True)
class Quota:
    """A quota of the account in vCPUs, how much of it is used, and how much one more task needs."""

    provider: str
    limit: float
    used: float
    task: float


@dataclass(frozen=True)
class Firewall:
    """How many requests a web ACL allowed and blocked (by rule) in the last hour, with some blocked ones."""

    name: str
    allowed: float
    blocked: Mapping[str, float]
    samples: tuple[JsonObject, ...] = ()


def quotas(context: DoctorContext) -> list[Quota]:
    """Return the Fargate quotas that the services need, with their use by AWS's own metric (GetServiceQuota).

    Raises:
        Unseen: Service Quotas knows none of them.

    """
    weights = [one for service in services(context) for one in service.get("capacityProviderStrategy", [])]
    used = {one["capacityProvider"] for one in weights if one.get("weight") or one.get("base")}
    task = max((int(one["cpu"]) / 1024 for one in definitions(context)), default=0.0)
    found = [_quota(context, provider, code, task) for provider, code in QUOTAS.items() if provider in used]
    if not (told := [one for one in found if one]):
        raise NotChecked("Service Quotas tells none of Fargate's limits")
    return told


def _quota(context: DoctorContext, provider: str, code: str, task: float) -> Quota | None:
    """Return one quota and its use; None if Service Quotas does not know it, or names no metric for it."""
    asked = {"ServiceCode": "fargate", "QuotaCode": code}
    service_quotas = context.clients.client("service-quotas")
    told = default_on_codes(_UNKNOWN, lambda: service_quotas.get_service_quota(**asked)["Quota"])
    counted = (told or {}).get("UsageMetric")
    if told is None or not counted:
        return None
    where = counted["MetricDimensions"]
    metric = Metric(counted["MetricNamespace"], counted["MetricName"], where, "Maximum")
    (values,) = read_metrics(context.clients, [metric], _whole(context), _HOUR, _PERIOD)
    return Quota(provider, float(told["Value"]), values[0] if values else 0.0, task)


def _whole(context: DoctorContext) -> float:
    """Return the end of the time window: equal for all reads within a period, so they share one answer."""
    return context.now // _PERIOD * _PERIOD + _PERIOD


def measures(context: DoctorContext) -> dict[str, list[float]]:
    """Return the stack's metrics that show refusals, by a word for each, newest first (GetMetricData)."""
    table, cluster = {"TableName": context.aws_name("sessions")}, {"DBClusterIdentifier": context.aws_name("aurora")}
    arn = str(balancer(context).found["LoadBalancerArn"])
    alb = {"LoadBalancer": arn.partition(":loadbalancer/")[2]}
    metrics = {
        "reads": Metric("AWS/DynamoDB", "ReadThrottleEvents", table, "Sum"),
        "writes": Metric("AWS/DynamoDB", "WriteThrottleEvents", table, "Sum"),
        "capacity": Metric("AWS/RDS", "ACUUtilization", cluster, "Average"),
        "requests": Metric("AWS/ApplicationELB", "RequestCount", alb, "Sum"),
        "refused": Metric("AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", alb, "Sum"),
        "failed": Metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", alb, "Sum"),
    }
    told = read_metrics(context.clients, list(metrics.values()), _whole(context), _HOUR, _PERIOD)
    return dict(zip(metrics, told, strict=True))


def firewall(context: DoctorContext) -> Firewall:
    """Return the counts of the web ACL, and if it blocks requests, samples from the rule that blocks most.

    It calls GetWebACL, GetMetricData and GetSampledRequests.

    Raises:
        Unset: CloudFront has no web ACL.

    """
    arn = distribution(context).found.get("WebACLId", "")
    if not arn:
        raise NotApplicable("no firewall stands before CloudFront")
    waf = context.clients.client("wafv2", GLOBAL_REGION)
    name, id_ = arn.split("/")[-2:]
    acl = waf.get_web_acl(Name=name, Scope="CLOUDFRONT", Id=id_)["WebACL"]
    own = acl["VisibilityConfig"]["MetricName"]
    rules = [one["VisibilityConfig"]["MetricName"] for one in acl["Rules"]]
    metrics = [Metric("AWS/WAFV2", "AllowedRequests", {"WebACL": own, "Rule": "ALL"}, "Sum")]
    metrics += [Metric("AWS/WAFV2", "BlockedRequests", {"WebACL": own, "Rule": rule}, "Sum") for rule in rules]
    allowed, *counts = map(sum, read_metrics(context.clients, metrics, _whole(context), _HOUR, _PERIOD, GLOBAL_REGION))
    blocked = {rule: count for rule, count in zip(rules, counts, strict=True) if count}
    worst = max(blocked, key=lambda rule: blocked[rule], default="")
    return Firewall(name, allowed, blocked, tuple(_samples(context, arn, worst)) if worst else ())


def _samples(context: DoctorContext, arn: str, rule: str) -> list[JsonObject]:
    """Return samples of the requests that a rule blocked in the last hour."""
    waf = context.clients.client("wafv2", GLOBAL_REGION)
    end = datetime.fromtimestamp(context.now, UTC)
    found = waf.get_sampled_requests(
        WebAclArn=arn,
        RuleMetricName=rule,
        Scope="CLOUDFRONT",
        TimeWindow={"StartTime": end - _HOUR, "EndTime": end},
        MaxItems=_SAMPLES,
    )["SampledRequests"]
    return [one for one in found if one["Action"] == "BLOCK"]
