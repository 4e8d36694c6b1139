"""Traffic that network ACLs stop, for `status` and `report`: found by the checks of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.doctor.checks import ACL_CHECKS
from provisioner.doctor.context import DoctorContext
from provisioner.doctor.network_acls import ACL_FINDING
from provisioner.doctor.runner import run_checks
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, TopicHealth, line_or_unknown
from provisioner.resources.ec2.network_acls import network_acls_in, non_default_rules

_TOPIC = "network"


def network_acl_topics(context: HealthContext, suffix: str) -> tuple[TopicHealth, ...]:
    """Return what network ACLs stop; nothing if they are as AWS created them with the subnets."""
    lines = [
        line
        for one in context.of_types("Vpc")
        for line in line_or_unknown(one.logical_id, partial(_health_lines, context, one, suffix))
    ]
    return (TopicHealth(_TOPIC, tuple(lines)),) if lines else ()


def _health_lines(context: HealthContext, vpc: ObservedResource, suffix: str) -> Iterator[HealthLine]:
    """Yield what the network ACLs of one VPC stop.

    A VPC whose ACLs nobody changed costs one call; the checks of `doctor` run for the others only.
    """
    if vpc.actual is None:
        return
    ec2 = context.clients.client("ec2")
    subnets = {str(one.actual["SubnetId"]) for one in context.of_types("Subnet") if one.actual}
    if not non_default_rules(network_acls_in(ec2, vpc.actual["VpcId"]), subnets, ec2.region):
        return
    results = run_checks(DoctorContext(suffix, context.clients, context.now), ACL_CHECKS)
    problems = {one.finding.problem for one in results if one.finding and one.finding.name == ACL_FINDING}
    for problem in sorted(problems):
        yield HealthLine(vpc.logical_id, problem, "unwell")
    for one in results if not problems else ():
        if one.read_failed:
            yield HealthLine(vpc.logical_id, f"what its network ACLs stop is unknown: {one.note}", "unknown")
