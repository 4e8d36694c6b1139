"""The account's limits against what stands and what comes; Service Quotas is asked where it answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from provisioner.engine.clients import Clients
from provisioner.engine.decide import BEGUN
from provisioner.engine.explain import excused
from provisioner.engine.graph import Node
from provisioner.engine.plan import Plan
from provisioner.preflight.finding import Finding
from provisioner.preflight.processors import on_fargate, on_spot, stand_on_fargate, stand_on_spot
from provisioner.preflight.usage import (
    balancers,
    clusters,
    gateways,
    networks,
    public_addresses,
    translators,
)

_ASKERS = 8
# AWS CloudFront developer guide: the origin-facing prefix list counts as 55 rules.
LIST_WEIGHT = 55

Usage = Callable[[Clients], Mapping[str, int]]
Weight = Callable[[Node, Plan], float]


@dataclass(frozen=True)
class Quota:
    """One limit: where it is told, AWS's usual value, what counts against it, and where (a zone, a group)."""

    words: str
    kind: str
    service: str
    code: str
    usual: int
    used: Usage
    where: Callable[[Node, Plan], str] = lambda _node, _plan: ""
    weight: Weight = lambda _node, _plan: 1
    # What one that stands counts, where that is something else.
    stands: Weight | None = None


def _zone(node: Node, made: Plan) -> str:
    return str(made.stack.nodes[node.props["SubnetId"].node].props["AvailabilityZone"])


def _group(node: Node, _made: Plan) -> str:
    return str(node.props["GroupId"].node)


def _weight(node: Node, _made: Plan) -> float:
    return LIST_WEIGHT if "PrefixListId" in node.props else 1


def _nothing(_clients: Clients) -> Mapping[str, int]:
    return {}


# Codes and usual values: AWS Service Quotas, and the user guide of each service.
QUOTAS: tuple[Quota, ...] = (
    Quota("VPCs per region", "Vpc", "vpc", "L-F678F1CE", 5, networks),
    Quota("internet gateways per region", "InternetGateway", "vpc", "L-A4707A72", 5, gateways),
    Quota("Elastic IPs per region", "ElasticIp", "ec2", "L-0263D0A3", 5, public_addresses),
    Quota("NAT gateways per zone", "NatGateway", "vpc", "L-FE5A380F", 5, translators, _zone),
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


def quotas(made: Plan, clients: Clients) -> Iterator[Finding]:
    """The limits that a plan would break: what is made, and tasks that come beside those that run."""
    coming = {quota: nodes for quota in QUOTAS if (nodes := _coming(made, quota))}
    with ThreadPoolExecutor(_ASKERS) as pool:
        for found in pool.map(lambda quota: list(_broken(made, clients, quota)), coming):
            yield from found


def _coming(made: Plan, quota: Quota) -> list[Node]:
    """What is to be made; what an earlier run began may be counted among what stands already."""
    nodes = [node for node in made.stack if str(node.kind) == quota.kind]
    if quota.stands:
        return [node for node in nodes if quota.weight(node, made)]
    changes = [made.changes[node.name] for node in nodes]
    return [made.stack.nodes[one.node] for one in changes if one.verb == "create" and one.why != BEGUN]


def _standing(made: Plan, kind: str) -> list[Node]:
    return [node for node in made.stack if str(node.kind) == kind and node.name in made.docs]


def _broken(made: Plan, clients: Clients, quota: Quota) -> Iterator[Finding]:
    needed = _summed(made, quota, _coming(made, quota), quota.weight)
    standing = _summed(made, quota, _standing(made, quota.kind), quota.stands or quota.weight)
    try:
        used = standing | dict(quota.used(clients))
    except Exception as error:  # noqa: BLE001 - raised anew, but for what a call answered
        known = excused(error, f"counting {quota.words}")
        yield Finding(quota.words, known.message, known.hint, blocks=False)
        return
    over = {where: count for where, count in needed.items() if used.get(where, 0) + count > quota.usual}
    # An account's own limit is never below the usual one: it is asked for only where that is broken.
    limit, is_told = _limit(clients, quota) if over else (quota.usual, False)
    for where, count in over.items():
        if used.get(where, 0) + count > limit:
            yield _finding(made, quota, where, Numbers(limit, used.get(where, 0), count), is_told=is_told)


def _summed(made: Plan, quota: Quota, nodes: list[Node], weight: Weight) -> dict[str, float]:
    """What the nodes count, by where it counts."""
    sums: dict[str, float] = {}
    for node in nodes:
        where = quota.where(node, made)
        sums[where] = sums.get(where, 0) + weight(node, made)
    return sums


def _limit(clients: Clients, quota: Quota) -> tuple[float, bool]:
    """The account's own limit, or AWS's usual one where it is not told."""
    try:
        asked = {"ServiceCode": quota.service, "QuotaCode": quota.code}
        return float(clients.client("service-quotas").get_service_quota(**asked)["Quota"]["Value"]), True
    except Exception as error:  # noqa: BLE001 - raised anew, but for what a call answered
        excused(error, "asking Service Quotas")
        return quota.usual, False


@dataclass(frozen=True)
class Numbers:
    """A limit, what is used of it and what would come."""

    limit: float
    used: float
    needed: float


def _finding(made: Plan, quota: Quota, where: str, numbers: Numbers, *, is_told: bool) -> Finding:
    node = next(one for one in _coming(made, quota) if quota.where(one, made) == where)
    total = math.ceil(numbers.used + numbers.needed)
    place = f" ({where})" if where else ""
    ask = (
        f"aws service-quotas request-service-quota-increase --region {made.stack.region} "
        f"--service-code {quota.service} --quota-code {quota.code} --desired-value {total}"
    )
    usual = (
        ""
        if is_told
        else " (AWS's usual limit; Service Quotas did not tell this account's, so it does not block)"
    )
    return Finding(
        f"{node.piece}/{node.name}",
        f"{quota.words}{place}: limit {numbers.limit:g}{usual}, {numbers.used:g} used, "
        f"{numbers.needed:g} more needed",
        f"Ask for more: `{ask}`.",
        is_told,
        numbers.limit,
        numbers.used,
        numbers.needed,
    )
