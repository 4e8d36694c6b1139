"""`exec`: a command in a running task, with its output and its exit code."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from provisioner.commands.serving import LOCAL_ONLY, enterable_task
from provisioner.engine.calls.error_categories import code_of
from provisioner.engine.calls.user_errors import user_error
from provisioner.errors import Blocked
from provisioner.resources.ecs.running import Running
from provisioner.resources.ecs.sessions import NOT_READY, execute
from provisioner.session import Session
from provisioner.stopping import exit_code
from provisioner.terminal.framed import Framed
from provisioner.terminal.plugin import Plugin
from provisioner.terminal.relay import relay
from provisioner.terminal.say import Console
from state.errors import ProvisionerError

_SHELL = ("/bin/sh",)
_NOBODY_READS = 141


def exec_command(console: Console, session: Session, service: str, task: str, command: Sequence[str]) -> int:
    """Run the command in a task, or a shell if none is given; return the command's exit code."""
    plugin = Plugin.found()
    chosen = enterable_task(session, service, task)
    framed = Framed(secrets.token_hex(8))
    opened = _opened(session, chosen, framed.around(command or _SHELL))
    console.note(f"In {chosen.container} of task {chosen.id}", "dim")
    argv = plugin.command(session.location.region, chosen.target, _endpoint(session))
    try:
        ended = relay(
            argv,
            plugin.environment(opened),
            lambda told: _show(framed, told),
            lambda: framed.began and framed.code is None,
        )
    except BrokenPipeError:
        return _NOBODY_READS
    except KeyboardInterrupt as stop:
        return exit_code(stop)
    if framed.code is None:
        raise _broken(session, framed, ended)
    return framed.code


def _opened(session: Session, chosen: Running, line: str) -> Mapping[str, str]:
    """Open a session with the task; raise Blocked if its agent does not take commands."""
    try:
        return execute(session.clients, chosen, line)
    except ClientError as error:
        if code_of(error) in NOT_READY:
            raise Blocked(
                f"The task {chosen.id} takes no command: {error.response['Error']['Message']}",
                "Its agent may have ended, or the task role may not speak with Session Manager. "
                "Wait a minute, or name another task with --task.",
            ) from error
        raise user_error(error, f"entering the task {chosen.id}") or error from error


def _endpoint(session: Session) -> str:
    """Return the URL at which the plugin resumes a session whose connection has dropped."""
    return str(session.aws.client("ssm").meta.endpoint_url)


def _show(framed: Framed, told: bytes) -> None:
    """Write the command's output to stdout, and the plugin's own messages to stderr."""
    for is_inside, piece in framed.take(told):
        if piece:
            _write(sys.stdout if is_inside else sys.stderr, piece)


def _write(stream: Any, piece: bytes) -> None:
    """Write bytes unchanged to a terminal; to a file, without the carriage returns of the container's."""
    if not stream.isatty():
        piece = piece.replace(b"\r", b"")
    stream.write(piece.decode(errors="replace"))
    stream.flush()


def _broken(session: Session, framed: Framed, ended: int) -> ProvisionerError:
    """Return the error for a session that ended before the command did."""
    if session.aws.local:
        return ProvisionerError(
            "The session ended: the embedded AWS runs no container that could be entered.",
            LOCAL_ONLY,
        )
    if framed.began:
        return ProvisionerError("The session ended before the command did.", "Run the same command again.")
    return ProvisionerError(
        f"The command did not begin (the plugin ended with {ended}).",
        "It is run by /bin/sh: the image must have one. What the plugin says stands above.",
    )
