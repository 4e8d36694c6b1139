"""Judgements on the data: the cluster, its instances, where it stands, and the session table."""

from __future__ import annotations

from datetime import date

from provisioner.doctor.finding import Doc, Finding, Over, Sought
from provisioner.preflight.support import words
from provisioner.settings.postgres import DISABLED, day_of

_NO_LOGIN = "No task can open a connection."
# Aurora user guide, "Viewing DB cluster status" and "Viewing DB instance status": it answers in these too.
_ANSWERS = ("available", "backing-up", "backtracking", "maintenance", "upgrading", "modifying")
_INSTANCE_ANSWERS = (*_ANSWERS, "configuring-enhanced-monitoring", "configuring-iam-database-auth")
_ASLEEP = ("stopped", "stopping", "inaccessible-encryption-credentials-recoverable")
_NEVER = ("failed", "inaccessible-encryption-credentials", "incompatible-", "insufficient-", "storage-full")


def is_up(sought: Sought) -> Finding | None:
    """Whether the cluster is there and answers."""
    doc = sought.doc
    if doc is None:
        return sought.lacking("cluster-absent", _NO_LOGIN)
    name, status = doc["DBClusterIdentifier"], doc["Status"]
    what = f"The {sought.words} is {status}."
    if status in _ASLEEP:
        start = f"aws rds start-db-cluster --db-cluster-identifier {name}"
        return Finding("cluster-stopped", what, _NO_LOGIN, start)
    if status not in _ANSWERS:
        return Finding("cluster-not-answering", what, _NO_LOGIN, _roused("cluster", name, status))
    return None


def _roused(thing: str, name: str, status: str) -> str:
    """What passes is waited for; of what does not, RDS's events tell the cause."""
    if status.startswith(_NEVER):
        return f"aws rds describe-events --source-type db-{thing} --source-identifier {name} --duration 1440"
    return f"aws rds wait db-{thing}-available --db-{thing}-identifier {name}"


def writes(cluster: Doc, instances: list[Doc]) -> Finding | None:
    """Whether the cluster has a writer, and it is available."""
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


def is_supported(cluster: Doc, end: date | None, now: float) -> None:
    """Whether AWS supports its major version for long still: what comes then is told, and is no fault."""
    enrolled = cluster.get("EngineLifecycleSupport") != DISABLED
    said = words(cluster["EngineVersion"], end, day_of(now), is_enrolled=enrolled) if end else ""
    if said:
        raise Over(said)


def is_beside(sought: Sought, vpc: Doc) -> Finding | None:
    """Whether the database stands in the stack's VPC."""
    doc = sought.found
    if doc["VpcId"] != vpc["VpcId"]:
        what = f"The {sought.words} lies in {doc['VpcId']}, the tasks in {vpc['VpcId']}."
        return Finding("database-elsewhere", what, _NO_LOGIN, "plan")
    return None


def holds(sought: Sought) -> Finding | None:
    """Whether the session table is there and active."""
    doc = sought.doc
    why = "The tasks lose their sessions."
    if doc is None:
        return sought.lacking("table-absent", why)
    what = f"The {sought.words} is {doc['TableStatus']}."
    # DynamoDB developer guide, encryption at rest, usage notes.
    if doc["TableStatus"] == "INACCESSIBLE_ENCRYPTION_CREDENTIALS":
        wake = f"aws kms enable-key --key-id {doc['SSEDescription']['KMSMasterKeyArn']}"
        return Finding("table-locked", what, why, wake)
    if doc["TableStatus"] not in ("ACTIVE", "UPDATING"):
        wait = f"aws dynamodb wait table-exists --table-name {doc['TableName']}"
        return Finding("table-not-active", what, why, wait)
    return None
