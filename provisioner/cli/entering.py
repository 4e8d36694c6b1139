"""`exec`, `db tunnel`, `open`: commands into a task, to the stack's database, and to its address."""

from __future__ import annotations

from typing import Any

import click

from provisioner.cli.completion import by
from provisioner.cli.opening import begin, known_suffix, open_session
from provisioner.cli.options import stack_options


@click.command("exec")
@stack_options
@click.option(
    "--service",
    default="",
    shell_complete=by("services"),
    help="A task of this service (`api` is the main one).",
)
@click.option("--task", default="", metavar="ID", help="This task; the beginning of its id will do.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def exec_(service: str, task: str, command: tuple[str, ...], **given: Any) -> int:
    """Run COMMAND (a shell, where none is given) in a task that runs; write -- before it."""
    from provisioner.commands import entering

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return entering.exec_command(console, session, service, task, command)


@click.group()
def db() -> None:
    """Reach the stack's database."""


@db.command()
@stack_options
@click.option("--port", type=click.IntRange(1, 65535), help="On this machine [default: 5432, or a free one].")
@click.option(
    "--service",
    default="",
    shell_complete=by("services"),
    help="Through a task of this service (`api` is the main one).",
)
def tunnel(port: int | None, service: str, **given: Any) -> int:
    """Open a port on this machine that leads to the database, through a task, until Ctrl-C."""
    from provisioner.commands import tunnelling

    console, workspace = begin(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return tunnelling.tunnel(console, session, port, service)


@click.command("open")
@stack_options
@click.option("--print", "only_print", is_flag=True, help="Print the address, and open nothing.")
def open_(only_print: bool, **given: Any) -> int:
    """Show the stack's address in a browser; calls nothing."""
    from provisioner.commands import visiting

    console, workspace = begin(given)
    return visiting.visit(console, workspace, known_suffix(workspace, given["suffix"]), only_print=only_print)
