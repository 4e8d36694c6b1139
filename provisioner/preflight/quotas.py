"""Check of the account's quotas: what exists and what a plan creates, against Service Quotas."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.planning.plan import Plan
from provisioner.engine.planning.planner import CREATE_WAS_INTERRUPTED
from provisioner.engine.resource_graph.graph import Resource
from provisioner.preflight.finding import Finding, address_of
from provisioner.preflight.quota_usage import (
    count_db_clusters,
    count_elastic_ips,
    count_internet_gateways,
    count_load_balancers,
    count_nat_gateways,
    count_vpcs,
    new_fargate_vcpus,
    new_spot_vcpus,
    running_fargate_vcpus,
    running_spot_vcpus,
)
from provisioner.service_clients import ServiceQuotas

_THREADS = 8
# AWS CloudFront developer guide: the origin-facing prefix list counts as 55 rules.
PREFIX_LIST_RULES = 55

Usage = Callable[[Clients], Mapping[str, int]]
Weight = Callable[[Resource, Plan], float]


@dataclass(frozen=True)
class Quota:
    """One quota: its name, its resource type, where to ask for it, AWS's default, and how to count its use.

    Args:
        name: The name of the quota in findings.
        type_name: The resource type that counts against it.
        service: The service code in Service Quotas.
        code: The quota code in Service Quotas.
        default: AWS's default limit.
        count_used: A function that asks AWS for what is used, by place.
        place_of: A function that returns the place in which a resource counts, such as a zone or a security
            group; "" if the quota is for the whole region.
        weight: A function that returns how much a resource to create counts.
        existing_weight: The same for an existing resource, if that differs from `weight`.

    """

    name: str
    type_name: str
    service: str
    code: str
    default: int
    count_used: Usage
    place_of: Callable[[Resource, Plan], str] = lambda _resource, _plan: ""
    weight: Weight = lambda _resource, _plan: 1
    existing_weight: Weight | None = None


def _zone_of(resource: Resource, plan: Plan) -> str:
    """Return the zone in which a resource counts: that of its subnet."""
    return str(plan.stack.resources[resource.props["SubnetId"].logical_id].props["AvailabilityZone"])


def _group_of(resource: Resource, _plan: Plan) -> str:
    """Return the security group in which a rule counts."""
    return str(resource.props["GroupId"].logical_id)


def _rule_weight(resource: Resource, _plan: Plan) -> float:
    """Return how much a rule of a security group counts: 55 if its source is a prefix list, else 1."""
    return PREFIX_LIST_RULES if "PrefixListId" in resource.props else 1


def _no_use(_clients: Clients) -> Mapping[str, int]:
    """Return no use in AWS, for quotas of which only the stack's own use counts."""
    return {}


# Codes and usual values: AWS Service Quotas, and the user guide of each service.
QUOTAS: tuple[Quota, ...] = (
    Quota("VPCs per region", "Vpc", "vpc", "L-F678F1CE", 5, count_vpcs),
    Quota("internet gateways per region", "InternetGateway", "vpc", "L-A4707A72", 5, count_internet_gateways),
    Quota("Elastic IPs per region", "ElasticIp", "ec2", "L-0263D0A3", 5, count_elastic_ips),
    Quota("NAT gateways per zone", "NatGateway", "vpc", "L-FE5A380F", 5, count_nat_gateways, _zone_of),
    Quota("rules per security group, in", "IngressRule", "vpc", "L-0EA8095F", 60, _no_use, _group_of, _rule_weight),
    Quota("rules per security group, out", "EgressRule", "vpc", "L-0EA8095F", 60, _no_use, _group_of, _rule_weight),
    Quota("load balancers per region", "LoadBalancer", "elasticloadbalancing", "L-53DA6B97", 50, count_load_balancers),
    Quota("database clusters per region", "DBCluster", "rds", "L-952B80B8", 40, count_db_clusters),
    Quota(
        "Fargate processors of ours",
        "Service",
        "fargate",
        "L-3032A538",
        6,
        _no_use,
        weight=new_fargate_vcpus,
        existing_weight=running_fargate_vcpus,
    ),
    Quota(
        "Fargate Spot processors of ours",
        "Service",
        "fargate",
        "L-36FBB829",
        6,
        _no_use,
        weight=new_spot_vcpus,
        existing_weight=running_spot_vcpus,
    ),
)


