"""`restart`: new tasks of the revision that runs."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import open_known_session, rollout_from
from provisioner.commands.help_page import Command
from provisioner.commands.options import rollout_options, stack_options


@click.command(cls=Command)
@stack_options
@rollout_options
def restart(**given: Any) -> int:
    """Replace the tasks of a service by new ones of the same revision, without a gap."""
    from provisioner.commands.service_restart import restart_service

    console, session = open_known_session(given)
    return restart_service(console, session, rollout_from(given))
