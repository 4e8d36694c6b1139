"""Log groups that AWS services write to, and create if they do not exist."""

from __future__ import annotations

from provisioner.emulator.clock import clock
from provisioner.emulator.ecs.model import Task, when_running
from provisioner.emulator.errors import AwsError, Reply
from provisioner.emulator.hooks import always
from provisioner.emulator.moto_bridge import ask_moto, backend
from provisioner.emulator.patches.rds_clusters import clusters, instances
from provisioner.emulator.wire import AccountRegion, Call

FIRST_LINE = 420.0  # seconds until a new instance is available and writes; see behaviours/databases.py


def create_log_group(place: AccountRegion, group: str) -> None:
    """Create the log group that a service writes to, unless it exists."""
    try:
        ask_moto(place, "logs", "CreateLogGroup", logGroupName=group)
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise


def _create_insights_group(task: Task) -> None:
    """Create the log group of the cluster's performance events once a task runs with Container Insights on.

    Source: AWS doc, Container Insights: the group is named after the cluster.
    """
    name = task.cluster.rpartition("/")[2]
    cluster = backend("ecs", task.place.account, task.place.region).clusters[name]
    settings = {setting["name"]: setting["value"] for setting in cluster.settings or []}
    if settings.get("containerInsights", "disabled") != "disabled":
        create_log_group(task.place, f"/aws/ecs/containerinsights/{name}/performance")


when_running.append(_create_insights_group)


@always.after("rds", "CreateDBInstance")
def create_export_groups(call: Call, reply: Reply) -> None:
    """Create the log groups of the cluster's exports once the new instance is available.

    Source: AWS doc, publishing Aurora PostgreSQL logs to CloudWatch Logs.
    """
    cluster = reply["DBInstance"].get("DBClusterIdentifier", "")
    clock.later(FIRST_LINE, lambda: _create_all_export_groups(call, cluster))


@always.after("rds", "ModifyDBCluster")
def create_changed_export_groups(call: Call, reply: Reply) -> None:
    """Create the log groups of new log exports at once, if the cluster has an instance that writes."""
    name = reply["DBCluster"]["DBClusterIdentifier"]
    if any(i.db_cluster_identifier == name for i in instances(call).values()):
        _create_all_export_groups(call, name)


def _create_all_export_groups(call: Call, name: str) -> None:
    """Create the log groups of all log exports of a cluster."""
    cluster = clusters(call).get(name)
    for export in cluster.enabled_cloudwatch_logs_exports if cluster else ():
        create_log_group(call.place, f"/aws/rds/cluster/{name}/{export}")
