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
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.image_pull import resolve_image, with_pull_permission
from provisioner.commands.plan_context import print_header
from provisioner.commands.rollout import PreviousDeployments, RolloutFollower, interruptible, report_replaced
from provisioner.commands.run_recording import record_run, without_other_runs
from provisioner.commands.service_controller import ServiceController, service_controller
from provisioner.commands.smoke_test import run_smoke_test
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.execution.events import Event
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import UsageError, quoted
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
from provisioner.resources.ecs.rollouts import force_new_deployment
from provisioner.session import Session
from provisioner.settings import PLACEHOLDER, Workload
from provisioner.settings.container import FARGATE_MEMORY, MAX_TASK_DEFINITION_BYTES
from provisioner.settings.images import is_reference
from provisioner.settings.overrides import ServiceOverrides, with_overrides
from provisioner.settings.variables import OWN_VARIABLES
from provisioner.steps.endpoints import check_images_reachable
from provisioner.steps.placeholder import nginx_command
from provisioner.terminal.console import Console

# A tag may have been moved to another image; ECS keeps the digest that it found when the deployment began
# (ECS developer guide, container image resolution).
_RESTART_HINT = "`restart` begins new tasks of it, and resolves its tag again."
# The longest value of a tag (botocore ecs Tag, value).
_MAX_TAG_LENGTH = 256


@dataclass(frozen=True)
class DeployOptions:
    """The options of a deploy: the image, the service, and how the rollout goes."""

    confirmation: Confirmation
    image: str
    service: str = ""
    cpu: int | None = None
    memory: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    fail_fast: bool = False
    lock_timeout: float = 0.0
    smoke: bool = True


def deploy_image(console: Console, session: Session, options: DeployOptions) -> int:
    """Roll out an image: check it, register a revision, update the service, follow it; return the exit code.

    Raises:
        UsageError: The image, the task's size or a variable cannot be used.
        RolledBack: ECS gave the deployment up.

    """
    if not is_reference(options.image):
        raise UsageError(
            f"{quoted(options.image)} is no image: no registry has such a name.",
            "For example: --image public.ecr.aws/acme/model:1.4.2 (lower case, then a tag or a digest).",
        )
    completion = CompletionLine(console, session, "Deploy")
    print_header(console, session)
    with (
        session.locked("deploy", options.lock_timeout),
        record_run(session, "deploy") as record,
        without_other_runs(session),
    ):
        service = service_controller(session, options.service)
        with user_errors(f"looking at {service.aws_name}"):
            running = service.running()
            image = resolve_image(console, session, options.image, is_required=True)
        props = next_revision_arguments(running, _revision_changes(session, service, running, options, image))
        _check_revision(running, props, options)
        check_images_reachable(
            with_overrides(session.settings, {service.name: ServiceOverrides(image)}), session.location.region
        )
        record_service_events(service, record)
        if is_same_revision(props, running.task_definition) and running.is_settled:
            console.note(f"It runs that already: nothing was begun. {_RESTART_HINT}")
            confirm_unchanged(console, service, running, _override_tags(running, options), is_asked=options.smoke)
            print_running_image(console, service, running.arn, image)
            result = f"{service.title} runs revision {revision_number(running.arn)} already"
            completion.print(result)
            return 0
        _print_changes(console, service, running, image, options)
        if not is_same_revision(props, running.task_definition):
            report_replaced(console, service, running)
        options.confirmation.confirm(console, f"Deploy this to {session.suffix}?")
        doing = f"deploying to {service.aws_name}"
        with with_pull_permission(console, session, service, image, record), interruptible(console, service, doing):
            record.plan = {"add": 1, "change": 1}
            service.tag_overrides(running, _override_tags(running, options))
            arn = service.register(props)
            roll_out(console, service, running, arn, fail_fast=options.fail_fast)
            if options.smoke:
                run_smoke_test(console, service)
        print_running_image(console, service, arn, image)
    result = f"{service.title} runs revision {revision_number(arn)}"
    completion.print(result)
    return 0


