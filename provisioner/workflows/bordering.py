"""Traffic that network ACLs stop, for `status` and `report`: found by the checks of `doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from provisioner.doctor.crossings import CROSSINGS, STOPPED
from provisioner.doctor.patient import Patient
from provisioner.doctor.walk import walk
from provisioner.health.scene import Line, Part, Scene, Sight, asked
from provisioner.resources.ec2.acls import acls_in, not_as_born

_TOPIC = "network"


def borders(scene: Scene, suffix: str) -> tuple[Part, ...]:
    """Return what network ACLs stop; nothing if they are as AWS created them with the subnets."""
    found = [line for one in scene.of("Vpc") for line in asked(one.node, partial(_lines, scene, one, suffix))]
    return (Part(_TOPIC, tuple(found)),) if found else ()


def _lines(scene: Scene, vpc: Sight, suffix: str) -> Iterator[Line]:
    """Yield what the network ACLs of one VPC stop.

    A VPC whose ACLs nobody changed costs one call; the checks of `doctor` run for the others only.
    """
    if vpc.doc is None:
        return
    ec2 = scene.clients.client("ec2")
    subnets = {str(one.doc["SubnetId"]) for one in scene.of("Subnet") if one.doc}
    if not not_as_born(acls_in(ec2, vpc.doc["VpcId"]), subnets, ec2.region):
        return
    results = walk(Patient(suffix, scene.clients, scene.now), CROSSINGS)
    told = {one.finding.what for one in results if one.finding and one.finding.name == STOPPED}
    for what in sorted(told):
        yield Line(vpc.node, what, "unwell")
    for one in results if not told else ():
        if one.untold:
            yield Line(vpc.node, f"what its network ACLs stop is unknown: {one.note}", "unknown")
