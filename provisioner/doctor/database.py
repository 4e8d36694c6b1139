"""Checks of the data: the database cluster, its instances, its VPC, and the session table."""

from __future__ import annotations

from datetime import date

from provisioner.doctor.check import Finding, JsonObject, ReadResult, Recovered
from provisioner.preflight.aurora import describe_end_of_support
from provisioner.settings.postgres import NO_EXTENDED_SUPPORT, day_of

_NO_LOGIN = "No task can open a connection."
# Aurora user guide, "Viewing DB cluster status" and "Viewing DB instance status": the statuses in which the
# database answers.
_ANSWERING = ("available", "backing-up", "backtracking", "maintenance", "upgrading", "modifying")
_INSTANCE_ANSWERING = (*_ANSWERING, "configuring-enhanced-monitoring", "configuring-iam-database-auth")
_STOPPED = ("stopped", "stopping", "inaccessible-encryption-credentials-recoverable")
_NEVER_AVAILABLE = ("failed", "inaccessible-encryption-credentials", "incompatible-", "insufficient-", "storage-full")


def cluster_is_available(result: ReadResult) -> Finding | None:
    """Check that the cluster exists and answers."""
    cluster = result.actual
    if cluster is None:
        return result.missing_finding("cluster-absent", _NO_LOGIN)
    name, status = cluster["DBClusterIdentifier"], cluster["Status"]
    problem = f"The {result.description} is {status}."
    if status in _STOPPED:
        command = f"aws rds start-db-cluster --db-cluster-identifier {name}"
        return Finding("cluster-stopped", problem, _NO_LOGIN, command)
    if status not in _ANSWERING:
        return Finding("cluster-not-answering", problem, _NO_LOGIN, _wake_command("cluster", name, status))
    return None


def _wake_command(kind: str, name: str, status: str) -> str:
    """Return the command that waits for a cluster or instance, or lists RDS's events if it cannot recover."""
    if status.startswith(_NEVER_AVAILABLE):
        return f"aws rds describe-events --source-type db-{kind} --source-identifier {name} --duration 1440"
    return f"aws rds wait db-{kind}-available --db-{kind}-identifier {name}"


def writer_is_available(cluster: JsonObject, instances: list[JsonObject]) -> Finding | None:
    """Check that the cluster has a writer, and that it is available."""
    members = cluster["DBClusterMembers"]
    writer = next((member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]), "")
    by_id = {instance["DBInstanceIdentifier"]: instance for instance in instances}
    instance = by_id.get(writer)
    if instance is None:
        problem = f"The database cluster {cluster['DBClusterIdentifier']} has no instance that writes."
        return Finding("no-writer", problem, _NO_LOGIN, "apply")
    if instance["DBInstanceStatus"] not in _INSTANCE_ANSWERING:
        problem = f"The database's writer {writer} is {instance['DBInstanceStatus']}."
        command = _wake_command("instance", writer, instance["DBInstanceStatus"])
        return Finding("writer-not-answering", problem, _NO_LOGIN, command)
    return None


def version_is_supported(cluster: JsonObject, end_of_support: date | None, now: float) -> None:
    """Check that the standard support of the database's major version does not end soon.

    Raises:
        Recovered: The end is near or past; that is told, and is no finding.

    """
    if end_of_support is None:
        return
    is_enrolled = cluster.get("EngineLifecycleSupport") != NO_EXTENDED_SUPPORT
    message = describe_end_of_support(cluster["EngineVersion"], end_of_support, day_of(now), is_enrolled=is_enrolled)
    if message:
        raise Recovered(message)


def cluster_is_in_vpc(result: ReadResult, vpc: JsonObject) -> Finding | None:
    """Check that the database is in the stack's VPC."""
    subnet_group = result.found
    if subnet_group["VpcId"] != vpc["VpcId"]:
        problem = f"The {result.description} lies in {subnet_group['VpcId']}, the tasks in {vpc['VpcId']}."
        return Finding("database-elsewhere", problem, _NO_LOGIN, "plan")
    return None


def table_is_active(result: ReadResult) -> Finding | None:
    """Check that the session table exists and is active."""
    table = result.actual
    consequence = "The tasks lose their sessions."
    if table is None:
        return result.missing_finding("table-absent", consequence)
    problem = f"The {result.description} is {table['TableStatus']}."
    # DynamoDB developer guide, encryption at rest, usage notes.
    if table["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS":
        enable_key = f"aws kms enable-key --key-id {table['SSEDescription']['KMSMasterKeyArn']}"
        return Finding("table-locked", problem, consequence, enable_key)
    if table["TableStatus"] not in ("ACTIVE", "UPDATING"):
        wait = f"aws dynamodb wait table-exists --table-name {table['TableName']}"
        return Finding("table-not-active", problem, consequence, wait)
    return None
