"""`releases`: the revisions that a service ran and could run."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import open_known_session
from provisioner.commands.help_page import Command
from provisioner.commands.options import service_option, stack_options


@click.command(cls=Command)
@stack_options
@service_option
def releases(service: str, **given: Any) -> int:
    """List what a service ran and could run: revision, image, when, by whom, result."""
    from provisioner.commands.service_releases import print_releases

    console, session = open_known_session(given)
    return print_releases(console, session, service)
