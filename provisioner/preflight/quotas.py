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
from provisioner.preflight.findings import Finding
from provisioner.preflight.usage import (
    balancers,
    clusters,
    gateways,
    nat_gateways,
    networks,
    public_addresses,
)
from provisioner.preflight.vcpus import on_fargate, on_spot, stand_on_fargate, stand_on_spot

_ASKERS = 8
# AWS CloudFront developer guide: the origin-facing prefix list counts as 55 rules.
LIST_WEIGHT = 55

Usage = Callable[[Clients], Mapping[str, int]]
Weight = Callable[[Resource, Plan], float]


@dataclass(frozen=True)
class Quota:
    """One quota: its name, its resource type, where to ask for it, AWS's default, and how to count its use.

    Args:
        words: The name of the quota in findings.
        kind: The resource type that counts against it.
        service: The service code in Service Quotas.
        code: The quota code in Service Quotas.
        usual: AWS's default limit.
        used: A function that asks AWS for what is used, by place.
        where: A function that returns the place in which a resource counts, such as a zone or a security
            group; "" if the quota is for the whole region.
        weight: A function that returns how much a resource to create counts.
        stands: The same for an existing resource, if that differs from `weight`.

    """

    words: str
    kind: str
    service: str
    code: str
    usual: int
    used: Usage
    where: Callable[[Resource, Plan], str] = lambda _node, _plan: ""
    weight: Weight = lambda _node, _plan: 1
    stands: Weight | None = None


def _zone(resource: Resource, plan: Plan) -> str:
    """Return the zone in which a resource counts: that of its subnet."""
    return str(plan.stack.resources[resource.props["SubnetId"].logical_id].props["AvailabilityZone"])


def _group(resource: Resource, _made: Plan) -> str:
    """Return the security group in which a rule counts."""
    return str(resource.props["GroupId"].logical_id)


def _weight(resource: Resource, _made: Plan) -> float:
    """Return how much a rule of a security group counts: 55 if its source is a prefix list, else 1."""
    return LIST_WEIGHT if "PrefixListId" in resource.props else 1


def _nothing(_clients: Clients) -> Mapping[str, int]:
    """Return no use in AWS, for quotas of which only the stack's own use counts."""
    return {}


# Codes and usual values: AWS Service Quotas, and the user guide of each service.
QUOTAS: tuple[Quota, ...] = (
    Quota("VPCs per region", "Vpc", "vpc", "L-F678F1CE", 5, networks),
    Quota("internet gateways per region", "InternetGateway", "vpc", "L-A4707A72", 5, gateways),
    Quota("Elastic IPs per region", "ElasticIp", "ec2", "L-0263D0A3", 5, public_addresses),
    Quota("NAT gateways per zone", "NatGateway", "vpc", "L-FE5A380F", 5, nat_gateways, _zone),
    Quota("rules per security group, in", "IngressRule", "vpc", "L-0EA8095F", 60, _nothing, _group, _weight),
    Quota("rules per security group, out", "EgressRule", "vpc", "L-0EA8095F", 60, _nothing, _group, _weight),
    Quota("load balancers per region", "LoadBalancer", "elasticloadbalancing", "L-53DA6B97", 50, balancers),
    Quota("database clusters per region", "DBCluster", "rds", "L-952B80B8", 40, clusters),
    Quota(
        "Fargate processors of ours",
        "Service",
        "fargate",
        "L-3032A538",
        6,
        _nothing,
        weight=on_fargate,
        stands=stand_on_fargate,
    ),
    Quota(
        "Fargate Spot processors of ours",
        "Service",
        "fargate",
        "L-36FBB829",
        6,
        _nothing,
        weight=on_spot,
        stands=stand_on_spot,
    ),
)


