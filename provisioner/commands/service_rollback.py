"""`rollback`: a service returned to a revision that it ran before, followed until it serves."""

from __future__ import annotations

from dataclasses import replace

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.image_pull import require_pullable, with_pull_permission
from provisioner.commands.plan_context import print_header
from provisioner.commands.rollout import interruptible, report_replaced
from provisioner.commands.service_controller import ServiceController
from provisioner.commands.service_releases import find_release, previous_good_release, read_releases
from provisioner.commands.service_run import RolloutOptions, ServiceRun, service_run
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Blocked, UsageError
from provisioner.names import IMAGE_OWNER
from provisioner.resources.ecs.overrides import DEPLOY
from provisioner.resources.ecs.revisions import (
    RunningRevision,
    differing_paths,
    missing_ports,
    read_revision,
    revision_number,
)
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.console import Console
from provisioner.terminal.service_tables import Release

# The intent of a rollback in the state of the task definition; the revision's ARN follows.
_INTENT = "go back to "


def roll_back_service(console: Console, session: Session, options: RolloutOptions, reference: str) -> int:
    """Find the revision, ask for confirmation, roll it out and follow it; return the exit code.

    An empty `reference` means the last good revision before the running one.
    """
    completion = CompletionLine(console, session, "Rollback")
    print_header(console, session)
    with service_run(console, session, "rollback", options.service, options.lock_timeout) as run:
        with user_errors(f"looking at the revisions of {run.service.aws_name}"):
            running = run.service.running()
            releases = read_releases(run.service, running)
        target = _choose_release(console, run.service, running, releases, reference)
        run.record_events()
        if target.arn == running.arn and running.is_settled:
            run.confirm_unchanged(running, {IMAGE_OWNER: DEPLOY}, smoke=options.smoke)
        else:
            _check_and_confirm(run, running, target, options)
            _roll_out(run, running, target, options)
        run.print_revision(target.arn, target.image)
    if target.arn != running.arn:
        _print_way_forward(console, run.service, running)
    completion.print(f"{run.service.title} runs revision {target.revision}")
    return 0


def _choose_release(
    console: Console,
    service: ServiceController,
    running: RunningRevision,
    releases: list[Release],
    reference: str,
) -> Release:
    """Return the release to go back to.

    If an earlier rollback reached AWS but did not see its end, that one goes on: this run goes no further
    back.

    Raises:
        UsageError: An earlier rollback has ended, so it must be said which revision is meant; or there is no such
            revision.
        Blocked: There is no good revision before the running one.

    """
    if reference:
        return find_release(releases, reference)
    if _pending_rollback(service) == running.arn:
        console.note("An earlier rollback was cut off: it is gone on with, none goes further back.")
        return find_release(releases, running.arn)
    current = revision_number(running.arn)
    target = previous_good_release(releases, current)
    if newer := next((release for release in releases if release.revision > current and release.has_succeeded), None):
        raise _already_rolled_back_error(service, current, newer, target)
    if target is None:
        raise _no_release_error(service, current)
    return target


def _pending_rollback(service: ServiceController) -> str:
    """Return the revision of an interrupted rollback; "" if there is none, or another run has ended it."""
    intent = service.task_definition_state.intent
    is_open = intent is not None and intent.action.startswith(_INTENT) and service.resource_state.phase != "ready"
    return intent.action.removeprefix(_INTENT) if intent and is_open else ""


def _check_and_confirm(run: ServiceRun, running: RunningRevision, target: Release, options: RolloutOptions) -> None:
    """Check that the service can run the revision, show what would change, and ask for confirmation.

    Raises:
        Blocked: ECS would refuse the revision, or an image of it cannot be pulled.
        Declined: The person said no.

    """
    console, session, service = run.console, run.session, run.service
    _check_ports(service, running, target)
    with user_errors(f"looking at the images of revision {target.revision}"):
        require_pullable(console, session, images_of(read_revision(session.clients, target.arn)))
    _print_changes(console, service, running, target)
    if target.arn != running.arn:
        report_replaced(console, service, running)
    options.confirmation.confirm(console, f"Go back to revision {target.revision} in {session.suffix}?")


def _roll_out(run: ServiceRun, running: RunningRevision, target: Release, options: RolloutOptions) -> None:
    """Tag the service, record where it goes back to, and roll that revision out."""
    console, service = run.console, run.service
    with (
        with_pull_permission(console, run.session, service, target.image, run.record),
        interruptible(console, service, f"going back with {service.aws_name}"),
    ):
        run.record.plan = {"change": 1}
        service.tag_overrides(running, {IMAGE_OWNER: DEPLOY})
        intent = f"{_INTENT}{target.arn}"
        state_manager = service.executor.state_manager
        state_manager.record_intent(service.task_definition_id, intent, replace(service.task_definition_state))
        run.roll_out(running, target.arn, options)


def _print_changes(console: Console, service: ServiceController, running: RunningRevision, target: Release) -> None:
    """Show what would change: beside the image, an `apply` may have changed other properties too."""
    console.note(
        f"  ~ {service.title} ({service.aws_name}), revision {revision_number(running.arn)} -> {target.revision}"
    )
    if running.image != target.image:
        console.note(f"      image: {running.image} -> {target.image}")
    task_definition = read_revision(service.session.clients, target.arn)
    if paths := differing_paths(str(running.container["name"]), task_definition, running.task_definition):
        console.note(f"      besides: {', '.join(paths)}; the next `apply` brings what the settings want of that")


def _print_way_forward(console: Console, service: ServiceController, former: RunningRevision) -> None:
    """Say which command brings back the revision that ran before the rollback."""
    revision = revision_number(former.arn)
    console.note(f"`{service.command(f'rollback --to {revision}')}` brings back revision {revision}, which ran before.")


def _check_ports(service: ServiceController, running: RunningRevision, target: Release) -> None:
    """Refuse a revision whose containers do not expose the port that the load balancer calls.

    Only the settings change the port, together with the rules for it.

    Raises:
        Blocked: ECS would refuse the revision.

    """
    if ports := missing_ports(running.service, read_revision(service.session.clients, target.arn)):
        apply = service.session.options.workspace.command("apply", service.session.suffix)
        raise Blocked(
            f"Revision {target.revision} of {service.aws_name} does not listen where the load balancer asks "
            f"({', '.join(ports)}): it was made for another port. Nothing was touched.",
            f"Set `container.port` back to that of the revision and run `{apply}`, then go back.",
        )


def _already_rolled_back_error(
    service: ServiceController, current: int, newer: Release, earlier: Release | None
) -> UsageError:
    """Return the error that a rollback has ended: a second one, unsaid where to, could mean back or forth."""
    ways = [f"`{service.command(f'rollback --to {newer.revision}')}` brings back revision {newer.revision}"]
    if earlier:
        command = service.command(f"rollback --to {earlier.revision}")
        ways.append(f"`{command}` goes further back, to revision {earlier.revision}")
    return UsageError(
        f"{service.title} runs revision {current} after a rollback: say with --to which revision is to run.",
        f"{'; '.join(ways)}.",
    )


def _no_release_error(service: ServiceController, current_revision: int) -> Blocked:
    """Return the error that there is no good revision: none is earlier, or all failed or are deregistered."""
    return Blocked(
        f"There is no good revision of {service.aws_name} before {current_revision} to go back to.",
        f"`{service.command('deploy --image REF')}` ships another image; "
        f"`{service.command('releases')}` tells what there is.",
    )
