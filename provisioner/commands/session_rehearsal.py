"""`exec` and `db tunnel`: whether the Session Manager plugin is there, and what both rehearse on the local AWS."""

from __future__ import annotations

from provisioner.aws.connection import isolated_session
from provisioner.errors import Blocked
from provisioner.resources.ecs.exec_sessions import RunningTask
from provisioner.session import Session
from provisioner.terminal.console import Console
from provisioner.terminal.session_manager_plugin import NAME, Plugin
from state.errors import ProvisionerError

# The declared policy of the task role that lets the agent of ECS Exec connect (`steps/iam.py`).
_AGENT_RIGHTS = "task-role-exec"


def find_plugin(console: Console, *, local: bool) -> Plugin | None:
    """Return the plugin, and say which one it is; None if there is none to use, which on the local AWS ends nothing.

    Raises:
        Blocked: AWS is meant, and the plugin is not installed, too old, or does not start.

    """
    try:
        plugin = Plugin.find()
    except Blocked as error:
        if not local:
            raise
        console.note(f"{error.message}\n{error.hint}")
        return None
    console.note(f"Session Manager plugin {plugin.version}: {plugin.path}", "dim")
    return plugin


def rehearsal_end(
    console: Console, session: Session, task: RunningTask, opened: str, plugin: Plugin | None
) -> ProvisionerError:
    """Report what was checked on the local AWS; return the error that nothing can be entered there.

    Args:
        console: Where the report goes.
        session: The session of the stack.
        task: The task that was chosen.
        opened: The call that opened the session, and the id of the session.
        plugin: The plugin of this machine, if it has one.

    """
    region = session.location.region
    # On AWS the plugin gets AWS's address: the client is made for that address, and never calls it.
    endpoint = str(isolated_session(region).client("ssm").meta.endpoint_url)
    line = (plugin or Plugin(NAME, "")).shell_line(region, task.target, endpoint)
    if console.as_json:
        console.record("rehearsal", task=task.id, container=task.container, opened=opened, plugin_command=line)
    for checked in (
        f"The task {task.id} runs, and its container {task.container}.",
        "ECS Exec is on for the service (enableExecuteCommand), and the agent in the task is RUNNING.",
        f"{opened}: you may open it.",
        _describe_agent_rights(session),
    ):
        console.note(f"Rehearsed: {checked}")
    return ProvisionerError(
        "The rehearsal ends here: the local AWS runs no container that could be entered.",
        f"On AWS `{NAME}` runs next, with the session in place of the dots:\n{line}",
    )


def _describe_agent_rights(session: Session) -> str:
    """Return a sentence about the task role's rights, which the agent needs to connect, as the state has them."""
    policy = session.state.resources.get(_AGENT_RIGHTS)
    if policy and policy.id:
        return f"The role of the task lets its agent connect ({_AGENT_RIGHTS})."
    apply_command = session.options.workspace.command("apply", session.suffix)
    return (
        "The role of the task does not let its agent connect: on AWS the session would fail. "
        f"`{apply_command} --set service.exec=true` adds {_AGENT_RIGHTS}."
    )
