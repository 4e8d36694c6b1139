"""`run`: one command in a task of its own, as the service's tasks run; its output and exit code are ours.

An interrupted run leaves its task running; the same command finds the task and follows it (`pending_command.py`).
ECS takes a command, variables and a size with the call that starts the task, but no image: `--image` registers a
revision of its own for it (`resources/ecs/run_revisions.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from botocore.exceptions import BotoCoreError, ClientError

from provisioner.commands.completion_line import CompletionLine
from provisioner.commands.confirmation import Confirmation
from provisioner.commands.followed_task import FollowedTask, task_log_tail
from provisioner.commands.image_pull import (
    check_image_name,
    check_pull_permission,
    check_reachable,
    require_pullable,
    resolve_image,
)
from provisioner.commands.pending_command import OneTimeCommand
from provisioner.commands.plan_context import print_header
from provisioner.commands.run_recording import record_run, without_other_runs
from provisioner.commands.service_controller import ServiceController, service_controller
from provisioner.commands.signals import handle_signals
from provisioner.commands.task_options import check_no_secret, check_task_size
from provisioner.engine.calls.clients import Clients
from provisioner.engine.calls.clock import Clock, Stopped
from provisioner.engine.calls.error_categories import describe_error
from provisioner.engine.calls.user_errors import user_errors
from provisioner.engine.resource_graph.references import JsonObject
from provisioner.engine.runs.recorder import RunRecorder
from provisioner.errors import UsageError
from provisioner.names import owner_tags
from provisioner.resources.ecs.revisions import RevisionChanges, RunningRevision, next_revision_arguments
from provisioner.resources.ecs.run_revisions import delete_run_revisions, register_run_revision
from provisioner.resources.ecs.standalone_tasks import ON_DEMAND, SPOT, Command, StandaloneTask, start_task
from provisioner.session import Session
from provisioner.settings.images import images_of
from provisioner.terminal.console import Console

# The most characters of a task's overrides as JSON (botocore ecs RunTask, overrides).
_MAX_OVERRIDES = 8192


@dataclass(frozen=True)
class RunOptions:
    """The options of a run: the command, the service as whose task it runs, and what is otherwise in that task."""

    confirmation: Confirmation
    words: tuple[str, ...] = field(repr=False)
    service: str = ""
    spot: bool = False
    lock_timeout: float = 0.0
    # Whether to run it again although a run of it was interrupted.
    again: bool = False
    # Whether to end as soon as the task was started.
    detach: bool = False
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cpu: int | None = None
    memory: int | None = None
    image: str = ""

    def check(self) -> None:
        """Raise UsageError if Fargate has no task of this size, or no registry an image of this name; calls nothing."""
        check_task_size(self.cpu, self.memory)
        if self.image:
            check_image_name(self.image)


@dataclass(frozen=True)
class _TaskRun:
    """A command and the task that runs it, with the signals that were caught since before its start."""

    command: OneTimeCommand
    task: StandaloneTask
    is_new: bool
    caught_signals: list[int]


def run_once(console: Console, session: Session, options: RunOptions) -> int:
    """Start the task or find it, show its output, and return its exit code; with `detach`, return once it started."""
    completion = CompletionLine(console, session, "Run")
    print_header(console, session)
    with record_run(session, "run") as record, ExitStack() as cleanup:
        run = _start_or_find(console, session, options, cleanup)
        record.task = run.task.arn
        if options.detach and not run.caught_signals and not run.task.has_stopped:
            _print_detached(run)
            code, result = 0, "was started" if run.is_new else "runs already"
        else:
            # The lock is released: a task of its own changes nothing of the stack, and may take hours.
            code, result = _follow(run, record, options)
    if not run.caught_signals:
        completion.print(f"task {run.task.id} {result}", "red" if code else "green")
    return code


def _start_or_find(console: Console, session: Session, options: RunOptions, cleanup: ExitStack) -> _TaskRun:
    """Return the task of an earlier run of the command, else start one; signals are handled until `cleanup`."""
    with session.locked("run", options.lock_timeout), without_other_runs(session, check_at_end=False):
        service = service_controller(session, options.service)
        with user_errors(f"starting a task of {service.aws_name}"):
            command = _one_time_command(console, service, options)
            earlier_task = command.find_task(again=options.again, confirmation=options.confirmation)
            # Before there is a task: a signal during its start also asks it to end.
            caught_signals = cleanup.enter_context(handle_signals(console, session.clock))
            task = earlier_task or _start_task(command, again=options.again)
            if options.detach and not caught_signals and not task.has_stopped:
                service.executor.state_manager.record_command_end(command.key, task.arn)
    return _TaskRun(command, task, earlier_task is None, caught_signals)


def _one_time_command(console: Console, service: ServiceController, options: RunOptions) -> OneTimeCommand:
    """Return the command to run, with its image resolved, after all checks that need no change.

    Raises:
        UsageError: The image, the task's size or a variable cannot be used.

    """
    running = service.running()
    if options.cpu is not None or options.memory is not None:
        definition = running.task_definition
        check_task_size(options.cpu or int(definition["cpu"]), options.memory or int(definition["memory"]))
    check_no_secret(running, options.environment)
    image = ""
    if options.image:
        image = resolve_image(console, service.session, options.image, is_required=True)
        check_reachable(service.session, service.name, image)
    provider = SPOT if options.spot else ON_DEMAND
    command = Command(options.words, provider, options.environment, options.cpu, options.memory, image)
    one_time_command = OneTimeCommand(console, service, running, command)
    _check_length(one_time_command)
    return one_time_command


def _check_length(command: OneTimeCommand) -> None:
    """Raise UsageError if the command and its variables are longer than ECS takes."""
    size = len(json.dumps(command.command.overrides(command.container)))
    if size > _MAX_OVERRIDES:
        raise UsageError(
            f"The command and its variables come to {size} characters; ECS takes {_MAX_OVERRIDES} of both together.",
            "Keep long ones in a parameter or a secret, or in the image.",
        )


def _start_task(command: OneTimeCommand, *, again: bool) -> StandaloneTask:
    """Start the task; the pending command is in the state before the call, and the task's ARN after it."""
    session, service, state_manager = command.service.session, command.service, command.service.executor.state_manager
    with _revision_for(command) as revision:
        pending = command.new_pending_command(revision.arn, again=again)
        state_manager.record_command(command.key, pending)
        tags, recent = owner_tags(session.suffix), service.executor.resource_calls.recent
        task = start_task(session.clients, service.cluster, revision, command.command, pending.token, tags, recent)
        state_manager.record_command(command.key, replace(pending, task=task.arn))
    command.console.note(f"Task {task.id} of {service.title} starts on {command.command.capacity_provider}.", "dim")
    return task


