"""`releases`: the revisions that a service can run, when each ran, who rolled it out, and how that ended.

AWS knows the revisions, and for 90 days how their deployments ended; the run records know who began them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from provisioner.commands.plan_context import print_header
from provisioner.commands.service_controller import ServiceController, service_controller
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import UsageError
from provisioner.resources.ecs.overrides import main_container
from provisioner.resources.ecs.revisions import RunningRevision, list_revisions, revision_number
from provisioner.resources.ecs.rollouts import Rollout, list_rollouts
from provisioner.resources.ecs.service_deployments import ROLLED_BACK, SUCCESSFUL
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.service_tables import Release, show_releases
from state.errors import StateError
from state.run_store import RunId

# How many of the newest revisions are looked at.
MAX_REVISIONS = 20
_CONCURRENT_READS = 8
UNKNOWN_RESULT = ""
_OK, _RUNNING = "ok", "under way"
# The result of a deployment, by its status in ECS.
_RESULTS = {SUCCESSFUL: _OK, ROLLED_BACK: "rolled back", "ROLLBACK_FAILED": "failed", "STOPPED": "stopped"}
RunRecords = list[Mapping[str, Any]]


def print_releases(console: Console, session: Session, service: str) -> int:
    """Show the releases of a service, newest first."""
    print_header(console, session)
    controller = service_controller(session, service)
    with user_errors(f"looking at the revisions of {controller.aws_name}"):
        running = controller.running()
        releases = read_releases(controller, running)
    show_releases(console, controller.title, releases)
    if missing_numbers := missing_revisions(release.revision for release in releases):
        console.note(
            f"Not there any more: {', '.join(map(str, missing_numbers))}. Somebody has deregistered what is missing."
        )
    return 0


def missing_revisions(revisions: Iterable[int]) -> list[int]:
    """Return the revision numbers that are missing between the known ones."""
    numbers = set(revisions)
    return [number for number in range(min(numbers, default=0), max(numbers, default=0)) if number not in numbers]


def read_releases(service: ServiceController, running: RunningRevision) -> list[Release]:
    """Return every revision of the service that can be run, newest first."""
    session = service.session
    task_definitions = list_revisions(
        session.clients, str(running.task_definition["family"]), session.suffix, MAX_REVISIONS
    )
    deployments = list_rollouts(session.clients, service.cluster, service.aws_name, warn=session.warn) or []
    records = _read_run_records(session)
    return [_release(service, running, task_definition, deployments, records) for task_definition in task_definitions]


def _release(
    service: ServiceController,
    running: RunningRevision,
    task_definition: JsonObject,
    deployments: Iterable[Rollout],
    records: RunRecords,
) -> Release:
    """Return one revision with its last deployment, and with the run that brought it."""
    arn = str(task_definition["taskDefinitionArn"])
    own_deployments = [deployment for deployment in deployments if deployment.revision == arn]
    runs = [deployment for deployment in records if _revision_of_run(deployment, service.task_definition_id) == arn]
    last, run = next(iter(own_deployments), None), next(iter(runs), None)
    registered = task_definition.get("registeredAt")
    when = last.created_at if last else registered.timestamp() if registered else None
    author = str(run["who"]) if run else str(task_definition.get("registeredBy", "")).rpartition("/")[2]
    return Release(
        revision_number(arn),
        arn,
        str(main_container(running.service, task_definition)["image"]),
        when,
        author,
        _deployment_result(own_deployments, run),
        is_running=arn == running.arn,
        has_succeeded=any(deployment.status == SUCCESSFUL for deployment in own_deployments)
        or any(deployment["result"] == _OK for deployment in runs),
    )


def _deployment_result(deployments: list[Rollout], run: Mapping[str, Any] | None) -> str:
    """Return how the revision's last deployment ended: by ECS's status, else by the run's record."""
    if not deployments:
        return str(run["result"]).replace("_", " ") if run else UNKNOWN_RESULT
    return _RESULTS.get(deployments[0].status, _RUNNING)


def _revision_of_run(record: Mapping[str, Any], task: str) -> str:
    """Return the ARN of the revision that a run brought to a service."""
    return str(record.get("nodes", {}).get(task, {}).get("id", ""))


def _read_run_records(session: Session) -> RunRecords:
    """Return the records of the stack's runs, newest first; with a shared state, each one is a call."""
    history = session.options.workspace.history

    def read(name: RunId) -> Mapping[str, Any] | None:
        with suppress(StateError):  # an unreadable record is left out
            return history.read(name)
        return None

    with ThreadPoolExecutor(_CONCURRENT_READS) as pool:
        return list(filter(None, pool.map(read, history.run_ids(session.suffix))))


def previous_good_release(releases: Iterable[Release], current_revision: int) -> Release | None:
    """Return the good revision below `current_revision` that ran last; a deploy after a rollback skips what was left.

    If there is none, the last one whose result is unknown.
    """
    below = [release for release in releases if release.revision < current_revision]
    candidates = [release for release in below if release.has_succeeded] or [
        release for release in below if release.result == UNKNOWN_RESULT
    ]
    return max(candidates, key=lambda release: (release.started_at or 0.0, release.revision), default=None)


def find_release(candidates: Iterable[Release], reference: str) -> Release:
    """Return the release that `3`, `family:3` or its ARN names.

    Raises:
        UsageError: There is no such release.

    """
    releases = list(candidates)
    number_match = re.fullmatch(r"(?:.*:)?(\d+)", reference)
    release = next(
        (candidate for candidate in releases if number_match and candidate.revision == int(number_match[1])), None
    )
    if release is None:
        revisions = ", ".join(str(candidate.revision) for candidate in releases) or "none"
        raise UsageError(
            f"There is no revision {reference} that could be run.",
            f"There are: {revisions}; `releases` tells of them.",
        )
    return release
