"""`restart`: new tasks of the running revision, followed until they serve."""

from __future__ import annotations

from dataclasses import replace

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.image_pull import require_pullable
from provisioner.commands.plan_context import print_header
from provisioner.commands.previous_deployments import PreviousDeployments
from provisioner.commands.rollout import RolloutFollower, interruptible, report_replaced
from provisioner.commands.service_controller import ServiceController
from provisioner.commands.service_run import RolloutOptions, ServiceRun, service_run
from provisioner.commands.smoke_test import run_smoke_test
from provisioner.engine.calls.user_errors import user_errors
from provisioner.errors import Blocked, amount
from provisioner.resources.ecs.revisions import RunningRevision, revision_number
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.console import Console

_COMMAND = "restart"


def restart_service(console: Console, session: Session, options: RolloutOptions) -> int:
    """Begin a deployment of the same revision, and follow it.

    If an earlier restart was interrupted, its deployment is followed and no second one is begun.
    """
    completion = CompletionLine(console, session, "Restart")
    print_header(console, session)
    with service_run(console, session, _COMMAND, options.service, options.lock_timeout) as run:
        service = run.service
        with user_errors(f"looking at {service.aws_name}"):
            running = service.running()
        run.record_events()
        under_way = _is_under_way(service, running)
        if under_way:
            console.note("An earlier restart was cut off: what it began is followed, no second one is begun.")
        else:
            _check_and_confirm(console, service, running, options)
        _replace_tasks(run, running, options, under_way=under_way)
        revision = revision_number(running.arn)
        sentence = f"{service.title} has new tasks (revision {revision})."
        console.data_or_record(sentence, "restart", service=service.title, revision=revision)
    completion.print(f"{service.title} runs revision {revision} with new tasks")
    return 0


def _check_and_confirm(
    console: Console, service: ServiceController, running: RunningRevision, options: RolloutOptions
) -> None:
    """Check that new tasks can run, and ask for confirmation.

    Raises:
        Blocked: The service is to run no task, or an image cannot be pulled.
        Declined: The person said no.

    """
    session, count = service.session, running.service["desiredCount"]
    if not count:
        doctor_command = session.options.workspace.command("doctor", session.suffix)
        raise Blocked(
            f"{service.title} is to run no task: there is nothing to replace.",
            f"`{doctor_command}` tells what to type.",
        )
    with user_errors(f"looking at the images of {service.aws_name}"):
        require_pullable(console, session, images_of(running.task_definition))
    report_replaced(console, service, running)
    options.confirmation.confirm(console, f"Replace {amount(count, 'task')} of {service.title} in {session.suffix}?")


def _replace_tasks(run: ServiceRun, running: RunningRevision, options: RolloutOptions, *, under_way: bool) -> None:
    """Begin a deployment of the running revision, unless one is under way; follow it, and record its end."""
    console, service, fail_fast = run.console, run.service, options.fail_fast
    run.record.plan = {"change": 1}
    with interruptible(console, service, f"restarting {service.aws_name}"), service.reporting_update():
        before = PreviousDeployments.read(service, running, running.arn, under_way=under_way, fail_fast=fail_fast)
        follower = RolloutFollower(console, service, before, fail_fast)
        if not under_way:
            state = replace(service.resource_state, phase="updating")
            service.executor.state_manager.record_intent(service.logical_id, _restart_intent(running), state)
            run.force_new_deployment(running)
        follower.follow(running.arn)
        service.record_revision()
        if options.smoke:
            run_smoke_test(console, service)


def _restart_intent(running: RunningRevision) -> str:
    """Return the intent to record.

    It names the deployment before, so that the next run sees whether a new one began.
    """
    return f"{_COMMAND} after {running.primary['id']}"


def _is_under_way(service: ServiceController, running: RunningRevision) -> bool:
    """Return whether an interrupted restart has begun its deployment in AWS, whatever came of that since.

    The recorded intent names the deployment that was primary before the restart; it has begun if another one is now.
    """
    intent = service.resource_state.intent
    return bool(intent and intent.action.startswith(_COMMAND) and intent.action != _restart_intent(running))
