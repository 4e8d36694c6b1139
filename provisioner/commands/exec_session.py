"""`exec`: a command in a running task of a service, with its output and its exit code."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from provisioner.commands.session_rehearsal import rehearsal_end
from provisioner.commands.stack_services import service_state
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.user_errors import user_error, user_errors
from provisioner.errors import Blocked, UsageError
from provisioner.resources.ecs.exec_sessions import (
    AGENT_NOT_READY,
    RunningTask,
    open_command_session,
    read_service_tasks,
)
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.console import Console
from provisioner.terminal.output_frame import OutputFrame
from provisioner.terminal.pseudo_terminal import relay
from provisioner.terminal.session_manager_plugin import Plugin
from state.errors import ProvisionerError

_SHELL = ("/bin/sh",)
# The exit code of a command whose output nobody reads any more: 128 plus SIGPIPE.
_BROKEN_PIPE = 141


def enterable_task(session: Session, service: str, task: str) -> RunningTask:
    """Return a running task of the service that takes commands; its id begins with `task`.

    Raises:
        UsageError: No such task runs.
        Blocked: No task runs, or none takes commands.

    """
    resource_state = service_state(session, service)
    with user_errors(f"looking for a task of {resource_state.aws_name}"):
        tasks = read_service_tasks(session.clients, resource_state.desired["cluster"], resource_state.aws_name)
    apply_command = session.options.workspace.command("apply", session.suffix)
    if tasks is None:
        raise Blocked(f"The service {resource_state.aws_name} is not there.", f"`{apply_command}` makes it again.")
    chosen = [running_task for running_task in tasks.tasks if running_task.id.startswith(task)]
    if task and not chosen:
        task_ids = ", ".join(running_task.id for running_task in tasks.tasks) or "none"
        raise UsageError(f"No task {task} of {resource_state.aws_name} runs.", f"There are: {task_ids}.")
    if not chosen:
        doctor_command = session.options.workspace.command("doctor", session.suffix)
        raise Blocked(f"No task of {resource_state.aws_name} runs.", f"`{doctor_command}` tells why, and what to type.")
    if not tasks.is_exec_enabled:
        raise _exec_disabled_error(session, resource_state.aws_name)
    if ready := [running_task for running_task in chosen if running_task.can_be_entered]:
        return ready[0]
    raise Blocked(
        f"No agent of ECS Exec runs in {', '.join(running_task.id for running_task in chosen)}.",
        "A task from before it was turned on has none, one that has just begun not yet: wait a minute, or "
        "replace the tasks.",
    )


def _exec_disabled_error(session: Session, service_name: str) -> Blocked:
    """Return the error that ECS Exec is off, with the settings that turn it on."""
    apply_command = session.options.workspace.command("apply", session.suffix)
    # Its agent writes into the container's file system (ECS developer guide, ECS Exec considerations).
    writable_option = " --set container.readonly_root=false" if session.settings.container.readonly_root else ""
    return Blocked(
        f"The tasks of {service_name} cannot be entered: ECS Exec is off.",
        f"`{apply_command} --set service.exec=true{writable_option}` turns it on (and write it into your settings "
        "file): the tasks are replaced.",
    )


def exec_command(
    console: Console, session: Session, plugin: Plugin | None, service: str, task: str, command: Sequence[str]
) -> int:
    """Run the command in a task, or a shell if none is given; return the command's exit code.

    Raises:
        ProvisionerError: The stack is in the local AWS, where all is done up to the session.

    """
    running_task = enterable_task(session, service, task)
    frame = OutputFrame(secrets.token_hex(8))
    connection = _start_session(session, running_task, frame.wrap_command(command or _SHELL))
    if plugin is None or session.aws.local:
        opened = f"ExecuteCommand opens the session {connection['SessionId']}"
        raise rehearsal_end(console, session, running_task, opened, plugin)
    console.note(f"In {running_task.container} of task {running_task.id}", "dim")
    argv = plugin.command(session.location.region, running_task.target, _endpoint(session))
    try:
        exit_status = relay(
            argv,
            plugin.environment(connection),
            lambda output: _write_output(frame, output),
            lambda: frame.has_begun and frame.exit_code is None,
        )
    except BrokenPipeError:
        return _BROKEN_PIPE
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    if frame.exit_code is None:
        raise _broken_session_error(frame, exit_status)
    return frame.exit_code


def _start_session(session: Session, running_task: RunningTask, line: str) -> Mapping[str, str]:
    """Open a session with the task; raise Blocked if its agent does not take commands."""
    try:
        return open_command_session(session.clients, running_task, line)
    except ClientError as error:
        if code_of(error) in AGENT_NOT_READY:
            raise Blocked(
                f"The task {running_task.id} takes no command: {error.response['Error']['Message']}",
                "Its agent may have ended, or the task role may not speak with Session Manager. "
                "Wait a minute, or name another task with --task.",
            ) from error
        raise user_error(error, f"entering the task {running_task.id}") or error from error


def _endpoint(session: Session) -> str:
    """Return the URL at which the plugin resumes a session whose connection has dropped."""
    return str(session.aws.client("ssm").meta.endpoint_url)


def _write_output(frame: OutputFrame, output: bytes) -> None:
    """Write the command's output to stdout, and the plugin's own messages to stderr."""
    for is_inside, part in frame.split(output):
        if part:
            _write(sys.stdout if is_inside else sys.stderr, part)


def _write(stream: Any, part: bytes) -> None:
    """Write bytes unchanged to a terminal; to a file, without the carriage returns of the container's."""
    if not stream.isatty():
        part = part.replace(b"\r", b"")
    stream.write(part.decode(errors="replace"))
    stream.flush()


def _broken_session_error(frame: OutputFrame, exit_status: int) -> ProvisionerError:
    """Return the error for a session that ended before the command did."""
    if frame.has_begun:
        return ProvisionerError("The session ended before the command did.", "Run the same command again.")
    return ProvisionerError(
        f"The command did not begin (the plugin ended with {exit_status}).",
        "It is run by /bin/sh: the image must have one. What the plugin says stands above.",
    )
