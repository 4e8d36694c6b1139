"""The reads of `doctor`: lookups by name and tag, which return AWS's answers, one module for each topic."""

from __future__ import annotations

from provisioner.doctor.reads import balancer, database, domain_names, edge, limits, network, scaling, task_roles, tasks
from provisioner.preflight import aurora

# The calls of all reads by service; `policy` grants them.
CALLS = {
    **edge.CALLS,
    **balancer.CALLS,
    **tasks.CALLS,
    **scaling.CALLS,
    **network.CALLS,
    **database.CALLS,
    **task_roles.CALLS,
    **domain_names.CALLS,
    **limits.CALLS,
    "rds": (*database.CALLS["rds"], *aurora.CALLS["rds"]),
}
# The calls of the checks that read network ACLs.
ACL_CALLS = {**edge.CALLS, **balancer.CALLS, "ecs": tasks.CALLS["ecs"], **network.CALLS, "rds": database.CALLS["rds"]}
