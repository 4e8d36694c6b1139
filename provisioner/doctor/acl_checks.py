"""The checks that read network ACLs, for commands that make only these, such as `status`."""

from __future__ import annotations

from provisioner.doctor.checks import CHECKS
from provisioner.doctor.reads import balancer, data, edge, network, tasks

ACL_CHECKS = tuple(one for one in CHECKS if network.network_acls in one.reads)
# The name of their finding for a network ACL.
ACL_FINDING = "acl-stops"
# The calls of these checks by service; `policy` grants them.
CALLS = {
    **edge.CALLS,
    **balancer.CALLS,
    "ecs": tasks.CALLS["ecs"],
    **network.CALLS,
    "rds": data.CALLS["rds"],
}
