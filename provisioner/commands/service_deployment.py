"""`deploy`: another image for one service, followed until it serves.

The next revision is made from the one that runs, not from the settings: changes that wait for an `apply` go
on waiting. First the service is tagged as managed by `deploy`, then the revision is registered, then the
service is updated to it. After an interruption at any point, the same command finds what was done, and
`apply` leaves it alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.image_pull import check_image_name, check_reachable, resolve_image, with_pull_permission
from provisioner.commands.plan_context import print_header
from provisioner.commands.rollout import interruptible, report_replaced
from provisioner.commands.service_controller import ServiceController
from provisioner.commands.service_run import RolloutOptions, ServiceRun, service_run
from provisioner.commands.task_options import check_no_secret, check_task_size
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.errors import UsageError
from provisioner.names import IMAGE_OWNER, SHIPPED_WITH
from provisioner.preflight.sizes import request_size
from provisioner.resources.ecs.overrides import DEPLOY, SIZE_WORD, VARIABLE_PREFIX
from provisioner.resources.ecs.revisions import (
    RevisionChanges,
    RunningRevision,
    is_same_revision,
    next_revision_arguments,
    revision_number,
)
from provisioner.session import Session
from provisioner.settings import PLACEHOLDER, Workload
from provisioner.settings.container import MAX_TASK_DEFINITION_BYTES
from provisioner.settings.variables import OWN_VARIABLES
from provisioner.steps.placeholder import nginx_command
from provisioner.terminal.console import Console

# A tag may have been moved to another image; ECS keeps the digest that it found when the deployment began
# (ECS developer guide, container image resolution).
_RESTART_HINT = "`restart` begins new tasks of it, and resolves its tag again."
# The longest value of a tag (botocore ecs Tag, value).
_MAX_TAG_LENGTH = 256


@dataclass(frozen=True)
class DeployOptions:
    """The options of a deploy: the image, the task's size and variables, and how the rollout goes."""

    rollout: RolloutOptions
    image: str
    cpu: int | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class NextRevision:
    """The revision that a deploy asks for, and the running one that it was made from."""

    running: RunningRevision
    image: str
    props: JsonObject

    @property
    def is_running(self) -> bool:
        """Whether the service is to run such a revision already."""
        return is_same_revision(self.props, self.running.task_definition)


def deploy_image(console: Console, session: Session, options: DeployOptions) -> int:
    """Roll out an image: check it, register a revision, update the service, follow it; return the exit code.

    Raises:
        UsageError: The image, the task's size or a variable cannot be used.
        RolledBack: ECS gave the deployment up.

    """
    check_image_name(options.image)
    completion = CompletionLine(console, session, "Deploy")
    print_header(console, session)
    with service_run(console, session, "deploy", options.rollout.service, options.rollout.lock_timeout) as run:
        revision = _next_revision(run, options)
        run.record_events()
        if revision.is_running and revision.running.is_settled:
            _confirm_running(run, revision, options)
            completion.print(f"{run.service.title} runs revision {revision_number(revision.running.arn)} already")
            return 0
        _show_and_confirm(run, revision, options)
        arn = _roll_out(run, revision, options)
    completion.print(f"{run.service.title} runs revision {revision_number(arn)}")
    return 0


def _next_revision(run: ServiceRun, options: DeployOptions) -> NextRevision:
    """Return the revision that is asked for, after all checks that need no change.

    Raises:
        UsageError: The image, the task's size or a variable cannot be used.

    """
    session, service = run.session, run.service
    with user_errors(f"looking at {service.aws_name}"):
        running = service.running()
        image = resolve_image(run.console, session, options.image, is_required=True)
    props = next_revision_arguments(running, _revision_changes(session, service, running, options, image))
    _check_revision(running, props, options)
    check_reachable(session, service.name, image)
    return NextRevision(running, image, props)


def _confirm_running(run: ServiceRun, revision: NextRevision, options: DeployOptions) -> None:
    """Say that the service runs this already, and end what an interrupted run may have left undone."""
    running = revision.running
    run.console.note(f"It runs that already: nothing was begun. {_RESTART_HINT}")
    run.confirm_unchanged(running, _override_tags(running, options), smoke=options.rollout.smoke)
    run.print_revision(running.arn, revision.image)