def quotas(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield the quotas that a plan would exceed, by new resources and by tasks that start beside others."""
    coming = {quota: resources for quota in QUOTAS if (resources := _coming(plan, quota))}
    with ThreadPoolExecutor(_ASKERS) as pool:
        for found in pool.map(lambda quota: list(_broken(plan, clients, quota)), coming):
            yield from found


def _coming(plan: Plan, quota: Quota) -> list[Resource]:
    """Return the resources that a plan creates and that count against a quota.

    A resource whose create an earlier run began is left out, as AWS may already count it as used. For a quota
    with `stands`, these are all resources for which `weight` is not 0.
    """
    resources = [resource for resource in plan.stack if str(resource.type) == quota.kind]
    if quota.stands:
        return [resource for resource in resources if quota.weight(resource, plan)]
    changes = [plan.changes[resource.logical_id] for resource in resources]
    return [
        plan.stack.resources[one.logical_id]
        for one in changes
        if one.action == "create" and one.reason != CREATE_WAS_INTERRUPTED
    ]


def _standing(plan: Plan, type_name: str) -> list[Resource]:
    """Return the declared resources of a type that exist."""
    return [
        resource for resource in plan.stack if str(resource.type) == type_name and resource.logical_id in plan.actual
    ]


def _broken(plan: Plan, clients: Clients, quota: Quota) -> Iterator[Finding]:
    """Yield a finding for each place in which a plan exceeds a quota; a warning if AWS does not answer."""
    needed = _summed(plan, quota, _coming(plan, quota), quota.weight)
    standing = _summed(plan, quota, _standing(plan, quota.kind), quota.stands or quota.weight)
    try:
        used = standing | dict(quota.used(clients))
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        known = describe_refusal(error, f"counting {quota.words}")
        yield Finding(quota.words, known.message, known.hint, blocks=False)
        return
    over = {where: count for where, count in needed.items() if used.get(where, 0) + count > quota.usual}
    # The account's own limit is never below AWS's default: it is asked for only if that is exceeded.
    limit, is_told = _limit(clients, quota) if over else (quota.usual, False)
    for where, count in over.items():
        if used.get(where, 0) + count > limit:
            yield _finding(plan, quota, where, Numbers(limit, used.get(where, 0), count), is_told=is_told)


def _summed(plan: Plan, quota: Quota, resources: list[Resource], weight: Weight) -> dict[str, float]:
    """Return how much the resources count, by place."""
    sums: dict[str, float] = {}
    for resource in resources:
        where = quota.where(resource, plan)
        sums[where] = sums.get(where, 0) + weight(resource, plan)
    return sums


def _limit(clients: Clients, quota: Quota) -> tuple[float, bool]:
    """Return the account's own limit and True, or AWS's default and False if Service Quotas fails."""
    try:
        asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
        return float(clients.client("service-quotas").get_service_quota(**asked)["Quota"]["Value"]), True
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        describe_refusal(error, "asking Service Quotas")
        return quota.usual, False


@dataclass(frozen=True)
class Numbers:
    """A limit, how much of it is used, and how much more a plan needs."""

    limit: float
    used: float
    needed: float


def _finding(plan: Plan, quota: Quota, where: str, numbers: Numbers, *, is_told: bool) -> Finding:
    resource = next(one for one in _coming(plan, quota) if quota.where(one, plan) == where)
    total = math.ceil(numbers.used + numbers.needed)
    place = f" ({where})" if where else ""
    ask = (
        f"aws service-quotas request-service-quota-increase --region {plan.stack.region} "
        f"--service-code {quota.service} --quota-code {quota.code} --desired-value {total}"
    )
    usual = "" if is_told else " (AWS's usual limit; Service Quotas did not tell this account's, so it does not block)"
    return Finding(
        f"{resource.step}/{resource.logical_id}",
        f"{quota.words}{place}: limit {numbers.limit:g}{usual}, {numbers.used:g} used, {numbers.needed:g} more needed",
        f"Ask for more: `{ask}`.",
        is_told,
        numbers.limit,
        numbers.used,
        numbers.needed,
    )
