"""What each kind is charged for by the hour or the month; what is charged by use is only named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from provisioner.engine.refs import Ref
from provisioner.settings.postgres import DISABLED, STANDARD_ENDS, major_of

Doc = Mapping[str, Any]
# AWS's own month (AWS Pricing Calculator).
HOURS = 730
# "Up to 70 % off" (AWS Fargate pricing): Spot has no list price, it moves.
SPOT = 0.3
SUPPORT = "extended support of the database"
_THIRD = "acu_support_year_3_hour"


def today() -> date:
    """Return the day, as AWS's dates are meant: in UTC."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)
class Line:
    """One charge: so many units of a price a month, at least and at most."""

    what: str
    price: str
    least: float
    most: float

    @classmethod
    def flat(cls, what: str, price: str, units: float) -> Line:
        """A charge that does not move."""
        return cls(what, price, units, units)


@dataclass(frozen=True)
class Estate:
    """All resources of one state of the stack, so that one can be priced by what it refers to."""

    kinds: Mapping[str, str]
    props: Mapping[str, Doc]
    ids: Mapping[str, str]
    # The day that is paid for: some prices begin on one.
    today: date = field(default_factory=lambda: today())  # noqa: PLW0108 - looked up when it is asked

    def at(self, value: Any) -> Doc:
        """The properties of what a ref or an id names; empty where that is not of the stack."""
        name = value.node if isinstance(value, Ref) else self.ids.get(str(value), "")
        return self.props.get(name, {})

    def of_kind(self, kind: str) -> Iterator[Doc]:
        """The properties of all of one kind."""
        return (self.props[name] for name, its in self.kinds.items() if its == kind)


Charge = Callable[[Doc, Estate], Iterator[Line]]


def _nat(_props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("NAT gateway", "nat_hour", HOURS)


def _address(_props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("public addresses", "ipv4_hour", HOURS)


def _endpoint(props: Doc, _all: Estate) -> Iterator[Line]:
    if props.get("VpcEndpointType") == "Interface":
        yield Line.flat("interface endpoints", "endpoint_hour", HOURS * len(props.get("SubnetIds") or [1]))


def _balancer(props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("load balancer", "balancer_hour", HOURS)
    if props.get("Scheme") == "internet-facing":
        yield Line.flat("public addresses", "ipv4_hour", HOURS * len(props.get("Subnets") or []))


def _service(props: Doc, estate: Estate) -> Iterator[Line]:
    task = estate.at(props.get("taskDefinition"))
    arm = "arm_" if (task.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64" else ""
    least, most = _counts(props, estate)
    cpu, gib = int(task.get("cpu") or 0) / 1024, int(task.get("memory") or 0) / 1024
    for price, size in ((f"fargate_{arm}cpu_hour", cpu), (f"fargate_{arm}gb_hour", gib)):
        paid = [HOURS * size * _paid_as_whole(count, props) for count in (least, most)]
        yield Line("Fargate tasks", price, paid[0], paid[1])


def _counts(props: Doc, estate: Estate) -> tuple[int, int]:
    """How many tasks at least and at most: autoscaling's bounds, else the number at birth."""
    name = str(props.get("serviceName"))
    for target in estate.of_kind("ScalableTarget"):
        if str(target.get("ResourceId", "")).endswith(f"/{name}"):
            return int(target["MinCapacity"]), int(target["MaxCapacity"])
    count = int(props.get("desiredCount") or 0)
    return count, count


def _paid_as_whole(count: int, props: Doc) -> float:
    """The tasks as so many on-demand ones: the base whole, the rest by weight, Spot at its share."""
    strategy = {one["capacityProvider"]: one for one in props.get("capacityProviderStrategy") or []}
    whole, spot = strategy.get("FARGATE", {}), strategy.get("FARGATE_SPOT", {})
    weights = whole.get("weight", 0) + spot.get("weight", 0)
    rest = max(0, count - whole.get("base", 0))
    on_spot = rest * spot.get("weight", 0) / weights if weights else 0.0
    return count - on_spot * (1 - SPOT)


def _instance(props: Doc, estate: Estate) -> Iterator[Line]:
    if props.get("DBInstanceClass") == "db.serverless":
        cluster = estate.at(props.get("DBClusterIdentifier"))
        scaling = cluster.get("ServerlessV2ScalingConfiguration") or {}
        least, most = scaling.get("MinCapacity") or 0, scaling.get("MaxCapacity") or 0
        yield Line("Aurora capacity", "acu_hour", HOURS * least, HOURS * most)
        if price := _support(cluster, estate.today):
            yield Line(SUPPORT, price, HOURS * least, HOURS * most)


def _support(cluster: Doc, today: date) -> str:
    """The price of the extended support that a cluster is in; "" where it is in the standard one.

    Each ACU pays, from the day after the standard end, and twice as much from the third year on (Aurora user
    guide, "Amazon RDS Extended Support charges"; aws.amazon.com/rds/aurora/pricing).
    """
    end = STANDARD_ENDS.get(major_of(str(cluster.get("EngineVersion"))))
    if end is None or today <= end or cluster.get("EngineLifecycleSupport") == DISABLED:
        return ""
    return _THIRD if today >= date(end.year + 2, 3, 1) else "acu_support_hour"


def _cluster(props: Doc, _all: Estate) -> Iterator[Line]:
    if props.get("ManageMasterUserPassword"):
        yield Line.flat("secrets", "secret_month", 1)


def _secret(_props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("secrets", "secret_month", 1)


def _key(_props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("keys", "key_month", 1)


def _firewall(props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("web firewall", "firewall_month", 1)
    yield Line.flat("web firewall", "firewall_rule_month", len(props.get("Rules") or []))


def _alarm(props: Doc, _all: Estate) -> Iterator[Line]:
    """By the metrics that it watches; one that reckons with several pays for each."""
    watched = [one for one in props.get("Metrics") or [] if "MetricStat" in one]
    yield Line.flat("alarms", "alarm_month", len(watched) or 1)


def _policy(_props: Doc, _all: Estate) -> Iterator[Line]:
    """Target tracking makes an alarm for more and one for less (Application Auto Scaling user guide)."""
    yield Line.flat("alarms", "alarm_month", 2)


def _dashboard(_props: Doc, _all: Estate) -> Iterator[Line]:
    yield Line.flat("dashboards", "dashboard_month", 1)


CHARGES: Mapping[str, Charge] = {
    "NatGateway": _nat,
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
# What is charged by use, which nobody can know beforehand.
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
# What AWS takes no money for.
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


def is_priced(kind: str) -> bool:
    """Whether it is known what a kind costs, be it nothing."""
    return kind in CHARGES or kind in BY_USE or kind in FREE
