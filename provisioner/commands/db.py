"""`db tunnel`: a port on this machine that leads to the stack's database."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.completion import complete_from
from provisioner.commands.context import console_from, open_known_session
from provisioner.commands.help_page import Group
from provisioner.commands.options import stack_options


@click.group(cls=Group)
def db() -> None:
    """Reach the stack's database."""


@db.command()
@stack_options
@click.option("--port", type=click.IntRange(1, 65535), help="On this machine [default: 5432, or a free one].")
@click.option(
    "--service",
    default="",
    shell_complete=complete_from("services"),
    help="Through a task of this service (`api` is the main one).",
)
def tunnel(port: int | None, service: str, **given: Any) -> int:
    """Open a port on this machine that leads to the database, through a task, until Ctrl-C."""
    from provisioner.commands.database_tunnel import hold_tunnel
    from provisioner.commands.session_rehearsal import find_plugin

    plugin = find_plugin(console_from(given), local=given["local"])
    console, session = open_known_session(given)
    return hold_tunnel(console, session, plugin, port, service)
