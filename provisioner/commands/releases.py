"""`releases`: the revisions that a service ran and could run."""

from __future__ import annotations

from typing import Any

import click

from provisioner.commands.context import console_and_workspace, known_suffix, open_session
from provisioner.commands.options import service_option, stack_options


@click.command()
@stack_options
@service_option
def releases(service: str, **given: Any) -> int:
    """List what a service ran and could run: revision, image, when, by whom, result."""
    from provisioner.commands import service_releases as releasing

    console, workspace = console_and_workspace(given)
    session = open_session(given, workspace, known_suffix(workspace, given["suffix"]))
    return releasing.print_releases(console, session, service)
