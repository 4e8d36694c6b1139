"""Check of the database's major version: how long AWS supports it, and what happens after that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.user_errors import describe_refusal
from provisioner.engine.planning.plan import Plan
from provisioner.engine.resource_graph.graph import Resource
from provisioner.preflight.findings import Finding
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


def standard_end(clients: Clients, version: str) -> date | None:
    """Return the last day of a version's standard support, from AWS; None if AWS does not tell it."""
    rds = clients.client("rds")
    asked = {"Engine": _ENGINE, "MajorEngineVersion": major_of(version)}
    listed = rds.describe_db_major_engine_versions(**asked)["DBMajorEngineVersions"]
    known = [life for one in listed for life in one.get("SupportedEngineLifecycles", [])]
    ends = (one["LifecycleSupportEndDate"] for one in known if one["LifecycleSupportName"] == _STANDARD)
    return next((day_of(end.timestamp()) for end in ends), None)


def words(version: str, end: date, today: date, *, is_enrolled: bool, is_reckoned: bool = False) -> str:
    """Return a sentence about the end of a version's standard support; "" if that is not near.

    Args:
        version: The version of the database, such as "16.8".
        end: The last day of standard support.
        today: The current day.
        is_enrolled: Whether the database gets extended support, which is paid for, after that day.
        is_reckoned: Whether the day is an estimate, because neither AWS nor the built-in calendar has it.

    """
    if not is_support_end_near(end, today):
        return ""
    major, is_over = major_of(version), end < today
    day = f"{end} (reckoned)" if is_reckoned else str(end)
    ends = f"the standard support of PostgreSQL {major} {'ended' if is_over else 'ends'} on {day}"
    if not is_enrolled:
        return f"{ends}: AWS moves the database to a later major version after that"
    since = "each ACU pays" if is_over else "from the next day on each ACU pays"
    return f"{ends}; {since} for extended support"


def support(plan: Plan, clients: Clients) -> Iterator[Finding]:
    """Yield a finding if the standard support of the database's version ends soon, or has ended.

    AWS is asked if the built-in date is near, or if there is no built-in date.
    """
    for resource in plan.stack:
        change, doc = plan.changes.get(resource.logical_id), plan.actual.get(resource.logical_id, {})
        if change is None or str(resource.type) != "DBCluster":
            continue
        version = str(doc.get("EngineVersion") or resource.props["EngineVersion"])
        today = day_of(clients.clock.wall())
        known = STANDARD_SUPPORT_ENDS.get(major_of(version))
        if known is None or is_support_end_near(known, today):
            told = _told(clients, version)
            end, is_reckoned = told or known, told is None and major_of(version) in ESTIMATED_END_OF_SUPPORT
            yield from _findings(resource, doc, end, today, is_reckoned=is_reckoned) if end else ()


def _told(clients: Clients, version: str) -> date | None:
    """Return the last day of standard support from AWS; None if AWS does not answer."""
    try:
        return standard_end(clients, version)
    except Exception as error:  # noqa: BLE001 - raised again, unless a call was refused
        describe_refusal(error, "asking how long a version is supported")
        return None


def _findings(
    resource: Resource, doc: dict[str, Any], end: date, today: date, *, is_reckoned: bool
) -> Iterator[Finding]:
    """Yield the finding for a cluster.

    It blocks only if the cluster is new, and AWS creates no cluster of this version without extended support.
    """
    version = str(doc.get("EngineVersion") or resource.props["EngineVersion"])
    wanted = resource.props.get("EngineLifecycleSupport") or doc.get("EngineLifecycleSupport") or EXTENDED_SUPPORT
    is_enrolled = wanted != NO_EXTENDED_SUPPORT
    address = f"{resource.step}/{resource.logical_id}"
    if not doc and end < today and not is_enrolled:
        yield Finding(
            address,
            f"the standard support of PostgreSQL {major_of(version)} ended on {end}, and without extended "
            "support AWS makes none",
            f"Choose a later one, such as `--set database.version={DEFAULT_MAJOR}`.",
        )
    elif said := words(version, end, today, is_enrolled=is_enrolled, is_reckoned=is_reckoned):
        hint = (
            f"Move to a later major version: a second stack with `database.version={DEFAULT_MAJOR}` and the "
            "data, or AWS's own upgrade and that version as `database.version` here."
        )
        yield Finding(address, said, hint, blocks=False)
