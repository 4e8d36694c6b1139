"""`releases`: the revisions that a service can run, when each ran, who rolled it out, and how that ended.

AWS knows the revisions, and for 90 days how their deployments ended; the run records know who began them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import UsageError
from provisioner.resources.ecs.overrides import main_container
from provisioner.resources.ecs.revisions import RunningRevision, number, revisions
from provisioner.resources.ecs.rollouts import BACK, GOOD, Rollout, rollouts
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.service_tables import Release, show_releases
from provisioner.workflows.plan_context import print_header
from provisioner.workflows.service_controller import ServiceController, service_controller
from state.errors import StateError
from state.run_store import RunId

# How many of the newest revisions are looked at.
MOST = 20
_AT_ONCE = 8
UNKNOWN_RESULT = ""
_OK, _RUNNING = "ok", "under way"
# The result of a deployment, by its status in ECS.
_ENDS = {GOOD: _OK, BACK: "rolled back", "ROLLBACK_FAILED": "failed", "STOPPED": "stopped"}
Records = list[Mapping[str, Any]]


def releases(console: Console, session: Session, service: str) -> int:
    """Show the releases of a service, newest first."""
    print_header(console, session)
    one = service_controller(session, service)
    with user_errors(f"looking at the revisions of {one.aws_name}"):
        running = one.running()
        listed = releases_of(one, running)
    show_releases(console, one.title, listed)
    if gone := missing(each.revision for each in listed):
        console.note(f"Not there any more: {', '.join(map(str, gone))}. Somebody has deregistered what is missing.")
    return 0


def missing(known: Iterable[int]) -> list[int]:
    """Return the revision numbers that are missing between the known ones."""
    numbers = set(known)
    return [each for each in range(min(numbers, default=0), max(numbers, default=0)) if each not in numbers]


def releases_of(service: ServiceController, running: RunningRevision) -> list[Release]:
    """Return every revision of the service that can be run, newest first."""
    session = service.session
    listed = revisions(session.clients, str(running.task_definition["family"]), session.suffix, MOST)
    told = rollouts(session.clients, service.cluster, service.aws_name, tell=session.warn) or []
    known = _records(session)
    return [_release(service, running, doc, told, known) for doc in listed]


def _release(
    service: ServiceController, running: RunningRevision, doc: JsonObject, told: Iterable[Rollout], known: Records
) -> Release:
    """Return one revision with its last deployment, and with the run that brought it."""
    arn = str(doc["taskDefinitionArn"])
    mine = [each for each in told if each.revision == arn]
    runs = [each for each in known if _brought(each, service.task_definition_id) == arn]
    last, run = next(iter(mine), None), next(iter(runs), None)
    registered = doc.get("registeredAt")
    at = last.at if last else registered.timestamp() if registered else None
    by = str(run["who"]) if run else str(doc.get("registeredBy", "")).rpartition("/")[2]
    return Release(
        number(arn),
        arn,
        str(main_container(running.service, doc)["image"]),
        at,
        by,
        _result(mine, run),
        runs=arn == running.arn,
        was_good=any(each.status == GOOD for each in mine) or any(each["result"] == _OK for each in runs),
    )


def _result(mine: list[Rollout], run: Mapping[str, Any] | None) -> str:
    """Return how the revision's last deployment ended: by ECS's status, else by the run's record."""
    if not mine:
        return str(run["result"]).replace("_", " ") if run else UNKNOWN_RESULT
    return _ENDS.get(mine[0].status, _RUNNING)


def _brought(record: Mapping[str, Any], task: str) -> str:
    """Return the ARN of the revision that a run brought to a service."""
    return str(record.get("nodes", {}).get(task, {}).get("id", ""))


def _records(session: Session) -> Records:
    """Return the records of the stack's runs, newest first; with a shared state, each one is a call."""
    history = session.options.workspace.history

    def read(name: RunId) -> Mapping[str, Any] | None:
        with suppress(StateError):  # an unreadable record is left out
            return history.read(name)
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(filter(None, pool.map(read, history.run_ids(session.suffix))))


def earlier(listed: Iterable[Release], now: int) -> Release | None:
    """Return the newest good revision below `now`; if there is none, the newest whose result is unknown."""
    below = [one for one in listed if one.revision < now]
    good = (one for one in below if one.was_good)
    return next(good, None) or next((one for one in below if one.result == UNKNOWN_RESULT), None)


def named(listed: Iterable[Release], told: str) -> Release:
    """Return the release that `3`, `family:3` or its ARN names.

    Raises:
        UsageError: There is no such release.

    """
    known = list(listed)
    found = re.fullmatch(r"(?:.*:)?(\d+)", told)
    match = next((one for one in known if found and one.revision == int(found[1])), None)
    if match is None:
        there = ", ".join(str(one.revision) for one in known) or "none"
        raise UsageError(
            f"There is no revision {told} that could be run.",
            f"There are: {there}; `releases` tells of them.",
        )
    return match
