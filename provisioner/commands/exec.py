"""`exec`: run a command in a task that runs."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import console_from, open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import stack_options


@click.command("exec", cls=Command)
@stack_options
@click.option(
    "--service",
    default="",
    shell_complete=complete_from("services"),
    help="A task of this service (`api` is the main one).",
)
@click.option("--task", default="", metavar="ID", help="This task; the beginning of its id will do.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def exec_(service: str, task: str, command: tuple[str, ...], **given: Any) -> int:
    """Run COMMAND (a shell, where none is given) in a task that runs; write -- before it."""
    from provisioner.commands.exec_session import exec_command
    from provisioner.commands.session_rehearsal import find_plugin

    plugin = find_plugin(console_from(given), local=given["local"])
    console, session = open_known_session(given)
    return exec_command(console, session, plugin, service, task, command)
