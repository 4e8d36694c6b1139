"""The charges of each resource type by the hour or month, and which types are charged by use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from provisioner.engine.resource_graph.references import Ref
from provisioner.settings.postgres import NO_EXTENDED_SUPPORT, STANDARD_SUPPORT_ENDS, major_of

Doc = Mapping[str, Any]
# AWS's own month (AWS Pricing Calculator).
HOURS_PER_MONTH = 730
# The price of Spot as a share of the on-demand price: "up to 70 % off" (AWS Fargate pricing). Spot has no
# list price, as it changes.
SPOT_SHARE = 0.3
EXTENDED_SUPPORT = "extended support of the database"
_THIRD_YEAR_SUPPORT = "acu_support_year_3_hour"


def today() -> date:
    """Return the current day in UTC, in which AWS's dates are meant."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class MonthlyCharge:
    """One charge: the key of its price, and the least and the greatest number of units in a month."""

    name: str
    price_key: str
    min_units: float
    max_units: float

    @classmethod
    def flat(cls, name: str, price_key: str, units: float) -> MonthlyCharge:
        """Return a charge of a constant number of units."""
        return cls(name, price_key, units, units)


@dataclass(frozen=True)
class PricedResources:
    """All resources of a stack, existing or planned, as the charges need them.

    `type_names` and `props` are keyed by logical id; `ids` maps ids in AWS to logical ids.
    """

    type_names: Mapping[str, str]
    props: Mapping[str, Doc]
    ids: Mapping[str, str]
    # The day for which prices count, as some charges begin on a certain day.
    today: date = field(default_factory=lambda: today())  # noqa: PLW0108 - looked up when it is asked

    def properties_of(self, reference: Any) -> Doc:
        """Return the properties of the resource that a reference or id names; {} if the stack has none."""
        logical_id = reference.logical_id if isinstance(reference, Ref) else self.ids.get(str(reference), "")
        return self.props.get(logical_id, {})

    def of_type(self, type_name: str) -> Iterator[Doc]:
        """Return the properties of each resource of a type."""
        return (self.props[name] for name, of_resource in self.type_names.items() if of_resource == type_name)


ChargesOf = Callable[[Doc, PricedResources], Iterator[MonthlyCharge]]


