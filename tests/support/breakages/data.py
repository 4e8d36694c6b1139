"""What breaks of the data: the cluster, its writer, where it stands, and the table."""

from __future__ import annotations

from typing import Any

from provisioner.emulator.account_store import AccountStore
from provisioner.emulator.behaviours import databases, tables
from tests.support.breakages.deed import Act, Break, close_in, close_out, state
from tests.support.live_stack import ACCOUNT, LiveStack
from tests.support.manual_changes import DATABASE, TABLE


def _drop_table(live_stack: LiveStack) -> None:
    dynamodb = live_stack.aws("dynamodb")
    dynamodb.update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=TABLE)


def _writer(live_stack: LiveStack) -> str:
    return str(live_stack.cluster["DBClusterMembers"][0]["DBInstanceIdentifier"])


def _drop_writer(live_stack: LiveStack) -> None:
    live_stack.aws("rds").delete_db_instance(DBInstanceIdentifier=_writer(live_stack), SkipFinalSnapshot=True)


def _say(shelf: AccountStore[str], name: Any, word: str) -> Act:
    """Let AWS be at work on something, or be done with it."""

    def change(live_stack: LiveStack) -> None:
        told = shelf.at(ACCOUNT, live_stack.region)
        id_ = name if isinstance(name, str) else name(live_stack)
        if word:
            told[id_] = word
        else:
            told.pop(id_)

    return change


def _elsewhere(live_stack: LiveStack) -> None:
    """Somebody has restored the database under its name in another VPC."""
    rds = state(live_stack, "rds")
    rds.subnet_groups[rds.clusters[DATABASE].db_subnet_group_name].vpc_id = "vpc-other"


def _back(live_stack: LiveStack) -> None:
    """They have moved it."""
    rds = state(live_stack, "rds")
    rds.subnet_groups[rds.clusters[DATABASE].db_subnet_group_name].vpc_id = live_stack.vpc


BREAKS = (
    Break(
        "cluster",
        "cluster-stopped",
        lambda live_stack: live_stack.aws("rds").stop_db_cluster(DBClusterIdentifier=DATABASE),
        "is stopped",
        "aws rds start-db-cluster",
        turn=0,
    ),
    Break(
        "cluster",
        "cluster-not-answering",
        _say(databases.cluster_states, DATABASE, "resetting-master-credentials"),
        "is resetting-master-credentials",
        "aws rds wait db-cluster-available",
        meanwhile=_say(databases.cluster_states, DATABASE, ""),
        turn=2,
    ),
    Break("writer", "no-writer", _drop_writer, "no instance that writes"),
    Break(
        "writer",
        "writer-not-answering",
        _say(databases.instance_states, _writer, "rebooting"),
        "is rebooting",
        "aws rds wait db-instance-available",
        meanwhile=_say(databases.instance_states, _writer, ""),
        turn=2,
    ),
    Break("subnet-group", "database-elsewhere", _elsewhere, "in vpc-other", "plan", meanwhile=_back, turn=2),
    Break("path", "group-shuts-out", close_in("sg-db"), "on port 5432"),
    Break("path", "group-shuts-in", close_out("sg-tasks", 5432), "does not let it out to the database", turn=0),
    Break(
        "table",
        "table-absent",
        _drop_table,
        f"There is no table {TABLE}",
        hides={"throttles", "table-rights"},
    ),
    Break(
        "table",
        "table-not-active",
        _say(tables.table_states, TABLE, "CREATING"),
        "is CREATING",
        "aws dynamodb wait table-exists",
        meanwhile=_say(tables.table_states, TABLE, ""),
        turn=2,
    ),
    Break(
        "table",
        "table-locked",
        _say(tables.table_states, TABLE, "INACCESSIBLE_ENCRYPTION_CREDENTIALS"),
        "is INACCESSIBLE_ENCRYPTION_CREDENTIALS",
        "aws kms enable-key",
        meanwhile=_say(tables.table_states, TABLE, ""),
        turn=0,
    ),
)