def check_quotas(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the quotas that a plan would exceed, by new resources and by tasks that start beside others."""
    affected = [quota for quota in QUOTAS if _new_resources(plan, quota)]
    with ThreadPoolExecutor(_THREADS) as pool:
        for findings in pool.map(lambda quota: list(_exceeded_quotas(plan, clients, quota)), affected):
            yield from findings


def _new_resources(plan: Plan, quota: Quota) -> list[Resource]:
    """Return the resources that a plan creates and that count against a quota.

    A resource whose create an earlier run began is left out, as AWS may already count it as used. For a quota
    with `existing_weight`, these are all resources for which `weight` is not 0.
    """
    resources = [resource for resource in plan.stack if str(resource.type) == quota.type_name]
    if quota.existing_weight:
        return [resource for resource in resources if quota.weight(resource, plan)]
    return [resource for resource in resources if _begins_create(plan, resource)]


def _begins_create(plan: Plan, resource: Resource) -> bool:
    """Return whether the plan creates a resource, and no earlier run began to."""
    change = plan.changes[resource.logical_id]
    return change.action == "create" and change.reason != CREATE_WAS_INTERRUPTED


def _existing_resources(plan: Plan, type_name: str) -> list[Resource]:
    """Return the declared resources of a type that exist."""
    resources = [resource for resource in plan.stack if str(resource.type) == type_name]
    return [resource for resource in resources if resource.logical_id in plan.actual]


def _exceeded_quotas(plan: Plan, clients: Clients, quota: Quota) -> Iterator[Finding]:
    """Yield a finding for each place in which a plan exceeds a quota; a warning if AWS does not answer."""
    needed = _total_by_place(plan, quota, _new_resources(plan, quota), quota.weight)
    existing_weight = quota.existing_weight or quota.weight
    existing = _total_by_place(plan, quota, _existing_resources(plan, quota.type_name), existing_weight)
    try:
        used = existing | dict(quota.count_used(clients))
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        refusal = describe_refusal(error, f"counting {quota.name}")
        yield Finding(quota.name, refusal.message, refusal.hint, is_blocking=False)
        return
    exceeding = {place: count for place, count in needed.items() if used.get(place, 0) + count > quota.default}
    # The account's own limit is never below AWS's default: it is asked for only if that is exceeded.
    limit, is_known = _read_limit(clients, quota) if exceeding else (quota.default, False)
    for place, count in exceeding.items():
        if used.get(place, 0) + count > limit:
            yield _quota_finding(plan, quota, place, QuotaNumbers(limit, used.get(place, 0), count), is_known=is_known)


def _total_by_place(plan: Plan, quota: Quota, resources: list[Resource], weight: Weight) -> dict[str, float]:
    """Return how much the resources count, by place."""
    totals: dict[str, float] = {}
    for resource in resources:
        place = quota.place_of(resource, plan)
        totals[place] = totals.get(place, 0) + weight(resource, plan)
    return totals


def _read_limit(clients: Clients, quota: Quota) -> tuple[float, bool]:
    """Return the account's own limit and True, or AWS's default and False if Service Quotas fails."""
    try:
        request = {"ServiceCode": quota.service, "QuotaCode": quota.code}
        return float(clients.client(ServiceQuotas).get_service_quota(**request)["Quota"]["Value"]), True
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        describe_refusal(error, "asking Service Quotas")
        return quota.default, False


@dataclass(frozen=True)
class QuotaNumbers:
    """A limit, how much of it is used, and how much more a plan needs."""

    limit: float
    used: float
    needed: float


def _quota_finding(plan: Plan, quota: Quota, place: str, numbers: QuotaNumbers, *, is_known: bool) -> Finding:
    """Return the finding for a quota that is exceeded; it blocks only if the account's own limit is known."""
    new_resources = _new_resources(plan, quota)
    resource = next(resource for resource in new_resources if quota.place_of(resource, plan) == place)
    total = math.ceil(numbers.used + numbers.needed)
    command = (
        f"aws service-quotas request-service-quota-increase --region {plan.stack.region} "
        f"--service-code {quota.service} --quota-code {quota.code} --desired-value {total}"
    )
    name = f"{quota.name} ({place})" if place else quota.name
    caveat = " (AWS's usual limit; Service Quotas did not tell this account's, so it does not block)"
    limit = f"limit {numbers.limit:g}{'' if is_known else caveat}"
    return Finding(
        address_of(resource),
        f"{name}: {limit}, {numbers.used:g} used, {numbers.needed:g} more needed",
        f"Ask for more: `{command}`.",
        is_known,
        numbers.limit,
        numbers.used,
        numbers.needed,
    )
