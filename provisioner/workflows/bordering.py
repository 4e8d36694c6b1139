"""Traffic that network ACLs stop, for `status` and `report`: found by the checks of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.doctor.context import DoctorContext
from provisioner.doctor.crossings import CROSSINGS, STOPPED
from provisioner.doctor.runner import run_checks
from provisioner.health.context import HealthContext, HealthLine, ObservedResource, TopicHealth, line_or_unknown
from provisioner.resources.ec2.acls import acls_in, not_as_born

_TOPIC = "network"


def borders(context: HealthContext, suffix: str) -> tuple[TopicHealth, ...]:
    """Return what network ACLs stop; nothing if they are as AWS created them with the subnets."""
    found = [
        line
        for one in context.of_types("Vpc")
        for line in line_or_unknown(one.logical_id, partial(_lines, context, one, suffix))
    ]
    return (TopicHealth(_TOPIC, tuple(found)),) if found else ()


def _lines(context: HealthContext, vpc: ObservedResource, suffix: str) -> Iterator[HealthLine]:
    """Yield what the network ACLs of one VPC stop.

    A VPC whose ACLs nobody changed costs one call; the checks of `doctor` run for the others only.
    """
    if vpc.actual is None:
        return
    ec2 = context.clients.client("ec2")
    subnets = {str(one.actual["SubnetId"]) for one in context.of_types("Subnet") if one.actual}
    if not not_as_born(acls_in(ec2, vpc.actual["VpcId"]), subnets, ec2.region):
        return
    results = run_checks(DoctorContext(suffix, context.clients, context.now), CROSSINGS)
    told = {one.finding.problem for one in results if one.finding and one.finding.name == STOPPED}
    for what in sorted(told):
        yield HealthLine(vpc.logical_id, what, "unwell")
    for one in results if not told else ():
        if one.untold:
            yield HealthLine(vpc.logical_id, f"what its network ACLs stop is unknown: {one.note}", "unknown")
