"""`rollback`: a service back to a revision that it ran before."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import open_known_session, rollout_from
from provisioner.commands.help_page import Command
from provisioner.commands.options import rollout_options, stack_options


@click.command(cls=Command)
@stack_options
@click.option("--to", default="", metavar="REVISION", help="To this one, not to the last good one before.")
@rollout_options
def rollback(to: str, **given: Any) -> int:
    """Bring a service back to the revision it ran before, and follow the rollout to its true end."""
    from provisioner.commands.service_rollback import roll_back_service

    console, session = open_known_session(given)
    return roll_back_service(console, session, rollout_from(given), to)