def confirm_unchanged(
    console: Console, service: ServiceController, running: RunningRevision, tags: Mapping[str, str], *, is_asked: bool
) -> None:
    """Tag the service, record the revision that it runs already, and run the smoke test if asked to.

    An earlier run may have been interrupted before it did so.
    """
    with interruptible(console, service, f"looking at {service.aws_name}"):
        service.tag_overrides(running, tags)
        service.record_revision()
        if is_asked:
            run_smoke_test(console, service)


def print_running_image(console: Console, service: ServiceController, arn: str, image: str) -> None:
    """Print what the service runs now."""
    runs = {"service": service.title, "revision": revision_number(arn), "arn": arn, "image": image}
    console.data_or_record(f"{service.title} runs {image} (revision {revision_number(arn)}).", "release", **runs)


def record_service_events(service: ServiceController, record: RunRecorder) -> None:
    """Make the record of the run hear the changes of the service, its task definition and its scaling."""
    for logical_id in (service.task_definition_id, service.logical_id, service.scalable_target_id):
        resource_state = service.session.state.resources.get(logical_id)
        if resource_state:
            record.add_resource(logical_id, resource_state.type_name, resource_state.region, resource_state.step, [])
    service.session.events.subscribe(record.record_event)


def roll_out(
    console: Console, service: ServiceController, running: RunningRevision, arn: str, *, fail_fast: bool = False
) -> None:
    """Update the service to a revision, unless that is under way; follow the rollout, and record its end."""
    is_same = running.arn == arn
    under_way = is_same and not running.has_failed
    before = PreviousDeployments.read(service, running, arn, under_way=under_way, fail_fast=fail_fast)
    follower = RolloutFollower(console, service, before, fail_fast)
    service.executor.publish(Event("exists", service.task_definition_id, "update", id=arn))
    with service.reporting("update"):
        if not is_same:
            service.deploy_revision(arn)
        elif running.has_failed:
            force_new_deployment(service.session.clients, service.cluster, service.aws_name, str(running.primary["id"]))
        follower.follow(arn)
        service.record_revision()


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
    cpu, memory = int(props["cpu"]), int(props["memory"])
    if memory not in FARGATE_MEMORY.get(cpu, ()):
        fits = ", ".join(map(str, FARGATE_MEMORY.get(cpu, ()))) or "none: CPU units are " + ", ".join(
            map(str, FARGATE_MEMORY)
        )
        raise UsageError(f"Fargate has no task of {cpu} CPU units with {memory} MiB.", f"It has: {fits}.")
    if (size := request_size(dict(props))) > MAX_TASK_DEFINITION_BYTES:
        raise UsageError(
            f"This task definition would have {size} bytes; ECS takes {MAX_TASK_DEFINITION_BYTES}.",
            "Keep long variables in a parameter or a secret: `container.secrets`.",
        )
    secret_names = {secret["name"] for secret in running.container.get("secrets", [])}
    if conflicting := sorted(secret_names & options.environment.keys()):
        raise UsageError(f"{', '.join(conflicting)} is filled from a secret.", "Change the secret, or the setting.")
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
    console: Console, service: ServiceController, running: RunningRevision, image: str, options: DeployOptions
) -> None:
    """Show what would change, before the confirmation."""
    if console.quiet and options.confirmation.yes:
        return
    console.note(f"  ~ {service.title} ({service.aws_name}), revision {revision_number(running.arn)}")
    rows = [("image", running.image, image), ("cpu", running.task_definition["cpu"], options.cpu)]
    rows.append(("memory", running.task_definition["memory"], options.memory))
    for name, old, new in rows:
        if new and str(new) != str(old):
            console.note(f"      {name}: {old} -> {new}")
    for name in sorted(options.environment):
        console.note(f"      environment.{name}: (set)")