def _nat_gateway(_props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of a NAT gateway by the hour."""
    yield MonthlyCharge.flat("NAT gateway", "nat_hour", HOURS_PER_MONTH)


def _address(_props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of a public IPv4 address by the hour."""
    yield MonthlyCharge.flat("public addresses", "ipv4_hour", HOURS_PER_MONTH)


def _endpoint(props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of an interface endpoint by the hour, once for each subnet."""
    if props.get("VpcEndpointType") == "Interface":
        yield MonthlyCharge.flat(
            "interface endpoints", "endpoint_hour", HOURS_PER_MONTH * len(props.get("SubnetIds") or [1])
        )


def _balancer(props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a load balancer and, if it faces the internet, of its public addresses."""
    yield MonthlyCharge.flat("load balancer", "balancer_hour", HOURS_PER_MONTH)
    if props.get("Scheme") == "internet-facing":
        yield MonthlyCharge.flat("public addresses", "ipv4_hour", HOURS_PER_MONTH * len(props.get("Subnets") or []))


def _service(props: Doc, resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a service's Fargate tasks: vCPUs and memory by the hour."""
    task = resources.properties_of(props.get("taskDefinition"))
    arm = "arm_" if (task.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64" else ""
    least, most = _task_counts(props, resources)
    cpu, gib = int(task.get("cpu") or 0) / 1024, int(task.get("memory") or 0) / 1024
    for price, size in ((f"fargate_{arm}cpu_hour", cpu), (f"fargate_{arm}gb_hour", gib)):
        hours = [HOURS_PER_MONTH * size * _on_demand_equivalent(task_count, props) for task_count in (least, most)]
        yield MonthlyCharge("Fargate tasks", price, hours[0], hours[1])


def _task_counts(props: Doc, resources: PricedResources) -> tuple[int, int]:
    """Return the least and the greatest number of tasks: autoscaling's bounds, else the declared number."""
    name = str(props.get("serviceName"))
    for target in resources.of_type("ScalableTarget"):
        if str(target.get("ResourceId", "")).endswith(f"/{name}"):
            return int(target["MinCapacity"]), int(target["MaxCapacity"])
    count = int(props.get("desiredCount") or 0)
    return count, count


def _on_demand_equivalent(task_count: int, props: Doc) -> float:
    """Return the number of on-demand tasks at the same cost, as some tasks run on Spot by its weight."""
    strategy = {provider["capacityProvider"]: provider for provider in props.get("capacityProviderStrategy") or []}
    on_demand, spot = strategy.get("FARGATE", {}), strategy.get("FARGATE_SPOT", {})
    weights = on_demand.get("weight", 0) + spot.get("weight", 0)
    rest = max(0, task_count - on_demand.get("base", 0))
    on_spot = rest * spot.get("weight", 0) / weights if weights else 0.0
    return task_count - on_spot * (1 - SPOT_SHARE)


def _instance(props: Doc, resources: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a serverless database instance: ACUs, and their extended support."""
    if props.get("DBInstanceClass") == "db.serverless":
        cluster = resources.properties_of(props.get("DBClusterIdentifier"))
        scaling = cluster.get("ServerlessV2ScalingConfiguration") or {}
        least, most = scaling.get("MinCapacity") or 0, scaling.get("MaxCapacity") or 0
        yield MonthlyCharge("Aurora capacity", "acu_hour", HOURS_PER_MONTH * least, HOURS_PER_MONTH * most)
        if price := _extended_support_price(cluster, resources.today):
            yield MonthlyCharge(EXTENDED_SUPPORT, price, HOURS_PER_MONTH * least, HOURS_PER_MONTH * most)


def _extended_support_price(cluster: Doc, today: date) -> str:
    """Return the key of the price of a cluster's extended support; "" if it has standard support.

    Each ACU pays for it from the day after the end of standard support on, and twice as much from the third
    year on (Aurora user guide, "Amazon RDS Extended Support charges"; aws.amazon.com/rds/aurora/pricing).
    """
    end = STANDARD_SUPPORT_ENDS.get(major_of(str(cluster.get("EngineVersion"))))
    if end is None or today <= end or cluster.get("EngineLifecycleSupport") == NO_EXTENDED_SUPPORT:
        return ""
    return _THIRD_YEAR_SUPPORT if today >= date(end.year + 2, 3, 1) else "acu_support_hour"


def _cluster(props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of the secret in which RDS keeps a cluster's password."""
    if props.get("ManageMasterUserPassword"):
        yield MonthlyCharge.flat("secrets", "secret_month", 1)


def _secret(_props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of a secret by the month."""
    yield MonthlyCharge.flat("secrets", "secret_month", 1)


def _key(_props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of a KMS key by the month."""
    yield MonthlyCharge.flat("keys", "key_month", 1)


def _firewall(props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charges of a web ACL and its rules by the month."""
    yield MonthlyCharge.flat("web firewall", "firewall_month", 1)
    yield MonthlyCharge.flat("web firewall", "firewall_rule_month", len(props.get("Rules") or []))


def _alarm(props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of an alarm for each metric that it watches; an expression may use several."""
    watched = [metric for metric in props.get("Metrics") or [] if "MetricStat" in metric]
    yield MonthlyCharge.flat("alarms", "alarm_month", len(watched) or 1)


def _policy(_props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of a policy's alarms.

    Target tracking creates an alarm to scale out and one to scale in (Application Auto Scaling user guide).
    """
    yield MonthlyCharge.flat("alarms", "alarm_month", 2)


def _dashboard(_props: Doc, _all: PricedResources) -> Iterator[MonthlyCharge]:
    """Yield the charge of a dashboard by the month."""
    yield MonthlyCharge.flat("dashboards", "dashboard_month", 1)


CHARGES: Mapping[str, ChargesOf] = {
    "NatGateway": _nat_gateway,
    "ElasticIp": _address,
    "VpcEndpoint": _endpoint,
    "InterfaceEndpoint": _endpoint,
    "LoadBalancer": _balancer,
    "Service": _service,
    "DBInstance": _instance,
    "DBCluster": _cluster,
    "Secret": _secret,
    "Key": _key,
    "EdgeKey": _key,
    "WebACL": _firewall,
    "Alarm": _alarm,
    "ScalingPolicy": _policy,
    "Dashboard": _dashboard,
}
# Charges by use, which nobody can know in advance.
BY_USE: Mapping[str, str] = {
    "NatGateway": "gigabytes through NAT",
    "InterfaceEndpoint": "gigabytes through endpoints",
    "LoadBalancer": "load balancer capacity units",
    "Distribution": "CloudFront requests and traffic",
    "DBCluster": "database storage, I/O and backups",
    "Table": "table requests, storage and backups",
    "LogGroup": "logs",
    "Cluster": "Container Insights metrics",
    "WebACL": "requests through the firewall",
    "Bucket": "buckets",
    "Delivery": "delivered access logs",
    "FlowLog": "flow logs",
    "Key": "uses of keys",
    "EdgeKey": "uses of keys",
    "Topic": "notifications",
}
# Resource types that AWS does not charge for.
FREE = frozenset(
    {"Vpc", "DnsSupport", "DnsHostnames", "Subnet", "InternetGateway", "GatewayAttachment", "RouteTable"}
    | {"Route", "RouteTableAssociation", "SecurityGroup", "NoDefaultEgress", "IngressRule", "EgressRule"}
    | {"BareDefaultIngress", "BareDefaultEgress", "ServiceLogGroup", "Retention", "Role", "RolePolicy"}
    | {"ServiceLinkedRole", "Rotation", "DBSubnetGroup", "DBClusterParameterGroup", "DBClusterParameters"}
    | {"TimeToLive", "PointInTimeRecovery", "LoadBalancerAttributes", "TargetGroup", "TargetGroupAttributes"}
    | {"Listener", "ListenerRule", "TaskDefinition", "ScalableTarget", "WebACLLog", "PublicAccessBlock"}
    | {"BucketEncryption", "BucketLifecycle", "BucketPolicy", "DeliverySource", "DeliveryDestination"}
    | {
        "VpcOrigin",
        "KeyAlias",
        "KeyRotation",
        "TopicPolicy",
        "Subscription",
        "EventRule",
        "EventTarget",
        "Boundary",
    }
    | {"Certificate", "Issuance", "IssuanceByHand", "DnsName"}
)


def is_priced(type_name: str) -> bool:
    """Return whether the charges of a resource type are known, even if there are none."""
    return type_name in CHARGES or type_name in BY_USE or type_name in FREE
