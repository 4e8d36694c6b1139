"""Judgements on the data: the cluster, its instances, where it stands, and the session table."""

from __future__ import annotations

from provisioner.doctor.finding import Doc, Finding, Sought

_NO_LOGIN = "No task can open a connection."
# Aurora user guide, "Viewing DB cluster status": it answers in these too.
_ANSWERS = ("available", "backing-up", "backtracking", "maintenance", "upgrading", "modifying")
_INSTANCE_ANSWERS = (*_ANSWERS, "configuring-enhanced-monitoring", "configuring-iam-database-auth")


def is_up(sought: Sought) -> Finding | None:
    """Whether the cluster is there and answers."""
    doc = sought.doc
    if doc is None:
        return sought.lacking("cluster-absent", _NO_LOGIN)
    if doc["Status"] == "stopped":
        start = f"aws rds start-db-cluster --db-cluster-identifier {doc['DBClusterIdentifier']}"
        return Finding("cluster-stopped", f"The {sought.words} is stopped.", _NO_LOGIN, start)
    if doc["Status"] not in _ANSWERS:
        return Finding("cluster-not-answering", f"The {sought.words} is {doc['Status']}.", _NO_LOGIN, "apply")
    return None


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
        return Finding("writer-not-answering", what, _NO_LOGIN, "apply")
    return None


def is_beside(sought: Sought, vpc: Doc) -> Finding | None:
    """Whether the database stands in the stack's VPC."""
    doc = sought.found
    if doc["VpcId"] != vpc["VpcId"]:
        what = f"The {sought.words} lies in {doc['VpcId']}, the tasks in {vpc['VpcId']}."
        return Finding("database-elsewhere", what, _NO_LOGIN, "apply")
    return None


def holds(sought: Sought) -> Finding | None:
    """Whether the session table is there and active."""
    doc = sought.doc
    why = "The tasks lose their sessions."
    if doc is None:
        return sought.lacking("table-absent", why)
    if doc["TableStatus"] not in ("ACTIVE", "UPDATING"):
        return Finding("table-not-active", f"The {sought.words} is {doc['TableStatus']}.", why, "apply")
    return None
