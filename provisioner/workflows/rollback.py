"""`rollback`: a service returned to a revision that it ran before, followed until it serves."""

from __future__ import annotations

from dataclasses import dataclass

from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Blocked
from provisioner.names import IMAGE_OWNER
from provisioner.resources.ecs.overrides import DEPLOY
from provisioner.resources.ecs.revisions import RunningRevision, differing_paths, missing_ports, number, revision
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.console import Console
from provisioner.terminal.service_tables import Release
from provisioner.workflows.confirmation import Confirmation
from provisioner.workflows.deploy import answer, listen_to, settle, ship
from provisioner.workflows.image_pull import require_pullable, with_pull_permission
from provisioner.workflows.other_runs import without_other_runs
from provisioner.workflows.plan_context import print_header
from provisioner.workflows.releases import earlier, named, releases_of
from provisioner.workflows.rollout import interruptible, report_replaced
from provisioner.workflows.run_recording import recorded
from provisioner.workflows.service_controller import ServiceController, service_controller
from provisioner.workflows.smoke_test import smoke


@dataclass(frozen=True)
class RollbackOptions:
    """The options of a rollback; an empty `to` means the last good revision before the running one."""

    confirmation: Confirmation
    service: str = ""
    to: str = ""
    fail_fast: bool = False
    lock_timeout: float = 0.0
    smoke: bool = True


def rollback(console: Console, session: Session, options: RollbackOptions) -> int:
    """Find the revision, ask for confirmation, roll it out and follow it; return the exit code."""
    print_header(console, session)
    with (
        session.locked("rollback", options.lock_timeout),
        recorded(session, "rollback") as record,
        without_other_runs(session),
    ):
        service = service_controller(session, options.service)
        with user_errors(f"looking at the revisions of {service.aws_name}"):
            running = service.running()
            listed = releases_of(service, running)
        to = _meant(console, service, running, listed, options)
        listen_to(service, record)
        if to.arn == running.arn and running.is_settled:
            settle(console, service, running, {IMAGE_OWNER: DEPLOY}, is_asked=options.smoke)
        else:
            _refuse_unopened(service, running, to)
            with user_errors(f"looking at the images of revision {to.revision}"):
                require_pullable(console, session, images_of(revision(session.clients, to.arn)))
            _show(console, service, running, to)
            if to.arn != running.arn:
                report_replaced(console, service, running)
            options.confirmation.confirm(console, f"Go back to revision {to.revision} in {session.suffix}?")
            doing = f"going back with {service.aws_name}"
            with (
                with_pull_permission(console, session, service, to.image, record),
                interruptible(console, service, doing),
            ):
                record.plan = {"change": 1}
                service.tag_overrides(running, {IMAGE_OWNER: DEPLOY})
                service.record_rollback(to.arn)
                ship(console, service, running, to.arn, fail_fast=options.fail_fast)
                if options.smoke:
                    smoke(console, service)
        answer(console, service, to.arn, to.image)
    return 0


def _meant(
    console: Console,
    service: ServiceController,
    running: RunningRevision,
    listed: list[Release],
    options: RollbackOptions,
) -> Release:
    """Return the release to go back to.

    If an earlier rollback reached AWS but did not see its end, that one goes on: this run goes no further
    back.
    """
    if options.to:
        return named(listed, options.to)
    if service.pending_rollback == running.arn:
        console.note("An earlier rollback was cut off: it is gone on with, none goes further back.")
        return named(listed, running.arn)
    if to := earlier(listed, number(running.arn)):
        return to
    raise _nowhere(service, number(running.arn))


def _show(console: Console, service: ServiceController, running: RunningRevision, to: Release) -> None:
    """Show what would change: beside the image, an `apply` may have changed other properties too."""
    console.note(f"  ~ {service.title} ({service.aws_name}), revision {number(running.arn)} -> {to.revision}")
    if running.image != to.image:
        console.note(f"      image: {running.image} -> {to.image}")
    doc = revision(service.session.clients, to.arn)
    if paths := differing_paths(str(running.container["name"]), doc, running.task_definition):
        console.note(f"      besides: {', '.join(paths)}; the next `apply` brings what the settings want of that")


def _refuse_unopened(service: ServiceController, running: RunningRevision, to: Release) -> None:
    """Refuse a revision whose containers do not expose the port that the load balancer calls.

    Only the settings change the port, together with the rules for it.

    Raises:
        Blocked: ECS would refuse the revision.

    """
    if ports := missing_ports(running.service, revision(service.session.clients, to.arn)):
        apply = service.session.options.workspace.command("apply", service.session.suffix)
        raise Blocked(
            f"Revision {to.revision} of {service.aws_name} does not listen where the load balancer asks "
            f"({', '.join(ports)}): it was made for another port. Nothing was touched.",
            f"Set `container.port` back to that of the revision and run `{apply}`, then go back.",
        )


def _nowhere(service: ServiceController, now: int) -> Blocked:
    """Return the error that there is no good revision: none is earlier, or all failed or are deregistered."""
    command, suffix = service.session.options.workspace.command, service.session.suffix
    return Blocked(
        f"There is no good revision of {service.aws_name} before {now} to go back to.",
        f"`{command('deploy --image REF', suffix)}` ships another image; "
        f"`{command('releases', suffix)}` tells what there is.",
    )
