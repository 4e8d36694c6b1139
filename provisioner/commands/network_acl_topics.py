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
from provisioner.service_clients import EC2

_TOPIC = "network"


def network_acl_topics(context: HealthContext, suffix: str) -> tuple[TopicHealth, ...]:
    """Return what network ACLs stop; nothing if they are as AWS created them with the subnets."""
    lines = [
        line
        for vpc in context.of_types("Vpc")
        for line in line_or_unknown(vpc.logical_id, partial(_health_lines, context, vpc, suffix))
    ]
    return (TopicHealth(_TOPIC, tuple(lines)),) if lines else ()


def _health_lines(context: HealthContext, vpc: ObservedResource, suffix: str) -> Iterator[HealthLine]:
    """Yield what the network ACLs of one VPC stop.

    A VPC whose ACLs nobody changed costs one call; the checks of `doctor` run for the others only.
    """
    if vpc.actual is None:
        return
    ec2 = context.clients.client(EC2)
    subnets = {str(subnet.actual["SubnetId"]) for subnet in context.of_types("Subnet") if subnet.actual}
    if not non_default_rules(network_acls_in(ec2, vpc.actual["VpcId"]), subnets, ec2.region):
        return
    results = run_checks(DoctorContext(suffix, context.clients, context.now), ACL_CHECKS)
    problems = {result.finding.problem for result in results if result.finding and result.finding.name == ACL_FINDING}
    for problem in sorted(problems):
        yield HealthLine(vpc.logical_id, problem, "unhealthy")
    for result in results if not problems else ():
        if result.read_failed:
            yield HealthLine(vpc.logical_id, f"what its network ACLs stop is unknown: {result.note}", "unknown")