@contextmanager
def _revision_for(command: OneTimeCommand) -> Iterator[RunningRevision]:
    """Give the block the revision to start the task with; one for `--image` is deleted at the end of the block.

    A killed run leaves its revision: the next `run --image` of the service deletes it, as `teardown` does.

    Raises:
        Blocked: No task can pull one of the images.

    """
    console, service, running, image = command.console, command.service, command.running, command.command.image
    session = service.session
    if not image:
        require_pullable(console, session, images_of(running.task_definition))
        yield running
        return
    check_pull_permission(session, image)
    props = {**next_revision_arguments(running, RevisionChanges(image)), "family": service.run_family}
    require_pullable(console, session, images_of(props))
    tags, recent = owner_tags(session.suffix), service.executor.resource_calls.recent
    registered = register_run_revision(session.clients, props, session.suffix, tags, recent)
    try:
        yield RunningRevision(running.service, registered)
    finally:
        _delete_revisions(session, registered)


def _delete_revisions(session: Session, registered: JsonObject) -> None:
    """Delete the revisions that were registered for `--image`; if that fails, report it: the task runs on."""
    try:
        delete_run_revisions(session.clients, registered, session.suffix)
    except (BotoCoreError, ClientError, Stopped) as error:
        session.warn(
            f"A revision of {registered['family']} that was registered for the task is left: {describe_error(error)}",
            "The next `run --image` deletes it, and so does `teardown`.",
        )


def _follow(run: _TaskRun, record: RunRecorder, options: RunOptions) -> tuple[int, str]:
    """Follow the task to its end; return the exit code, and how the task ended."""
    command, task = run.command, run.task
    console, service, session = command.console, command.service, command.service.session
    clients = Clients(session.aws, Clock())
    tail = task_log_tail(session, command.running, task)
    followed = FollowedTask(console, clients, service.cluster, task, tail, run.caught_signals)
    try:
        with user_errors(f"following task {task.id}"):
            code = followed.follow(session.clock)
        record.finish("ok" if code == 0 else "failed", code)
    finally:
        if followed.is_reported:
            command.forget_pending_command(task, options.lock_timeout)
    if not run.is_new and task.has_stopped:
        console.note(f"No new task was started for {command.title}: `--again` starts one.", "yellow")
    return code, followed.end_in_words


def _print_detached(run: _TaskRun) -> None:
    """Print the id of a task that runs on by itself, and how to follow and to stop it."""
    command, task = run.command, run.task
    console, service, session = command.console, command.service, command.service.session
    console.data_or_record(task.id, "started", task=task.id, arn=task.arn, cluster=service.cluster)
    workspace = session.options.workspace
    logs = workspace.command(f"logs --task {task.id} --follow", session.suffix)
    console.note(f"`{logs}` shows what it writes.")
    if not workspace.is_local:
        stop = f"aws ecs stop-task --cluster {service.cluster} --task {task.id} --region {session.location.region}"
        console.note(f"`{stop}` stops it.")
    console.note("The same command without --detach follows it to its end; Ctrl-C there stops it.")
