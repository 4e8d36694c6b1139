"""What a network ACL can stop: the checks that look at the borders of subnets, to be made alone."""

from __future__ import annotations

from provisioner.doctor.asked import balancer, data, edge, network, tasks
from provisioner.doctor.rounds import CHECKS

CROSSINGS = tuple(one for one in CHECKS if network.borders in one.reads)
# How these checks call that which they find.
STOPPED = "acl-stops"
# What is asked for them, by service: `policy` grants it.
CALLS = {
    **edge.CALLS,
    **balancer.CALLS,
    "ecs": tasks.CALLS["ecs"],
    **network.CALLS,
    "rds": data.CALLS["rds"],
}
