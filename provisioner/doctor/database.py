"""Checks of the data: the database cluster, its instances, its VPC, and the session table."""

from __future__ import annotations

from datetime import date

from provisioner.doctor.finding import Finding, JsonObject, ReadResult, Recovered
from provisioner.preflight.support import words
from provisioner.settings.postgres import DISABLED, day_of

_NO_LOGIN = "No task can open a connection."
# Aurora user guide, "Viewing DB cluster status" and "Viewing DB instance status": the statuses in which the
# database answers.
_ANSWERS = ("available", "backing-up", "backtracking", "maintenance", "upgrading", "modifying")
_INSTANCE_ANSWERS = (*_ANSWERS, "configuring-enhanced-monitoring", "configuring-iam-database-auth")
_ASLEEP = ("stopped", "stopping", "inaccessible-encryption-credentials-recoverable")
_NEVER = ("failed", "inaccessible-encryption-credentials", "incompatible-", "insufficient-", "storage-full")


def cluster_is_available(result: ReadResult) -> Finding | None:
    """Check that the cluster exists and answers."""
    doc = result.actual
    if doc is None:
        return result.missing_finding("cluster-absent", _NO_LOGIN)
    name, status = doc["DBClusterIdentifier"], doc["Status"]
    what = f"The {result.description} is {status}."
    if status in _ASLEEP:
        start = f"aws rds start-db-cluster --db-cluster-identifier {name}"
        return Finding("cluster-stopped", what, _NO_LOGIN, start)
    if status not in _ANSWERS:
        return Finding("cluster-not-answering", what, _NO_LOGIN, _roused("cluster", name, status))
    return None


def _roused(thing: str, name: str, status: str) -> str:
    """Return the command to wait for a cluster or instance, or to see RDS's events if waiting is in vain."""
    if status.startswith(_NEVER):
        return f"aws rds describe-events --source-type db-{thing} --source-identifier {name} --duration 1440"
    return f"aws rds wait db-{thing}-available --db-{thing}-identifier {name}"


def writer_is_available(cluster: JsonObject, instances: list[JsonObject]) -> Finding | None:
    """Check that the cluster has a writer, and that it is available."""
    members = cluster["DBClusterMembers"]
    writer = next((one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"]), "")
    doc = next((one for one in instances if one["DBInstanceIdentifier"] == writer), None)
    if doc is None:
        what = f"The database cluster {cluster['DBClusterIdentifier']} has no instance that writes."
        return Finding("no-writer", what, _NO_LOGIN, "apply")
    if doc["DBInstanceStatus"] not in _INSTANCE_ANSWERS:
        what = f"The database's writer {writer} is {doc['DBInstanceStatus']}."
        wake = _roused("instance", writer, doc["DBInstanceStatus"])
        return Finding("writer-not-answering", what, _NO_LOGIN, wake)
    return None


def version_is_supported(cluster: JsonObject, end: date | None, now: float) -> None:
    """Check that the standard support of the database's major version does not end soon.

    Raises:
        Over: The end is near or past; that is told, and is no finding.

    """
    enrolled = cluster.get("EngineLifecycleSupport") != DISABLED
    said = words(cluster["EngineVersion"], end, day_of(now), is_enrolled=enrolled) if end else ""
    if said:
        raise Recovered(said)


def cluster_is_in_vpc(result: ReadResult, vpc: JsonObject) -> Finding | None:
    """Check that the database is in the stack's VPC."""
    doc = result.found
    if doc["VpcId"] != vpc["VpcId"]:
        what = f"The {result.description} lies in {doc['VpcId']}, the tasks in {vpc['VpcId']}."
        return Finding("database-elsewhere", what, _NO_LOGIN, "plan")
    return None


def table_is_active(result: ReadResult) -> Finding | None:
    """Check that the session table exists and is active."""
    doc = result.actual
    why = "The tasks lose their sessions."
    if doc is None:
        return result.missing_finding("table-absent", why)
    what = f"The {result.description} is {doc['TableStatus']}."
    # DynamoDB developer guide, encryption at rest, usage notes.
    if doc["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS":
        wake = f"aws kms enable-key --key-id {doc['SSEDescription']['KMSMasterKeyArn']}"
        return Finding("table-locked", what, why, wake)
    if doc["TableStatus"] not in ("ACTIVE", "UPDATING"):
        wait = f"aws dynamodb wait table-exists --table-name {doc['TableName']}"
        return Finding("table-not-active", what, why, wait)
    return None