def _show_and_confirm(run: ServiceRun, revision: NextRevision, options: DeployOptions) -> None:
    """Show what would change, and ask for confirmation; raise Declined if the person said no."""
    _print_changes(run.console, run.service, revision, options)
    if not revision.is_running:
        report_replaced(run.console, run.service, revision.running)
    options.rollout.confirmation.confirm(run.console, f"Deploy this to {run.session.suffix}?")


def _roll_out(run: ServiceRun, revision: NextRevision, options: DeployOptions) -> str:
    """Tag the service, register the revision, and roll it out; return its ARN."""
    console, service, running = run.console, run.service, revision.running
    with (
        with_pull_permission(console, run.session, service, revision.image, run.record),
        interruptible(console, service, f"deploying to {service.aws_name}"),
    ):
        run.record.plan = {"add": 1, "change": 1}
        service.tag_overrides(running, _override_tags(running, options))
        arn = service.register(revision.props)
        run.roll_out(running, arn, options.rollout)
    run.print_revision(arn, revision.image)
    return arn


def _revision_changes(
    session: Session, service: ServiceController, running: RunningRevision, options: DeployOptions, image: str
) -> RevisionChanges:
    """Return what the next revision changes; the placeholder image's own command comes and goes with it."""
    command_words: tuple[str, ...] | None = () if running.image == PLACEHOLDER else None
    if image == PLACEHOLDER:
        command_words = tuple(nginx_command(_workload_settings(session, service)))
    return RevisionChanges(image, options.cpu, options.memory, options.environment, command_words)


def _workload_settings(session: Session, service: ServiceController) -> Workload:
    """Return the settings of a service; raise UsageError if they have none of its name."""
    matching = (candidate for candidate in session.settings.workloads if candidate.name == service.name)
    if workload := next(matching, None):
        return workload
    raise UsageError(f"The settings have no service {service.title}.", "`config show` tells what they have.")


def _check_revision(running: RunningRevision, props: Mapping[str, str], options: DeployOptions) -> None:
    """Check the task's size and the variables.

    Raises:
        UsageError: Fargate has no such size, the definition is too long, or a variable is not free.

    """
    check_task_size(int(props["cpu"]), int(props["memory"]))
    if (size := request_size(dict(props))) > MAX_TASK_DEFINITION_BYTES:
        raise UsageError(
            f"This task definition would have {size} bytes; ECS takes {MAX_TASK_DEFINITION_BYTES}.",
            "Keep long variables in a parameter or a secret: `container.secrets`.",
        )
    check_no_secret(running, options.environment)
    if reserved := sorted(OWN_VARIABLES & options.environment.keys()):
        raise UsageError(f"The stack tells {', '.join(reserved)} to every container.", "Choose another name.")


def _override_tags(running: RunningRevision, options: DeployOptions) -> dict[str, str]:
    """Return the tags that say what `deploy` manages from now on; earlier choices stay in them."""
    overrides = dict.fromkeys(running.tags.get(SHIPPED_WITH, "").split())  # a set that keeps its order
    overrides |= dict.fromkeys([SIZE_WORD] if options.cpu or options.memory else [])
    overrides |= dict.fromkeys(f"{VARIABLE_PREFIX}{name}" for name in sorted(options.environment))
    overrides_tag = " ".join(overrides)
    if len(overrides_tag) > _MAX_TAG_LENGTH:
        raise UsageError("That are more variables than `deploy` can hold.", "Set them: container.environment.")
    return {IMAGE_OWNER: DEPLOY, **({SHIPPED_WITH: overrides_tag} if overrides_tag else {})}


def _print_changes(
    console: Console, service: ServiceController, revision: NextRevision, options: DeployOptions
) -> None:
    """Show what would change, before the confirmation."""
    running = revision.running
    if console.quiet and options.rollout.confirmation.yes:
        return
    console.note(f"  ~ {service.title} ({service.aws_name}), revision {revision_number(running.arn)}")
    rows = [("image", running.image, revision.image), ("cpu", running.task_definition["cpu"], options.cpu)]
    rows.append(("memory", running.task_definition["memory"], options.memory))
    for name, old, new in rows:
        if new and str(new) != str(old):
            console.note(f"      {name}: {old} -> {new}")
    for name in sorted(options.environment):
        console.note(f"      environment.{name}: (set)")
