"""Checks of the database: how long AWS supports its version, and whether its writer is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.planning.change import Change
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.preflight.finding import Finding, address_of
from provisioner.service_clients import RDS
from provisioner.settings.postgres import (
    DEFAULT_MAJOR,
    ESTIMATED_END_OF_SUPPORT,
    EXTENDED_SUPPORT,
    NO_EXTENDED_SUPPORT,
    STANDARD_SUPPORT_ENDS,
    day_of,
    is_support_end_near,
    major_of,
)

# The calls of this module by service; `policy` grants them. tests/resources/test_declared_calls.py compares
# it with the source.
CALLS = {"rds": ("DescribeDBMajorEngineVersions",)}
_ENGINE, _STANDARD = "aurora-postgresql", "open-source-rds-standard-support"


def standard_support_end(clients: Clients, version: str) -> date | None:
    """Return the last day of a version's standard support, from AWS; None if AWS does not tell it."""
    rds = clients.client(RDS)
    reply = rds.describe_db_major_engine_versions(Engine=_ENGINE, MajorEngineVersion=major_of(version))
    for major_version in reply["DBMajorEngineVersions"]:
        for lifecycle in major_version.get("SupportedEngineLifecycles", []):
            if lifecycle["LifecycleSupportName"] == _STANDARD:
                return day_of(lifecycle["LifecycleSupportEndDate"].timestamp())
    return None


def describe_end_of_support(
    version: str, end: date, today: date, *, is_enrolled: bool, is_estimated: bool = False
) -> str:
    """Return a sentence about the end of a version's standard support; "" if that is not near.

    Args:
        version: The version of the database, such as "16.8".
        end: The last day of standard support.
        today: The current day.
        is_enrolled: Whether the database gets extended support, which is paid for, after that day.
        is_estimated: Whether the day is an estimate, because neither AWS nor the built-in calendar has it.

    """
    if not is_support_end_near(end, today):
        return ""
    major, has_ended = major_of(version), end < today
    day = f"{end} (estimated)" if is_estimated else str(end)
    sentence = f"the standard support of PostgreSQL {major} {'ended' if has_ended else 'ends'} on {day}"
    if not is_enrolled:
        return f"{sentence}: AWS moves the database to a later major version after that"
    charge = "each ACU pays" if has_ended else "from the next day on each ACU pays"
    return f"{sentence}; {charge} for extended support"


def check_version_support(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield a finding if the standard support of the database's version ends soon, or has ended.

    AWS is asked if the built-in date is near, or if there is no built-in date.
    """
    for resource in plan.stack:
        change, actual = plan.changes.get(resource.logical_id), plan.actual.get(resource.logical_id, {})
        if change is None or str(resource.type) != "DBCluster":
            continue
        version = str(actual.get("EngineVersion") or resource.props["EngineVersion"])
        today = day_of(clients.clock.wall())
        built_in = STANDARD_SUPPORT_ENDS.get(major_of(version))
        if built_in is None or is_support_end_near(built_in, today):
            from_aws = _end_of_support_or_none(clients, version)
            is_estimated = from_aws is None and major_of(version) in ESTIMATED_END_OF_SUPPORT
            if end := from_aws or built_in:
                yield from _support_findings(resource, actual, end, today, is_estimated=is_estimated)


def _end_of_support_or_none(clients: Clients, version: str) -> date | None:
    """Return the last day of standard support from AWS; None if AWS does not answer."""
    try:
        return standard_support_end(clients, version)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        describe_refusal(error, "asking how long a version is supported")
        return None


def _support_findings(
    resource: Resource, actual: JsonObject, end: date, today: date, *, is_estimated: bool
) -> Iterator[Finding]:
    """Yield the finding for a cluster.

    It blocks only if the cluster is new, and AWS creates no cluster of this version without extended support.
    """
    version = str(actual.get("EngineVersion") or resource.props["EngineVersion"])
    lifecycle_support = (
        resource.props.get("EngineLifecycleSupport") or actual.get("EngineLifecycleSupport") or EXTENDED_SUPPORT
    )
    is_enrolled = lifecycle_support != NO_EXTENDED_SUPPORT
    address = address_of(resource)
    if not actual and end < today and not is_enrolled:
        yield Finding(
            address,
            f"the standard support of PostgreSQL {major_of(version)} ended on {end}, and without extended "
            "support AWS makes none",
            f"Choose a later one, such as `--set database.version={DEFAULT_MAJOR}`.",
        )
    elif sentence := describe_end_of_support(version, end, today, is_enrolled=is_enrolled, is_estimated=is_estimated):
        hint = (
            f"Move to a later major version: a second stack with `database.version={DEFAULT_MAJOR}` and the "
            "data, or AWS's own upgrade and that version as `database.version` here."
        )
        yield Finding(address, sentence, hint, is_blocking=False)


def check_writer(plan: Plan) -> Iterator[Finding]:
    """Yield a warning for each writer that the plan deletes while another instance stays; makes no call.

    It is only a warning, as AWS promotes an instance that stays by itself, within a minute (Aurora user
    guide, fault tolerance).
    """
    deletions = [change for change in plan.changes.values() if change.action == "delete"]
    deleted = {change.id: change for change in deletions if change.type_name == "DBInstance"}
    for cluster in _existing_clusters(plan):
        members = cluster.get("DBClusterMembers", [])
        remaining = [name for member in members if (name := member["DBInstanceIdentifier"]) not in deleted]
        writers = [member["DBInstanceIdentifier"] for member in members if member["IsClusterWriter"]]
        for writer in writers if remaining else ():
            if writer in deleted:
                yield _writer_finding(plan, cluster["DBClusterIdentifier"], deleted[writer], remaining[0])


def _existing_clusters(plan: Plan) -> list[JsonObject]:
    """Return what AWS says of the declared database clusters that exist."""
    clusters = [resource.logical_id for resource in plan.stack if str(resource.type) == "DBCluster"]
    return [plan.actual[logical_id] for logical_id in clusters if logical_id in plan.actual]


def _writer_finding(plan: Plan, cluster: str, change: Change, successor: str) -> Finding:
    """Return the warning for a writer that the plan deletes, and that another instance succeeds."""
    command = (
        f"aws rds failover-db-cluster --db-cluster-identifier {cluster} "
        f"--target-db-instance-identifier {successor} --region {plan.stack.region}"
    )
    return Finding(
        f"{change.step}/{change.logical_id}",
        f"{change.id} is the writer since a failover: with its end {successor} takes over, "
        "and nothing can be written for up to a minute",
        f"To choose the minute: `{command}`, then run the same command again.",
        is_blocking=False,
    )
